"""Reads the configuration once more, as a daemon does at a reload and a worker when its daemon has."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.app.serving import Serving
    from watchdog.daemon.daemon import Build
    from watchdog.daemon.engine.looker import Looking
    from watchdog.daemon.self_monitor import SelfMonitor
    from watchdog.receivers.pace import Pace
    from watchdog.store import Store
    from watchdog.store.sql import DatabasePlace

__all__ = ["builder", "looking_as_configured", "read_configuration"]


def builder(
    config: Path | None, database: str | None, store: "Store", self_monitor: "SelfMonitor", pace: "Pace", serving: "Serving"
) -> "Build":
    """The function with which the daemon builds a configuration, at its start and at each reload: it reads the files again."""
    import structlog  # noqa: PLC0415
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.app.watching import build_watching  # noqa: PLC0415
    from watchdog.cli.configuration import oddities, untold  # noqa: PLC0415
    from watchdog.daemon.daemon import Built  # noqa: PLC0415
    from watchdog.daemon.logs.log import configure_log  # noqa: PLC0415
    from watchdog.daemon.rejected import MovedError  # noqa: PLC0415

    log = structlog.get_logger()

    def build() -> Built:
        conf = read_configuration(config, database)
        if conf.loaded.database != store.path:
            raise MovedError(_moved(conf.loaded.database, store.path))
        configure_log(conf.settings.log_level, conf.settings.log_format)
        built = build_watching(conf, store, self_monitor, pace, time.time, time.monotonic)
        log.info("configuration_read", file=str(conf.loaded.file or "none"), database=str(store.path))
        for warning in (*oddities(conf), *untold(conf)):
            log.warning("configuration_warning", what=warning)
        return replace(built, serve=serving.prepare(conf, built, store))

    return build


def _moved(now: "DatabasePlace", used: "DatabasePlace") -> str:
    if str(now) == str(used):
        return f"database: {now} has another login or other options than when watchdog started; that needs a restart"
    return f"database: {now} instead of {used}; another database needs a restart"


def read_configuration(config: Path | None, database: str | None) -> "Configured":
    """The configuration and its rules as they are now; `RejectedError` if they cannot be used."""
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.daemon.rejected import RejectedError  # noqa: PLC0415

    try:
        return load_with_rules(config, {"database": database}, sends=True)
    except Refused as refused:
        raise RejectedError(refused.message) from None


def looking_as_configured(config: Path | None, database: str | None, store: "Store", clock: "Callable[[], float]") -> "Looking":
    """Read the configuration, and build what looks by it."""
    from watchdog.app.looking import build_looking  # noqa: PLC0415
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.daemon.engine.looker import UnreadableError  # noqa: PLC0415
    from watchdog.daemon.logs.log import configure_log  # noqa: PLC0415

    try:
        conf = load_with_rules(config, {"database": database})
    except Refused as refused:
        raise UnreadableError(refused.message) from None
    configure_log(conf.settings.log_level, conf.settings.log_format)
    return build_looking(conf, store, clock, time.monotonic)
