"""`watchdog` alone: the overview, on a terminal and with a configuration; else the help, as ever."""

import os
import sys
from pathlib import Path

import click

__all__ = ["overview_or_help"]

PANELS = ("overview", "incidents")
MORE = "watchdog status shows all of it, watchdog status --watch keeps it up to date, watchdog --help lists the commands"


def overview_or_help(ctx: click.Context, config: Path | None) -> None:
    """Show the overview if somebody looks and there is something to look at."""
    if sys.stdout.isatty() and _configured(config):
        from watchdog.cli.status.command import show_once  # noqa: PLC0415
        from watchdog.cli.status.gathering import Gathering  # noqa: PLC0415

        gathering = Gathering(config, None, (), {}, live=False)
        try:
            show_once(gathering, PANELS, more=MORE)
        finally:
            gathering.close()
    elif config is None:
        raise click.exceptions.NoArgsIsHelpError(ctx)
    else:
        ctx.fail("Missing command.")


def _configured(config: Path | None) -> bool:
    """Whether a file is named, or is where one is looked for. What is wrong with it is said when it is read."""
    if config is not None or "WATCHDOG_CONFIG" in os.environ:
        return True
    from watchdog.config.file import find_file  # noqa: PLC0415

    return find_file(None, os.environ, Path.cwd()) is not None
