"""`watchdog database`: maintenance of the database, while no daemon uses it."""

from pathlib import Path

import click

from watchdog.cli.commands import Commands
from watchdog.cli.options import config_option, database_option
from watchdog.cli.output.refusals import Refused

__all__ = ["database"]


@click.group(
    cls=Commands,
    registry={"copy": "watchdog.cli.database.copy:copy"},
    epilog="""\b
Examples:
  sudo watchdog database rescue --config /etc/watchdog/watchdog.toml
  watchdog database copy /var/lib/watchdog/watchdog.db postgresql://watchdog@db/watchdog
""",
)
def database() -> None:
    """Maintain the database, or move it."""


@database.command(
    epilog="""\b
Examples:
  sudo systemctl stop watchdog
  sudo watchdog database rescue --config /etc/watchdog/watchdog.toml
  sudo systemctl start watchdog
"""
)
@config_option
@database_option
def rescue(*, config: Path | None, database: str | None) -> None:
    """Make a new database from what can be read of a damaged one.

    Stop watchdog first. Open incidents stay open, and nobody is notified a second time. The damaged file is kept beside the new one.
    """
    from watchdog.cli.configuration import load  # noqa: PLC0415
    from watchdog.store import StoreError  # noqa: PLC0415
    from watchdog.store.sqlite.repair.rescue import rescue as rescue_file  # noqa: PLC0415

    path = load(config, {"database": database}, targets_required=False, credentials=False).database
    if not isinstance(path, Path):
        raise Refused(f"database {path}: only a file of SQLite is rescued; of PostgreSQL restore a backup")
    try:
        rescued = rescue_file(path, "watchdog database rescue")
    except StoreError as error:
        raise Refused(str(error)) from None
    if rescued is None:
        click.echo(f"database {path} is not damaged; nothing was changed")
        return
    click.echo(f"database {path} was rebuilt; the damaged one is kept as {rescued.damaged}")
    click.echo(f"incidents that are open: {rescued.open_incidents}")
    for name, (kept, lost, whole) in rescued.tables.items():
        damaged = "" if whole else ", damaged"
        click.echo(f"{name}: kept {kept}{damaged}{f', known to be lost {lost}' if lost else ''}")
    click.echo("start watchdog again")
