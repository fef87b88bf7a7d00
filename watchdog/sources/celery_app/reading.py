"""Reads a Celery app by running `probe.py` with the app's Python.

In: the app as for `celery -A`, the Python, the queues that workers are started with. Out: `AppSeen`, or `AppUnreadError` with what was
expected, what was found, where, and what to do. The text of an exception of the app's is shown without what may be a secret.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.model.servers.celery_app import AppSeen, AppTask, DeclaredSchedule
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.secrets import secrets_in, spellings
from watchdog.sources.celery_app.process import AppUnreadError, printed_by_probe
from watchdog.sources.worker_settings import worker_settings

__all__ = ["read_app"]

MASK = "***"
SHORTEST_SECRET = 4
"""Shorter values of the environment are not masked: they would make holes into every word."""


class _Failed(Struct):
    type: str
    text: str = ""
    where: str = ""
    module: str | None = None


class _Printed(Struct):
    """What the probe prints."""

    failed: _Failed | None = None
    transport: str = ""
    pool: str = ""
    conf: dict[str, Any] = {}
    result_expires_s: float | None = None
    results: bool = False
    visibility_timeout_s: float | None = None
    always_eager: bool = False
    creates_queues: bool = True
    default_queue: str = ""
    declared_queues: tuple[str, ...] | None = None
    route_queues: tuple[str, ...] = ()
    tasks: tuple[AppTask, ...] = ()
    schedules: tuple[DeclaredSchedule, ...] = ()


def read_app(app: str, python: str, consumed: Sequence[str], environ: Mapping[str, str], timeout_s: float) -> AppSeen:
    """Import the app with this Python, in the current folder."""
    text = printed_by_probe(app, python, environ, timeout_s)
    try:
        printed = msgspec.json.decode(text, type=ready(_Printed))
    except msgspec.DecodeError as error:
        raise AppUnreadError(f"expected the tasks and settings of {app} as JSON, found: {one_line(str(error))}") from None
    if printed.failed is not None:
        raise AppUnreadError(_refusal(app, python, printed.failed, environ))
    return _seen(app, printed, tuple(consumed))


def _refusal(app: str, python: str, failed: _Failed, environ: Mapping[str, str]) -> str:
    text = one_line(_without_secrets(failed.text, environ))
    place = f", at {one_line(failed.where)}" if failed.where else ""
    found = f"{one_line(failed.type)}: {text}" if text else one_line(failed.type)
    return f"expected to import the Celery app {app}, found: {found}{place}; {_step(app, python, failed)}"


def _step(app: str, python: str, failed: _Failed) -> str:
    """What to do about it."""
    module = failed.module or ""
    if not failed.where and (":" in module or failed.type in ("AttributeError", "TypeError", "ValueError")):
        return "name the app as for `celery -A`: module:attribute"
    if failed.type == "ModuleNotFoundError" and module and (app.partition(":")[0] + ".").startswith(module + "."):
        return f"run it in the folder from which `celery -A {app} worker` starts ({Path.cwd()})"
    if failed.type == "ModuleNotFoundError":
        return f"run it in the app's own environment, or name its Python with --python (this was {python})"
    return "set what the app needs when it is imported, as its workers have it"


def _without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of the environment that may be secrets. What URLs hold is masked wherever watchdog prints."""
    secrets = {spelt for secret in secrets_in(environ) for spelt in spellings(secret)}
    for secret in sorted((one for one in secrets if len(one) >= SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _seen(app: str, printed: _Printed, consumed: tuple[str, ...]) -> AppSeen:
    settings = msgspec.structs.replace(worker_settings(printed.conf), result_expires_s=printed.result_expires_s)
    return AppSeen(
        app=app,
        transport=printed.transport,
        pool=printed.pool,
        settings=settings,
        results=printed.results and not settings.ignore_result,
        visibility_timeout_s=printed.visibility_timeout_s,
        always_eager=printed.always_eager,
        creates_queues=printed.creates_queues,
        default_queue=printed.default_queue,
        declared_queues=printed.declared_queues,
        consumed_queues=consumed,
        route_queues=printed.route_queues,
        tasks=printed.tasks,
        schedules=printed.schedules,
    )
