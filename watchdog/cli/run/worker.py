"""`watchdog worker`: looks at targets for a daemon, as messages of the engine's broker ask for it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, database_option
from watchdog.cli.output.refusals import Refused, Unusable

if TYPE_CHECKING:
    from watchdog.config.database_path import DatabasePlace
    from watchdog.store import Store

__all__ = ["worker"]

WAIT_S = 2.0
POOLS = ("threads", "solo")
"""Celery's pools in which looks share their connections and what was read of the configuration."""
OF_QUEUES = "expected no queues here, because `engine.queue` in the configuration names the one that there is"
REFUSED = {
    ("--queues", "-Q"): OF_QUEUES,
    ("--exclude-queues", "-X"): OF_QUEUES,
    ("--detach", "-D"): "expected a worker in the foreground: let systemd, or whatever runs services here, start it",
    ("--beat", "-B"): "expected no schedule here, because the daemon decides when looks are due",
}
"""Options of `celery worker` that cannot work here -> why."""


@click.command(
    epilog="""\b
Signals are those of any Celery worker: SIGTERM ends it after its current looks.
It waits for a database that cannot be reached yet, or that its daemon has not
prepared yet.

\b
Exit codes: 0 ended, 1 the database cannot be used, 2 usage, configuration or rules are wrong.

\b
Examples:
  watchdog worker
  watchdog worker --config /etc/watchdog/watchdog.toml --concurrency 8
  watchdog worker -- --hostname looks@%h --loglevel INFO
"""
)
@config_option
@database_option
@click.option("--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="How many targets it looks at at once.")
@click.argument("celery_options", nargs=-1, metavar="[-- CELERY OPTIONS]", type=click.UNPROCESSED)
def worker(*, config: Path | None, database: str | None, concurrency: int, celery_options: tuple[str, ...]) -> None:
    """Look at targets for a daemon that has an [engine].

    With the same configuration, here or on another machine.
    """
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415

    conf = load_with_rules(config, {"database": database})
    if conf.settings.engine is None:
        raise Refused('engine: expected engine = {broker = "redis://…"} in the configuration, found none; without it, the daemon looks')
    _check_options(celery_options)
    from watchdog.daemon.starting.garbage import collect_seldom  # noqa: PLC0415
    from watchdog.daemon.starting.lazy_imports import without  # noqa: PLC0415

    with without("rich", "greenlet"):
        import structlog  # noqa: F401, PLC0415 - before the modules that use it
    from watchdog.daemon.engine.celery_app import engine_app, forget_celery_of_others  # noqa: PLC0415
    from watchdog.daemon.engine.reasons import reason_of  # noqa: PLC0415
    from watchdog.daemon.engine.worker import run_worker  # noqa: PLC0415
    from watchdog.daemon.logs.log import configure_log  # noqa: PLC0415
    from watchdog.store import StoreError  # noqa: PLC0415

    configure_log(conf.settings.log_level, conf.settings.log_format)
    forget_celery_of_others()
    collect_seldom()
    app, broker = engine_app(conf.settings.engine), conf.settings.engine.broker
    try:
        with _opened(conf.loaded.database) as store, _looking(config, database, store) as look:
            run_worker(app, look, lambda error: reason_of(error, broker), concurrency, celery_options)
    except StoreError as error:
        raise Unusable(str(error)) from None


@contextmanager
def _looking(config: Path | None, database: str | None, store: "Store") -> "Iterator[Callable[[str, str, float], None]]":
    """What looks as long as the block lasts, and says of itself that it does."""
    from watchdog.cli.run.reading import looking_as_configured  # noqa: PLC0415
    from watchdog.daemon.engine.common_clock import CommonClock  # noqa: PLC0415
    from watchdog.daemon.engine.looker import Looker  # noqa: PLC0415
    from watchdog.daemon.engine.reporting import Reporting  # noqa: PLC0415
    from watchdog.daemon.self_monitor import SelfMonitor  # noqa: PLC0415

    clock, monitor = CommonClock(store, time.time, time.monotonic), SelfMonitor()
    looker = Looker(lambda: looking_as_configured(config, database, store, clock), monitor, store.in_force)
    try:
        with Reporting(store, monitor, lambda: looker.refuses, clock):
            yield looker.look
    finally:
        looker.close()


def _check_options(options: Sequence[str]) -> None:
    """Refuse those that cannot work here, and the pools of processes and of green threads."""
    for place, option in enumerate(options):
        name, _, value = option.partition("=")
        for (long, short), why in REFUSED.items():
            if name == long or (option.startswith(short) and not option.startswith("--")):
                raise Refused(f"{long if name == long else short}: {why}")
        if name == "--pool" or option.startswith("-P"):
            pool = value or option.removeprefix("-P").removeprefix("--pool") or next(iter(options[place + 1 :]), "")
            if pool not in POOLS:
                given = "--pool" if name == "--pool" else "-P"
                raise Refused(f"{given}: expected {' or '.join(POOLS)}, found another pool; for more processes, start more workers")


def _opened(place: "DatabasePlace") -> "Store":
    """The database, once it can be used: a worker may be started before its daemon, which makes the tables. `StoreError` if no waiting
    makes it usable.
    """
    import structlog  # noqa: PLC0415

    from watchdog.store import Store, StoreError  # noqa: PLC0415

    log, said = structlog.get_logger(), ""
    while True:
        try:
            return Store.beside_daemon(place)
        except StoreError as error:
            if not error.passes:
                raise
            if str(error) != said:
                log.warning("waiting_for_database", reason=str(error))
            said = str(error)
            time.sleep(WAIT_S)
