"""`watchdog incidents`: the list of incidents, and one with its history; read from the database, with or without a running daemon."""

import time
from pathlib import Path

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_incidents
from watchdog.cli.database.opening import opened_with_settings
from watchdog.cli.options import config_option, database_option, format_option

__all__ = ["incidents"]


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog="""\b
Examples:
  watchdog incidents
  watchdog incidents --all --format json
  watchdog incidents show 01KAQ2
""",
)
@click.option("--all", "everything", is_flag=True, help="Also list ended incidents.")
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def incidents(ctx: click.Context, *, everything: bool, style: str, config: Path | None, database: str | None) -> None:
    """List open incidents; with --all, ended ones too."""
    if ctx.invoked_subcommand is not None:
        return
    from watchdog.cli.database.incidents_page import incidents_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.documents.incidents import incidents_document  # noqa: PLC0415
    from watchdog.status.quiet import reasons_of  # noqa: PLC0415

    with opened_with_settings(ctx, config, database, "watchdog incidents") as (store, settings):
        listed, watched = store.incidents(0.0 if everything else None), store.watched()
        known = store.acknowledged()
        quiet = reasons_of(listed, store, settings, time.time())
        path = str(store.path)
    if style == "json":
        show_json(incidents_document(listed, path, watched, quiet, known))
    else:
        show(incidents_page(listed, path, time.time(), watched, quiet, known))


@incidents.command(
    epilog="""\b
Examples:
  watchdog incidents show 01KAQ2
  watchdog incidents show 9f2c41d0a7b3e586 --format json
"""
)
@click.argument("named", metavar="ID", shell_complete=complete_incidents)
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def show(ctx: click.Context, *, named: str, style: str, config: Path | None, database: str | None) -> None:
    """Show one incident: its facts, its history, and who was notified.

    ID is an id, the beginning of one, or a fingerprint.
    """
    from watchdog.cli.database.incidents_page import incident_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show as show_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show_json  # noqa: PLC0415
    from watchdog.core.incidents.quiet.deploys import deploy_before  # noqa: PLC0415
    from watchdog.status.documents.incidents import incident_document  # noqa: PLC0415
    from watchdog.status.quiet import reasons_of  # noqa: PLC0415

    with opened_with_settings(ctx, config, database, f"watchdog incidents show {named}") as (store, settings):
        shown, path, watched = store.show(named), str(store.path), store.watched()
        reason = reasons_of(store.incidents(), store, settings, time.time()).get(shown.incident.id)
        after = deploy_before(shown.incident, store.deploys())
    if style == "json":
        show_json(incident_document(shown, path, watched, reason, after))
    else:
        show_page(incident_page(shown, path, time.time(), watched, reason, after))
