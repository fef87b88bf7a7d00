"""`watchdog why`: why somebody was, or was not, notified, now or at an earlier time."""

import time
from pathlib import Path

import click

from watchdog.cli.completion import complete_receivers, complete_rules
from watchdog.cli.options import config_option, database_option, format_option, targets_option

__all__ = ["why"]


def _time(_ctx: click.Context, _param: click.Parameter, given: str | None) -> float | None:
    from watchdog.cli.database.why.times import parse_time  # noqa: PLC0415

    try:
        return None if given is None else parse_time(given, time.time())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    epilog="""\b
Examples:
  watchdog why QueueBacklogHigh indexing
  watchdog why WorkerLost name=celery@gpu-2 --at 03:10
  watchdog why BrokerUnreachable --at "2h ago" --receiver pager --format json
"""
)
@click.argument("rule", shell_complete=complete_rules)
@click.argument("key", required=False, default="")
@click.option(
    "--at", metavar="TIME", callback=_time, help='As it was then: 03:10 (the last), "2h" ago, or 2026-11-28T03:10. Polls nothing.'
)
@targets_option
@click.option(
    "--receiver", "receivers", metavar="NAME", multiple=True, shell_complete=complete_receivers, help="Only this receiver (repeatable)."
)
@click.option("--no-look", is_flag=True, help="Poll nothing: only what the database knows.")
@format_option("text", "json")
@config_option
@database_option
def why(  # noqa: PLR0913 - its options
    *,
    rule: str,
    key: str,
    at: float | None,
    targets: tuple[str, ...],
    receivers: tuple[str, ...],
    no_look: bool,
    style: str,
    config: Path | None,
    database: str | None,
) -> None:
    """Say why somebody was, or was not, notified.

    For each row of RULE: its verdict now and what decides it, the state of its incident, and for each receiver what it was notified
    of, what hides it and until when, and what would be said next. KEY is a value, such as indexing, or COLUMN=VALUE; without it, all that
    is not clear.
    """
    from watchdog.cli.configuration import load_as_far_as_readable  # noqa: PLC0415
    from watchdog.cli.database.why.answering import Asked, answer  # noqa: PLC0415
    from watchdog.cli.database.why.page import why_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.clock import clock_of  # noqa: PLC0415
    from watchdog.status.documents.why import why_document  # noqa: PLC0415

    conf, unread = load_as_far_as_readable(config, {"database": database})
    now = time.time()
    given = answer(conf, Asked(rule, key, at, targets, receivers, now, look=not no_look and at is None, unread=unread))
    if style == "json":
        show_json(why_document(given))
    else:
        show(why_page(given, clock_of(now)))
