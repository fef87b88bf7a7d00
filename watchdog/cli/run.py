"""`watchdog run`: starts the daemon and runs it until it is stopped."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, database_option
from watchdog.cli.output.refusals import Refused, Unusable

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.app.serving import Serving
    from watchdog.daemon.daemon import Build
    from watchdog.daemon.self_monitor import SelfMonitor
    from watchdog.receivers.pace import Pace
    from watchdog.store import Store

__all__ = ["run"]


@click.command(
    epilog="""\b
Signals:
  SIGHUP   read the configuration again; one with a fault changes nothing
  SIGTERM  finish the delivery in hand, then end

\b
Exit codes: 0 ended, 1 the database cannot be used, 2 usage, configuration or rules are wrong.

\b
Examples:
  watchdog run
  watchdog run --config /etc/watchdog/watchdog.toml
"""
)
@config_option
@database_option
def run(*, config: Path | None, database: str | None) -> None:
    """Watch the targets and notify the receivers, until stopped."""
    from watchdog.daemon.lazy_imports import without_rich  # noqa: PLC0415

    with without_rich():
        import structlog  # noqa: F401, PLC0415 - before the modules that use it
    from watchdog.app.serving import Serving  # noqa: PLC0415
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.daemon.daemon import Daemon, RejectedError  # noqa: PLC0415
    from watchdog.daemon.logs.log import configure_log  # noqa: PLC0415
    from watchdog.daemon.self_monitor import SelfMonitor  # noqa: PLC0415
    from watchdog.receivers.pace import Pace  # noqa: PLC0415
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    conf = load_with_rules(config, {"database": database}, sends=True)
    configure_log(conf.settings.log_level, conf.settings.log_format)  # who stands by has something to say already
    _make_default_folder(conf)
    try:
        with Store.open(conf.loaded.database) as store, Serving() as serving:
            self_monitor = SelfMonitor()
            build = builder(config, database, store, self_monitor, Pace(time.monotonic), serving)
            Daemon(build, store, self_monitor, environ=os.environ, clock=time.time, stopwatch=time.monotonic).run()
    except StoreError as error:
        raise Unusable(str(error)) from None
    except RejectedError as error:
        raise Refused(str(error)) from None


def builder(
    config: Path | None, database: str | None, store: "Store", self_monitor: "SelfMonitor", pace: "Pace", serving: "Serving"
) -> "Build":
    """The function with which the daemon builds a configuration, at its start and at each reload: it reads the files again."""
    import structlog  # noqa: PLC0415
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.app.watching import build_watching  # noqa: PLC0415
    from watchdog.cli.configuration import load_with_rules, oddities, untold  # noqa: PLC0415
    from watchdog.daemon.daemon import Built, RejectedError  # noqa: PLC0415
    from watchdog.daemon.logs.log import configure_log  # noqa: PLC0415

    log = structlog.get_logger()

    def build() -> Built:
        try:
            conf = load_with_rules(config, {"database": database}, sends=True)
        except Refused as refused:
            raise RejectedError(refused.message) from None
        if conf.loaded.database != store.path:
            raise RejectedError(f"database: {conf.loaded.database} instead of {store.path}; another database needs a restart")
        configure_log(conf.settings.log_level, conf.settings.log_format)
        built = build_watching(conf, store, self_monitor, pace, time.time, time.monotonic)
        log.info("configuration_read", file=str(conf.loaded.file or "none"), database=str(store.path))
        for warning in (*oddities(conf), *untold(conf)):
            log.warning("configuration_warning", what=warning)
        return replace(built, serve=serving.prepare(conf, built, store))

    return build


def _make_default_folder(conf: "Configured") -> None:
    """Create the user's own state directory if it is the default; a folder named in the configuration is not created."""
    place = conf.loaded.database
    if conf.settings.database is None and isinstance(place, Path) and not place.parent.exists():
        try:
            place.parent.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise Unusable(f"database {conf.loaded.database}: its directory cannot be made: {error.strerror}") from None
