"""Opens the database for a command.

In: the command's options, which may also stand before its name. Out: the open store; whatever fails in it is one sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.config.load import Loaded
    from watchdog.config.settings import Settings
    from watchdog.store import Store

__all__ = ["configured", "opened", "opened_with_settings", "options_or_before"]


@contextmanager
def opened(ctx: click.Context, config: Path | None, database: str | None, command: str, *, write: bool = False) -> Iterator["Store"]:
    """The database, read-only unless `write`; it is never created.

    `command`: as typed, for the hint in an error.
    """
    with opened_with_settings(ctx, config, database, command, write=write) as (store, _):
        yield store


@contextmanager
def opened_with_settings(
    ctx: click.Context, config: Path | None, database: str | None, command: str, *, write: bool = False
) -> Iterator[tuple["Store", "Settings"]]:
    """The same, with the settings, in which secrets may be missing."""
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    loaded = configured(ctx, config, database)
    try:
        with Store.open(loaded.database, create=False, write=write, command=command) as store:
            yield store, loaded.settings
    except StoreError as error:
        raise Refused(str(error)) from None


def configured(ctx: click.Context, config: Path | None, database: str | None) -> "Loaded":
    """The configuration that the options name. Neither its secrets nor its targets are needed."""
    from watchdog.cli.configuration import load  # noqa: PLC0415

    config, database = options_or_before(ctx, config, database)
    return load(config, {"database": database}, targets_required=False, credentials=False)


def options_or_before(ctx: click.Context, config: Path | None, database: str | None) -> tuple[Path | None, str | None]:
    """The options given here, or before the name of the command."""
    before = ctx.parent.params if ctx.parent else {}
    return config or before.get("config"), database or before.get("database")
