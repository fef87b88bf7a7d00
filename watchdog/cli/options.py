"""Options shared by several commands."""

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from watchdog.cli.completion import complete_targets

__all__ = [
    "CONFIG_HELP",
    "author_option",
    "config_option",
    "database_option",
    "duration",
    "format_option",
    "longer_than_nothing",
    "target_option",
    "targets_option",
    "verbose_option",
]

F = TypeVar("F", bound=Callable[..., Any])

CONFIG_HELP = "The configuration file; otherwise $WATCHDOG_CONFIG, ./watchdog.toml or /etc/watchdog/watchdog.toml."


def _or_before_the_command(ctx: click.Context, _: click.Parameter, given: Path | None) -> Path | None:
    """`watchdog --config FILE check` means the same as `watchdog check --config FILE`."""
    return given or ctx.find_root().params.get("config")


def config_option(command: F) -> F:
    """`--config FILE`, here or before the command."""
    return click.option("--config", metavar="FILE", type=click.Path(path_type=Path), callback=_or_before_the_command, help=CONFIG_HELP)(
        command
    )


def duration(_ctx: click.Context, _param: click.Parameter, given: str | None) -> float | None:
    """An option's callback that parses a duration into seconds."""
    from watchdog.core.text.durations import parse_duration  # noqa: PLC0415

    try:
        return None if given is None else parse_duration(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def longer_than_nothing(ctx: click.Context, param: click.Parameter, given: str | None) -> float | None:
    """The same for a duration that must not be 0."""
    seconds = duration(ctx, param, given)
    if seconds == 0:
        raise click.BadParameter(f'expected a duration longer than nothing, such as "10s", found "{given}"')
    return seconds


def author_option(command: F) -> F:
    """`--author NAME`; without it, whoever runs the command."""
    shown = "Who asks for it; otherwise your user name."
    return click.option("--author", metavar="NAME", callback=lambda _, __, given: (given or _user()).strip(), help=shown)(command)


def _user() -> str:
    """The person, also behind `sudo -u`."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without an entry, as in many containers
        return ""


def database_option(command: F) -> F:
    """`--database FILE`."""
    return click.option("--database", metavar="FILE", help="The database, instead of the configured one.")(command)


def target_option(command: F) -> F:
    """`--target NAME`, once."""
    return click.option("--target", metavar="NAME", shell_complete=complete_targets, help="Only this target.")(command)


def targets_option(command: F) -> F:
    """`--target NAME`, repeatable."""
    shown = "Only this target (repeatable)."
    return click.option("--target", "targets", metavar="NAME", multiple=True, shell_complete=complete_targets, help=shown)(command)


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, with the first format as default."""
    return click.option("--format", "style", type=click.Choice(formats), default=formats[0], show_default=True, help="The output format.")


def verbose_option(shown: str) -> Callable[[F], F]:
    """`-v`."""
    return click.option("-v", "--verbose", is_flag=True, help=shown)
