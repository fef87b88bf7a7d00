"""`watchdog query`: a SELECT on a live poll; unknown values are reported, never shown as zero."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, format_option, targets_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.cli.rules.query_answer import Answer

__all__ = ["query"]

MOST_ROWS = 10_000


@click.command(
    epilog="""\b
Exit codes:
  0  answered, possibly with gaps
  2  usage, configuration or the query is wrong
  3  a table that it reads could not be read

\b
Examples:
  watchdog query "SELECT name, length, consumers FROM queues ORDER BY length DESC"
  watchdog query --target prod --format csv "SELECT * FROM workers WHERE state <> 'online'"
"""
)
@click.argument("sql")
@click.option("--flower", metavar="URL", help="The Flower to check, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis broker to check, instead of the configured targets.")
@targets_option
@format_option("text", "json", "csv")
@config_option
@click.pass_context
def query(
    ctx: click.Context, *, sql: str, flower: str | None, redis: str | None, targets: tuple[str, ...], style: str, config: Path | None
) -> None:
    """Poll once, and run a SELECT on the result.

    `watchdog tables` shows what can be asked. With several targets, each row names its target.
    """
    from watchdog.app import build_checker  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_targets, load_with_rules, named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.cli.rules.query_answer import answered  # noqa: PLC0415
    from watchdog.core.sql.conditions import ConditionError, check_select  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    sql = sql.rstrip().removesuffix(";")  # people tend to type it
    conf = load_with_rules(config, {"flower": flower, "redis": redis})
    chosen = chosen_targets(conf, targets)
    warn_of_oddities(conf)
    checker = build_checker(conf, chosen, time.time, time.perf_counter)
    try:
        reads = check_select(TABLES, sql).reads  # before any source is asked
        answers = []
        with StatusLine() as status:
            for target in chosen:
                readings, evaluator = checker.readings(target, reads, status.say)
                answers.append(answered(target, TABLES, reads, readings, evaluator.query(sql, MOST_ROWS + 1)))
    except ConditionError as error:
        raise Refused(*(f"query: {fault.partition('; declare it')[0]}" for fault in error.faults)) from None  # only a rule could declare it
    finally:
        checker.close()
    _print(answers, style, named_config(conf.loaded))
    ctx.exit(3 if any(answer.unread for answer in answers) else 0)


def _print(answers: "list[Answer]", style: str, footer: str) -> None:
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.cli.rules.query_answer import csv_text, query_document, query_page  # noqa: PLC0415

    if style == "json":
        show_json(query_document(answers, MOST_ROWS))
    elif style == "csv":
        click.echo(csv_text(answers, MOST_ROWS), nl=False)
        for note in (note for answer in answers for note in answer.notes):
            click.echo(note, err=True)
    else:
        show(query_page(answers, footer, MOST_ROWS))
