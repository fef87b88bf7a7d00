"""`watchdog query`: a SELECT on what a running daemon last saw, or on a live poll; unknown values are reported, never shown as zero."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, database_option, format_option, longer_than_nothing, targets_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.cli.rules.query_answer import Answer
    from watchdog.cli.rules.query_look import Answerable

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
  watchdog query --window 24h "SELECT name, succeeded, failed, runtime_p95 FROM tasks"
  watchdog query --target prod --format csv "SELECT * FROM workers WHERE state <> 'online'"
"""
)
@click.argument("sql")
@click.option("--flower", metavar="URL", help="The Flower to check, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis broker to check, instead of the configured targets.")
@click.option("--rabbitmq", metavar="URL", help="RabbitMQ's management API, where that is the broker, instead of --redis.")
@click.option("--live", is_flag=True, help="Look now instead of answering from a running daemon's last look.")
@click.option("--window", metavar="DURATION", callback=longer_than_nothing, help="Count over this window, from the daemon's history.")
@targets_option
@format_option("text", "json", "csv")
@config_option
@database_option
@click.pass_context
def query(  # noqa: PLR0913 - the options
    ctx: click.Context,
    *,
    sql: str,
    flower: str | None,
    redis: str | None,
    rabbitmq: str | None,
    live: bool,
    window: float | None,
    targets: tuple[str, ...],
    style: str,
    config: Path | None,
    database: str | None,
) -> None:
    """Run a SELECT on what watchdog sees.

    Beside a running daemon it answers from the daemon's last look, rates included; else, and with --live, it looks itself.
    `watchdog tables` shows what can be asked. With several targets, each row names its target.
    """
    from watchdog.cli.configuration import chosen_targets, load_with_rules, named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.cli.rules.query_look import answerable  # noqa: PLC0415
    from watchdog.core.sql.conditions import ConditionError, check_select  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    if window is not None and (live or flower or redis or rabbitmq):
        raise Refused("--window reads history: expected it without --live, --flower, --redis and --rabbitmq")
    sql = sql.rstrip().removesuffix(";")  # people tend to type it
    conf = load_with_rules(config, {"flower": flower, "redis": redis, "rabbitmq": rabbitmq, "database": database})
    chosen = chosen_targets(conf, targets)
    warn_of_oddities(conf)
    try:
        reads = check_select(TABLES, sql).reads  # before any source is asked
        seen = {} if live or flower or redis or rabbitmq else answerable(conf.loaded.database, chosen, reads, window)
        answers = _answers(conf, chosen, sql, reads, seen)
    except ConditionError as error:
        raise Refused(*(f"query: {fault.partition('; declare it')[0]}" for fault in error.faults)) from None  # only a rule could declare it
    _print(answers, style, named_config(conf.loaded))
    ctx.exit(3 if any(answer.unread for answer in answers) else 0)


def _answers(
    conf: "Configured", chosen: Sequence[str], sql: str, reads: Mapping[str, frozenset[str]], seen: "Mapping[str, Answerable]"
) -> "list[Answer]":
    """The answer of each target: from the daemon's look where there is one, the others by a poll."""
    from watchdog.app.polling import build_checker  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.cli.rules.query_answer import answered  # noqa: PLC0415
    from watchdog.core.judging.evaluator import Evaluator  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    checker = build_checker(conf, tuple(name for name in chosen if name not in seen) or tuple(chosen), time.time, time.perf_counter)
    answers = []
    try:
        with StatusLine() as status, ExitStack() as own:
            for target in chosen:
                if target in seen:
                    readings, evaluator = seen[target].readings, own.enter_context(closing(Evaluator(TABLES, stopwatch=time.perf_counter)))
                    evaluator.load(readings)
                else:
                    readings, evaluator = checker.readings(target, reads, status.say)
                seen_at = seen[target].seen_at if target in seen else None
                answers.append(answered(target, TABLES, reads, readings, evaluator.query(sql, MOST_ROWS + 1), seen_at))
    finally:
        checker.close()
    return answers


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
        show(query_page(answers, footer, MOST_ROWS, time.time()))
