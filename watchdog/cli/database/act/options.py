"""Options that all actions have, and the way from a command's arguments to the request."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from watchdog.cli.options import config_option, database_option, longer_than_nothing, target_option

__all__ = ["acting", "guarded_by"]

F = TypeVar("F", bound=Callable[..., Any])


def acting(command: F) -> F:
    """Add the options."""
    command = config_option(database_option(target_option(command)))
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document; needs --yes or --dry-run.")(command)
    command = click.option(
        "--timeout",
        "wait_s",
        metavar="DURATION",
        default="2s",
        show_default=True,
        callback=longer_than_nothing,
        help="How long workers have to answer.",
    )(command)
    command = click.option("--dry-run", is_flag=True, help="Only say what it would touch.")(command)
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def guarded_by(ctx: click.Context, kind: str, how: Mapping[str, Any], **arguments: Any) -> None:
    """Carry the action out, guarded by what the options say."""
    from watchdog.cli.database.act.performing import How, perform  # noqa: PLC0415

    ctx.exit(perform(ctx, kind, How(**how), arguments))
