"""`watchdog rules trial`: what rules and targets on trial would have sent, from the database."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.database.opening import opened
from watchdog.cli.options import config_option, database_option, format_option, longer_than_nothing

if TYPE_CHECKING:
    from watchdog.app.configured import Configured

__all__ = ["trial"]


@click.command(
    epilog="""\b
Examples:
  watchdog rules trial
  watchdog rules trial --since 7d
  watchdog rules trial --format json
"""
)
@click.option(
    "--since", "since_s", metavar="DURATION", default="24h", show_default=True, callback=longer_than_nothing, help="How far to look back."
)
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def trial(ctx: click.Context, *, since_s: float, style: str, config: Path | None, database: str | None) -> None:
    """Show what is on trial, and what it would have sent.

    A rule, a target or an override with trial = true is judged and its incidents are kept, but nobody is notified of them.
    """
    from watchdog.cli.configuration import load_with_rules, warn_of_oddities  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.cli.rules.trial_page import Tried, trial_document, trial_page, would_have_told  # noqa: PLC0415

    with opened(ctx, config, database, "watchdog rules trial") as store:
        now = time.time()
        told = would_have_told(store.incidents(now - since_s), now - since_s)
        path = str(store.path)
    conf = load_with_rules(config, {"database": database}, targets_required=False, credentials=False)
    warn_of_oddities(conf)
    tried = Tried(told, _rules_on_trial(conf), tuple(target.name for target in conf.settings.target if target.trial), since_s)
    if style == "json":
        show_json(trial_document(tried, path, now))
    else:
        show(trial_page(tried, path, now))


def _rules_on_trial(conf: "Configured") -> tuple[str, ...]:
    """The rules that are on trial somewhere: everywhere, on one target, or for some keys."""
    from watchdog.config.rulebook import rules_for  # noqa: PLC0415
    from watchdog.core.model.target import SELF  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    names = [target.name for target in conf.settings.target] or ["*"]
    tuned = (one for name in (*names, SELF) for one in rules_for(conf.book, name, TABLES))
    somewhere = {one.rule.name for one in tuned if any(copy.trial for copy in one.copies)}
    return tuple(rule.name for rule in conf.book.rules if rule.name in somewhere)
