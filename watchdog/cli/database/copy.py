"""`watchdog database copy`: from a file of SQLite into PostgreSQL."""

from pathlib import Path

import click

from watchdog.cli.output.refusals import Refused

__all__ = ["copy"]


@click.command(
    epilog="""\b
Exit codes: 0 copied, 2 refused; then nothing was changed.

\b
Examples:
  sudo systemctl stop watchdog
  sudo /opt/watchdog/bin/watchdog database copy /var/lib/watchdog/watchdog.db 'postgresql://db/watchdog?user=watchdog'
  sudoedit /etc/watchdog/watchdog.toml   # database = that URL
  sudo systemctl start watchdog
"""
)
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("target", metavar="TO")
def copy(*, source: Path, target: str) -> None:
    """Copy a database file into an empty database of PostgreSQL.

    Stop watchdog first. Incidents stay open, and nobody is notified a second time. The file stays as it is. A password is better kept in
    the file that PGPASSFILE names than typed here.
    """
    from watchdog.config.masking import MASKING  # noqa: PLC0415
    from watchdog.core.model.servers.database_url import DatabaseUrl, is_database_url  # noqa: PLC0415
    from watchdog.core.text.secrets import secrets_in  # noqa: PLC0415
    from watchdog.store import StoreError  # noqa: PLC0415

    MASKING.learn(secrets_in({"database": target}))
    if is_database_url(str(source)):
        raise Refused("FROM: expected the path of a database file, found a URL; what is in PostgreSQL stays there")
    try:
        url = DatabaseUrl(target)
    except ValueError as error:
        raise Refused(f"TO: {error}") from None
    try:
        from watchdog.store.postgresql.copying import copy as copied  # noqa: PLC0415 - its library is optional

        rows = copied(source, url, "watchdog database copy")
    except StoreError as error:
        raise Refused(str(error)) from None
    click.echo(f"copied {source} into {url}")
    for name, count in rows.items():
        click.echo(f"{name}: {count}")
    click.echo("set `database` in watchdog.toml to that URL, and start watchdog again")
