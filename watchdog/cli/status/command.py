"""`watchdog status`: the cluster at a glance, from the daemon's last look and its history; without a daemon, from a look of its own."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, database_option, longer_than_nothing, targets_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.cli.output.page import Page
    from watchdog.cli.status.gathering import Gathering

__all__ = ["show_once", "status"]

PANEL_NAMES = ("overview", "incidents", "workers", "tasks", "queues", "metrics", "trend", "errors")


@click.command(
    epilog="""\b
Examples:
  watchdog status
  watchdog status --watch --target prod
  watchdog status --panel queues --panel trend
  watchdog status --json
"""
)
@click.option("--panel", "panels", type=click.Choice(PANEL_NAMES), multiple=True, help="Only this panel, with every row (repeatable).")
@targets_option
@click.option("--watch", is_flag=True, help="Update in place until Ctrl-C.")
@click.option("--every", metavar="DURATION", default="2s", show_default=True, callback=longer_than_nothing, help="How often, with --watch.")
@click.option("--live", is_flag=True, help="Look now instead of showing the daemon's last look.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
@click.option("--flower", metavar="URL", help="The Flower to look at, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis broker to look at, instead of the configured targets.")
@click.option("--rabbitmq", metavar="URL", help="RabbitMQ's management API, where that is the broker, instead of --redis.")
@config_option
@database_option
def status(  # noqa: PLR0913 - the options
    *,
    panels: tuple[str, ...],
    targets: tuple[str, ...],
    watch: bool,
    every: float,
    live: bool,
    as_json: bool,
    flower: str | None,
    redis: str | None,
    rabbitmq: str | None,
    config: Path | None,
    database: str | None,
) -> None:
    """Show the cluster at a glance: workers, queues, incidents.

    Also tasks in execution, and figures, trend and errors of 24 hours.

    Shows what a running daemon last saw, and how long ago; without a daemon, looks itself. A `?` is a value that nobody could read.
    """
    from watchdog.cli.status.gathering import Gathering  # noqa: PLC0415

    if watch and (as_json or not sys.stdout.isatty()):
        raise Refused("--watch updates a terminal in place; for a pipe or --json, call `watchdog status` again and again")
    gathering = Gathering(config, database, targets, {"flower": flower, "redis": redis, "rabbitmq": rabbitmq}, live=live)
    try:
        if watch:
            from watchdog.cli.status.watch import update_in_place  # noqa: PLC0415

            update_in_place(lambda: _page(gathering, panels), every)
        elif as_json:
            _print_json(gathering)
        else:
            show_once(gathering, panels)
    finally:
        gathering.close()


def show_once(gathering: "Gathering", panels: tuple[str, ...], more: str = "") -> None:
    """Print these panels once. `more`: the last line, where it is not where all of this comes from."""
    from watchdog.cli.output.screen import show  # noqa: PLC0415

    show(_page(gathering, panels, more))


def _page(gathering: "Gathering", panels: tuple[str, ...], more: str = "") -> "Page":
    from watchdog.cli.status.page import status_page  # noqa: PLC0415

    targets = gathering.gather()
    return status_page(targets, panels, more or gathering.place)


def _print_json(gathering: "Gathering") -> None:
    from watchdog.cli.output.screen import show_json  # noqa: PLC0415
    from watchdog.status.documents.status import status_document  # noqa: PLC0415

    show_json(status_document(gathering.gather()))
