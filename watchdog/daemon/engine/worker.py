"""Runs a Celery worker that looks: `watchdog worker`.

In: the app, what a message leads to, what an error of the broker means, options for Celery. Out: nothing; it returns once the worker has
ended.
"""

import logging
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from watchdog.daemon.engine.celery_app import LOOK

if TYPE_CHECKING:
    from celery import Celery

__all__ = ["run_worker"]

log = structlog.get_logger()

QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
"""Workers need not know of each other."""


def run_worker(
    app: "Celery", look: Callable[[str, str, float], None], reason_of: Callable[[Exception], str], concurrency: int, more: Sequence[str]
) -> None:
    """Take looks until it is told to end, as any Celery worker is. `more`: further options of `celery worker`, which come last."""

    from celery.platforms import SecurityWarning  # noqa: PLC0415 - slow to import
    from celery.signals import worker_ready  # noqa: PLC0415 - slow to import

    @app.task(name=LOOK, ignore_result=True, shared=False)  # type: ignore[untyped-decorator] # Celery has no types
    def take(target: str, fingerprint: str, read_at: float) -> None:
        look(target, fingerprint, read_at)

    @worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def said(**_: object) -> None:
        log.info("worker_started", queue=app.conf.task_default_queue, concurrency=concurrency)

    _log_as_ours(_AsOurs(reason_of))
    options = ["--pool", "threads", "--concurrency", str(concurrency), "--loglevel", "WARNING", *QUIET]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of root and pickle: this app reads nothing but JSON
        app.worker_main(["--quiet", "worker", *options, *more])


class _AsOurs(logging.Handler):
    """What Celery and kombu say, as lines of our log; with what an error of the broker means, where one is what they speak of."""

    def __init__(self, reason_of: Callable[[Exception], str]) -> None:
        super().__init__(logging.WARNING)
        self._reason_of = reason_of

    def emit(self, record: logging.LogRecord) -> None:
        about = record.args if isinstance(record.args, tuple) else ()
        error = next((one for one in about if isinstance(one, (OSError, RedisError, OperationalError))), None)
        means = {} if error is None else {"means": self._reason_of(error)}
        said = {"by": record.name, "reason": " ".join(record.getMessage().split()), **means}
        if record.levelno >= logging.ERROR:
            log.error("celery_said", **said)
        else:
            log.warning("celery_said", **said)


def _log_as_ours(handler: logging.Handler) -> None:
    for name in ("celery", "kombu"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
