"""`watchdog rules replay`: rules tuned on what was recorded, without waiting for the next bad night."""

from pathlib import Path

import click

from watchdog.cli.check.command import CheckCommand
from watchdog.cli.completion import complete_rules
from watchdog.cli.options import config_option, database_option, format_option, longer_than_nothing, targets_option, verbose_option

__all__ = ["replay"]


@click.command(
    cls=CheckCommand,
    epilog="""\b
Exit codes:
  0  the rules would send what was sent
  1  they would send something else
  2  usage, configuration or rules are wrong
  3  nothing was recorded, or no rule could be replayed

\b
Examples:
  watchdog rules replay
  watchdog rules replay --since 7h --only QueueBacklogHigh --set QueueBacklogHigh.limit=500
  watchdog rules replay --only WorkerLost --set WorkerLost.for=5m
  watchdog rules replay --rules new-rules.toml --format json | jq .incidents
""",
)
@click.option(
    "--since", "since_s", metavar="DURATION", default="24h", show_default=True, callback=longer_than_nothing, help="How far to look back."
)
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="More rules (repeatable).")
@click.option("--only", metavar="RULE", multiple=True, shell_complete=complete_rules, help="Only this rule, or glob (repeatable).")
@click.option("--skip", metavar="RULE", multiple=True, shell_complete=complete_rules, help="Not this rule, or glob (repeatable).")
@click.option(
    "--set", "sets", metavar="RULE.PARAM=VALUE", multiple=True,
    help="A different value for this replay; also RULE.for, keep_firing_for, severity, window, enabled (repeatable).",
)  # fmt: skip
@targets_option
@format_option("text", "json")
@verbose_option("Show also incidents that are the same, and rules that could be judged only in part.")
@config_option
@database_option
@click.pass_context
def replay(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    since_s: float,
    rule_files: tuple[Path, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    sets: tuple[str, ...],
    targets: tuple[str, ...],
    style: str,
    verbose: bool,
    config: Path | None,
    database: str | None,
) -> None:
    """Run rules over what was recorded, beside what was sent.

    The rules are those of the configuration as it is now, with --rules, --only, --skip and --set. Nothing is asked and nothing is sent. The
    daemon keeps the rows of each look for `history_rows` (48h).
    """
    from watchdog.cli.check.asked import RuleChoice  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.cli.rules.replay.replaying import Asked, replayed  # noqa: PLC0415
    from watchdog.cli.rules.replay.shown import replay_document, replay_page  # noqa: PLC0415

    with StatusLine() as status:
        result = replayed(
            ctx, Asked(since_s, rule_files, RuleChoice(only, skip, sets, over_time=True), targets, config, database), status.say
        )
    if style == "json":
        show_json(replay_document(result))
    else:
        show(replay_page(result, verbose=verbose))
    ctx.exit(result.exit_code)
