"""`watchdog report`: what happened in the last hours, from the database, with or without a running daemon."""

import time
from pathlib import Path

import click

from watchdog.cli.options import config_option, database_option, format_option, longer_than_nothing, targets_option
from watchdog.cli.output.refusals import Refused

__all__ = ["report"]


@click.command(
    epilog="""\b
Examples:
  watchdog report
  watchdog report --last 7d --target prod
  watchdog report --format markdown > report.md
"""
)
@click.option("--last", metavar="DURATION", default="24h", show_default=True, callback=longer_than_nothing, help="How far back.")
@targets_option
@format_option("text", "markdown", "json")
@config_option
@database_option
def report(*, last: float, targets: tuple[str, ...], style: str, config: Path | None, database: str | None) -> None:
    """Report what happened in the last hours.

    Tasks with their failures, the slowest of them, queues that waited longest, incidents and who acted, rules that notified most, rules
    that notified nobody. Times that nobody watched are named.
    """
    from watchdog.cli.configuration import chosen_targets, load_with_rules  # noqa: PLC0415
    from watchdog.core.report.report import Span  # noqa: PLC0415
    from watchdog.status.reporting import report_of  # noqa: PLC0415
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    conf = load_with_rules(config, {"database": database}, credentials=False)
    now = time.time()
    names = chosen_targets(conf, targets) if targets else ()
    try:
        with Store.open(conf.loaded.database, create=False, command="watchdog report") as store:
            made = report_of(store, conf.settings, conf.book, Span(now - last, now), names=names)
    except StoreError as error:
        raise Refused(str(error)) from None
    if style == "json":
        from watchdog.cli.output.screen import show_json  # noqa: PLC0415
        from watchdog.core.report.document import report_document  # noqa: PLC0415

        show_json(report_document(made))
    elif style == "markdown":
        from watchdog.core.report.markdown import report_markdown  # noqa: PLC0415

        click.echo(report_markdown(made), nl=False)
    else:
        from watchdog.cli.output.screen import show  # noqa: PLC0415
        from watchdog.cli.status.report_page import report_page  # noqa: PLC0415

        show(report_page(made, str(conf.loaded.database)))
