"""`watchdog act log`: the audit log."""

import time
from pathlib import Path

import click

from watchdog.cli.database.opening import opened
from watchdog.cli.options import config_option, database_option, longer_than_nothing, target_option

__all__ = ["log"]


@click.command(
    epilog="""\b
Examples:
  watchdog act log
  watchdog act log --since 90d --target prod --json
"""
)
@click.option(
    "--since", "since_s", metavar="DURATION", default="30d", show_default=True, callback=longer_than_nothing, help="How far back."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
@target_option
@config_option
@database_option
@click.pass_context
def log(ctx: click.Context, *, since_s: float, as_json: bool, target: str | None, config: Path | None, database: str | None) -> None:
    """List who did what, when, and how it ended.

    An action that is still `begun` is under way, or watchdog was killed during it. What was refused is listed too.
    """
    from watchdog.cli.database.act.page import log_document, log_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415

    with opened(ctx, config, database, "watchdog act log") as store:
        records = [one for one in store.actions(time.time() - since_s) if target in (None, one.target)]
    if as_json:
        show_json(log_document(records))
    else:
        show(log_page(records))
