"""`watchdog silence`: do not be notified of some incidents for a while; with or without a running daemon, which obeys at its next cycle."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_silences
from watchdog.cli.database.opening import opened, opened_with_settings, options_or_before
from watchdog.cli.options import author_option, config_option, database_option, duration, format_option, longer_than_nothing
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.core.incidents.quiet.silences import Silence

__all__ = ["silence"]


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog="""\b
Examples:
  watchdog silence add rule=WorkerLost 'name=~"celery@gpu-.*"' --for 2h --comment "new GPUs"
  watchdog silence
  watchdog silence expire 01KAQ2
""",
)
@config_option
@database_option
@click.pass_context
def silence(ctx: click.Context, *, config: Path | None, database: str | None) -> None:
    """Silence incidents for a while. Without a command: the same as `list`."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(listed, everything=False, style="text", config=config, database=database)


@silence.command(
    epilog="""\b
Examples:
  watchdog silence add rule=WorkerLost --for 2h --comment "hosts are moved"
  watchdog silence add 'name=~"celery@gpu-.*", severity!=critical' --for 30m
  watchdog silence add target=staging --for 12h --in 1h
"""
)
@click.argument("matchers", metavar="MATCHER...", nargs=-1, required=True)
@click.option("--for", "lasts_s", metavar="DURATION", required=True, callback=longer_than_nothing, help="How long, as in 2h or 1d12h.")
@click.option("--in", "later_s", metavar="DURATION", default="0s", show_default=True, callback=duration, help="When it begins.")
@click.option("--comment", default="", metavar="TEXT", help="Why; shown wherever the silence is.")
@author_option
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def add(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    matchers: tuple[str, ...],
    lasts_s: float,
    later_s: float,
    comment: str,
    author: str,
    style: str,
    config: Path | None,
    database: str | None,
) -> None:
    """Silence what all MATCHERs select, and show what that is now.

    A matcher is LABEL=VALUE, !=, or =~ and !~ with a regular expression for the whole value; several may be joined by commas. Labels are
    rule, target, severity, the key columns of the incident (often name), and the labels of its rule.

    The end of an incident is still sent to those who were notified of its beginning. What still fires when the silence ends is sent
    then.
    """
    from watchdog.cli.database.silence_page import added_page, unknown_names  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.documents.silences import silence_document  # noqa: PLC0415

    now = time.time()
    new = _new(", ".join(matchers), now + later_s, lasts_s, comment, author)
    with opened_with_settings(ctx, config, database, "watchdog silence add", write=True) as (store, settings):
        store.add_silence(new)
        incidents = store.incidents()
    if style == "json":
        show_json(silence_document(new, incidents, now))
    else:
        targets = tuple(target.name for target in settings.target)
        show(added_page(new, incidents, now, unknown_names(new, _rule_names(ctx, config, database), targets)))


@silence.command(
    "list",
    epilog="""\b
Examples:
  watchdog silence list
  watchdog silence list --all --format json
""",
)
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def listed(ctx: click.Context, *, everything: bool, style: str, config: Path | None, database: str | None) -> None:
    """List silences that apply or will apply, with what each hides now."""
    from watchdog.cli.database.silence_page import silences_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.documents.silences import silences_document  # noqa: PLC0415

    now = time.time()
    with opened(ctx, config, database, "watchdog silence list") as store:
        silences = [one for one in store.silences() if everything or one.ends_at > now]
        incidents = store.incidents()
    if style == "json":
        show_json(silences_document(silences, incidents, now))
    else:
        show(silences_page(silences, incidents, now))


@silence.command(
    epilog="""\b
Examples:
  watchdog silence expire 01KAQ2
"""
)
@click.argument("named", metavar="ID", shell_complete=complete_silences)
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def expire(ctx: click.Context, *, named: str, style: str, config: Path | None, database: str | None) -> None:
    """End a silence now. ID is an id, or the beginning of one."""
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.cli.database.silence_page import expired_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.documents.silences import silence_document  # noqa: PLC0415

    now = time.time()
    with opened(ctx, config, database, f"watchdog silence expire {named}", write=True) as store:
        ended, incidents = store.expire_silence(named, now), store.incidents()
    if style == "json":
        show_json(silence_document(replace(ended, ends_at=now), incidents, now))
    else:
        show(expired_page(ended, incidents))


def _rule_names(ctx: click.Context, config: Path | None, database: str | None) -> tuple[str, ...]:
    """The rules of the configuration; none if they cannot be read, which must not keep anybody from a silence."""
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415

    config, database = options_or_before(ctx, config, database)
    try:
        conf = load_with_rules(config, {"database": database}, targets_required=False, credentials=False)
    except Refused:
        return ()
    return tuple(rule.name for rule in conf.book.rules)


def _new(text: str, starts_at: float, lasts_s: float, comment: str, author: str) -> "Silence":
    """The silence as asked for. Refused if its matchers are wrong, or would silence everything."""
    from watchdog.core.incidents.quiet.silences import new_silence  # noqa: PLC0415

    try:
        return new_silence(text, starts_at, lasts_s, comment, author)
    except ValueError as error:
        raise Refused(str(error)) from None
