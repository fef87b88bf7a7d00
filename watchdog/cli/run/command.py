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
    from watchdog.daemon.starting.begun_anew import Left
    from watchdog.store import Store

__all__ = ["run"]


@click.command(
    epilog="""\b
Signals:
  SIGHUP   read the configuration again; one with a fault changes nothing
  SIGTERM  finish the delivery in hand, then end

\b
Exit codes: 0 ended, 1 the database cannot be used or another daemon took over, 2 usage, configuration or rules are wrong.

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
    from watchdog.daemon.starting.lazy_imports import without  # noqa: PLC0415

    with without("rich", "greenlet"):
        import structlog  # noqa: PLC0415 - before the modules that use it
    from watchdog.app.serving import Serving  # noqa: PLC0415
    from watchdog.cli.run.reading import read_configuration  # noqa: PLC0415
    from watchdog.config.masking import MASKING  # noqa: PLC0415
    from watchdog.core.text.secrets import secrets_in  # noqa: PLC0415
    from watchdog.daemon.logs.log import configure_log  # noqa: PLC0415
    from watchdog.daemon.rejected import MovedError, RejectedError  # noqa: PLC0415
    from watchdog.daemon.sd_notify import Notifier  # noqa: PLC0415
    from watchdog.daemon.starting.begun_anew import begin_anew, left_before  # noqa: PLC0415
    from watchdog.daemon.starting.garbage import collect_seldom  # noqa: PLC0415
    from watchdog.daemon.starting.standing_by import StandingBy  # noqa: PLC0415
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    left = left_before(os.environ)
    needs = left or _checked(config, database)
    MASKING.learn(secrets_in({"database": needs.database}))
    configure_log(needs.log_level, needs.log_format)

    def prepare() -> None:
        if left is None:
            begin_anew(needs)
        collect_seldom()
        serving.stand_by(needs, standing_by, store, lambda: read_configuration(config, database))

    standing_by = StandingBy(Notifier(os.environ), prepare)
    try:
        with without("numpy", "pandas"):  # of sqlite-utils, which makes the database
            opened = Store.open(needs.place)
        with opened as store, Serving() as serving, store.lease(standing_by.wait):
            standing_by.took_over()
            _work(config, database, store, serving)
    except StoreError as error:
        if not (standing_by.seen and standing_by.asked_to_end):
            raise Unusable(str(error)) from None
        structlog.get_logger().info("watchdog_ended")
    except MovedError as error:  # while it stood by: what supervises it is to start it again
        raise Unusable(str(error)) from None
    except RejectedError as error:
        raise Refused(str(error)) from None


def _checked(config: Path | None, database: str | None) -> "Left":
    """What is needed to stand by, of a configuration and rules that were read and found right; nothing else of them is kept."""
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.daemon.starting.begun_anew import Left  # noqa: PLC0415

    conf = load_with_rules(config, {"database": database}, sends=True)
    _make_default_folder(conf)
    settings, http = conf.settings, conf.settings.http
    place = conf.loaded.database
    left = Left(str(place) if isinstance(place, Path) else place.reveal(), settings.log_level, settings.log_format)
    return (
        left
        if http is None
        else replace(left, listen=http.listen, address=http.address, prefix=http.prefix, authenticates=http.authenticates)
    )


def _work(config: Path | None, database: str | None, store: "Store", serving: "Serving") -> None:
    """Run the daemon, which has the lease of the store."""
    from watchdog.cli.run.reading import builder  # noqa: PLC0415
    from watchdog.daemon.daemon import Daemon  # noqa: PLC0415
    from watchdog.daemon.self_monitor import SelfMonitor  # noqa: PLC0415
    from watchdog.daemon.starting.garbage import collect_seldom  # noqa: PLC0415
    from watchdog.receivers.pace import Pace  # noqa: PLC0415

    self_monitor = SelfMonitor()
    build = builder(config, database, store, self_monitor, Pace(time.monotonic), serving)
    collect_seldom()
    Daemon(build, store, self_monitor, environ=os.environ, clock=time.time, stopwatch=time.monotonic).run()


def _make_default_folder(conf: "Configured") -> None:
    """Create the user's own state directory if it is the default; a folder named in the configuration is not created."""
    place = conf.loaded.database
    if conf.settings.database is None and isinstance(place, Path) and not place.parent.exists():
        try:
            place.parent.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise Unusable(f"database {conf.loaded.database}: its directory cannot be made: {error.strerror}") from None
