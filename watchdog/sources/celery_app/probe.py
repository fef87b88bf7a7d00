"""Imports a Celery app and prints what it declares, as JSON. Runs in a process of its own, with the app's Python, of which it asks for
Celery alone: nothing of watchdog is imported here.

In: the app as for `celery -A`, and a file descriptor to write to. Out: one JSON object there: what was seen, or `{"failed": …}` with the
type, text and place of the exception. What the app itself prints goes nowhere. Neither a broker nor a result backend is connected to. Of
URLs only the scheme is read.
"""

import inspect
import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

SETTINGS = (
    "task_acks_late",
    "task_acks_on_failure_or_timeout",
    "task_reject_on_worker_lost",
    "task_track_started",
    "task_ignore_result",
    "task_send_sent_event",
    "task_time_limit",
    "task_soft_time_limit",
    "worker_max_tasks_per_child",
    "worker_max_memory_per_child",
    "worker_prefetch_multiplier",
    "worker_eta_task_limit",
    "worker_pool_restarts",
    "worker_cancel_long_running_tasks_on_connection_loss",
)


def seen_of(name: str) -> dict[str, Any]:
    """Import the app, as a worker does, and read it."""
    from celery.app.utils import find_app  # noqa: PLC0415 - the app's Celery, whose absence is reported like any other

    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `celery -A` does
    app = find_app(name)
    if not hasattr(app, "amqp"):
        raise TypeError(f"{name} is of type {type(app).__name__}, not a Celery app")
    app.loader.import_default_modules()
    app.finalize()
    conf = app.conf
    expires = conf.result_expires
    declared = sorted(map(str, app.amqp.queues)) if conf.task_queues else None
    app.amqp.queues.create_missing = True  # so that a route to a queue that is not declared is told by its name
    return {
        "transport": _scheme(conf.broker_read_url or conf.broker_url or "") or "amqp",
        "pool": str(conf.worker_pool or "prefork"),
        "conf": {setting: value for setting in SETTINGS if _plain(value := conf.get(setting))},
        "result_expires_s": expires.total_seconds() if hasattr(expires, "total_seconds") else _number(expires),
        "results": bool(conf.result_backend) and _scheme(str(conf.result_backend)) != "disabled",
        "visibility_timeout_s": _number((conf.broker_transport_options or {}).get("visibility_timeout")),
        "always_eager": bool(conf.task_always_eager),
        "creates_queues": bool(conf.task_create_missing_queues),
        "default_queue": str(conf.task_default_queue),
        "declared_queues": declared,
        "route_queues": sorted(set(_route_queues(conf.task_routes))),
        "tasks": [_task(app, task) for task_name, task in sorted(app.tasks.items()) if not task_name.startswith("celery.")],
        "schedules": [_schedule(str(entry), fields) for entry, fields in sorted(dict(conf.beat_schedule or {}).items(), key=str)],
    }


def _task(app: Any, task: Any) -> dict[str, Any]:
    conf = app.conf
    itself = bool(getattr(task, "autoretry_for", ()))
    kwargs = dict(getattr(task, "retry_kwargs", None) or {})
    return {
        "name": str(task.name),
        **_routed(app, task),
        "time_limit_s": _number(task.time_limit) or _number(conf.task_time_limit),
        "soft_time_limit_s": _number(task.soft_time_limit) or _number(conf.task_soft_time_limit),
        "acks_late": bool(task.acks_late),
        "acks_on_failure": bool(getattr(task, "acks_on_failure_or_timeout", True)),
        "reject_on_worker_lost": bool(task.reject_on_worker_lost),
        "retries": itself or _calls_retry(task),
        "retries_itself": itself,
        "backoff": bool(getattr(task, "retry_backoff", False)),
        "retry_delay_s": _longest_delay(task, kwargs) if itself else _number(task.default_retry_delay),
        "max_retries": _number(kwargs.get("max_retries", task.max_retries)),
    }


def _longest_delay(task: Any, kwargs: Mapping[str, Any]) -> float | None:
    """What celery/app/autoretry.py waits before the last retry."""
    factor = _number(getattr(task, "retry_backoff", False)) or float(bool(getattr(task, "retry_backoff", False)))
    if not factor:
        return _number(kwargs.get("countdown", task.default_retry_delay))
    longest = _number(getattr(task, "retry_backoff_max", 600)) or 600.0
    last = _number(kwargs.get("max_retries", task.max_retries))
    return longest if last is None or last > 60 else min(longest, max(1.0, factor) * 2 ** max(last - 1, 0))


def _calls_retry(task: Any) -> bool:
    """Whether the task's own code names `retry`."""
    code = getattr(inspect.unwrap(getattr(task, "_orig_run", task.run)), "__code__", None)
    return code is not None and "retry" in code.co_names


def _routed(app: Any, task: Any) -> dict[str, Any]:
    """Where `delay()` without arguments sends it. A router of the app's own may need arguments, and raises."""
    try:
        route = app.amqp.router.route(dict(task._get_exec_options()), task.name, (), {}, task)  # noqa: SLF001 - as `apply_async` does
    except Exception as error:  # noqa: BLE001 - the app's own code
        return {"unrouted": f"{type(error).__name__}: {error}"}
    queue = route.get("queue")
    name = getattr(queue, "name", queue) or route.get("routing_key")
    return {"queue": str(name)} if name else {"unrouted": "its route names neither a queue nor a routing key"}


def _route_queues(routes: Any) -> Iterator[str]:
    """Queues that `task_routes` names: a mapping, or a list of mappings and pairs."""
    for route in routes if isinstance(routes, list | tuple) else [routes]:
        pairs = route.items() if isinstance(route, Mapping) else [route] if isinstance(route, tuple) and len(route) == 2 else []
        for _, options in pairs:
            queue = options.get("queue") if isinstance(options, Mapping) else options
            name = getattr(queue, "name", queue)
            if isinstance(name, str):
                yield name


def _schedule(name: str, fields: Any) -> dict[str, Any]:
    options = fields.get("options") or {}
    queue = options.get("queue")
    return {
        "name": name,
        "task": str(fields.get("task") or name),
        "queue": None if queue is None else str(getattr(queue, "name", queue)),
        "countdown_s": _number(options.get("countdown")),
    }


def _scheme(url: str) -> str:
    return str(url).partition("://")[0].partition("+")[0] if "://" in str(url) else ""


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 else None


def failed_of(error: BaseException) -> dict[str, Any]:
    """What an exception says, and the last line of the app's own code that it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(os.getcwd() + os.sep)]  # noqa: PTH109
    own = [frame for frame in frames if f"{os.sep}site-packages{os.sep}" not in frame.filename]
    where = f"{os.path.relpath(own[-1].filename)}:{own[-1].lineno}" if own else ""
    return {"failed": {"type": type(error).__name__, "text": str(error), "where": where, "module": getattr(error, "name", None)}}


def main(name: str, descriptor: int) -> None:
    """Write the one object, and end at once: neither threads nor exit handlers of the app may hold the process."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    try:
        found = seen_of(name)
    except BaseException as error:  # noqa: BLE001 - also SystemExit, which scripts raise when they are imported
        found = failed_of(error)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(found, out)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
