"""`watchdog check`: one poll, judged by the rules; or repeated polls, until all is good or until interrupted."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.check.command import CheckCommand
from watchdog.cli.completion import complete_rules
from watchdog.cli.options import config_option, duration, format_option, longer_than_nothing, targets_option, verbose_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.cli.check.asked import RuleChoice
    from watchdog.cli.check.shown import Shown
    from watchdog.core.judging.check_result import CheckResult
    from watchdog.core.judging.expectations import Expectation
    from watchdog.core.model.severity import Severity
    from watchdog.polling.check import Checker

__all__ = ["check"]

SEVERITIES = ("info", "warning", "error", "critical")
ONE_ANSWER = ("junit", "github", "nagios")
"""Formats that are a single document or answer: with them there is one poll."""
WAIT_INTERVAL = "2s"
TIMEOUT_S, PLUGIN_TIMEOUT_S = 30.0, 8.0
"""The time limit of one poll; NRPE gives up on a plugin after 10 s, Nagios after 60 s."""


@click.command(
    cls=CheckCommand,
    epilog="""\b
Exit codes:
  0  fine
  1  something at or above --fail-on fires, or an --expect is false
  2  usage, configuration or rules are wrong
  3  otherwise, if something could not be checked
Every format gives the reason.
With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

\b
Examples:
  watchdog check --once --flower http://localhost:5555 --redis redis://localhost:6379/0
  watchdog check --once --fail-on critical --format json | jq .firing
  watchdog check --wait 5m --stable 30s --expect "cluster: workers_online >= 3"
  watchdog check --once --skip "Task*" --set QueueBacklogHigh.limit=500
  watchdog check --format nagios --timeout 20s
""",
)
@click.option("--once", is_flag=True, help="Check once; otherwise repeat until Ctrl-C.")
@click.option("--wait", metavar="DURATION", callback=duration, help="Repeat until all is good (exit code 0), for at most this long.")
@click.option("--stable", metavar="DURATION", callback=duration, help="Then continue until all has been good for this long.")
@click.option(
    "--timeout", metavar="DURATION", callback=longer_than_nothing,
    help="How long one check may take, for all targets together; what has not answered by then is unknown.  "
    "[default: 30s; with --format nagios 8s]",
)  # fmt: skip
@click.option("--flower", metavar="URL", help="The Flower to check, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis broker to check, instead of the configured targets.")
@click.option("--rabbitmq", metavar="URL", help="RabbitMQ's management API, where that is the broker, instead of --redis.")
@config_option
@targets_option
@click.option(
    "--expect", metavar="EXPECTATION", multiple=True,
    help='What must also be true: "TABLE: CONDITION", for all rows and at least one; or a SELECT, in its first column (repeatable).',
)  # fmt: skip
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="More rules (repeatable).")
@click.option("--only", metavar="RULE", multiple=True, shell_complete=complete_rules, help="Only this rule, or glob (repeatable).")
@click.option("--skip", metavar="RULE", multiple=True, shell_complete=complete_rules, help="Not this rule, or glob (repeatable).")
@click.option(
    "--set", "sets", metavar="RULE.PARAM=VALUE", multiple=True, help="A different value for this check; also RULE.severity, RULE.window."
)
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="warning", show_default=True, help="The lowest severity that counts as a failure."
)
@format_option("text", "json", *ONE_ANSWER)
@click.option("--interval", metavar="DURATION", help="The time between two checks, such as 30s; 2s with --wait.")
@verbose_option("Show sources and idle rules too.")
@click.pass_context
def check(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    once: bool,
    wait: float | None,
    stable: float | None,
    timeout: float | None,
    flower: str | None,
    redis: str | None,
    rabbitmq: str | None,
    config: Path | None,
    targets: tuple[str, ...],
    expect: tuple[str, ...],
    rule_files: tuple[Path, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    sets: tuple[str, ...],
    fail_on: str,
    style: str,
    interval: str | None,
    verbose: bool,
) -> None:
    """Check the cluster and report what is wrong.

    Sends nothing and opens no database. A single check does not wait: a rule's `for` counts as fulfilled.
    """
    from watchdog.app.polling import build_checker  # noqa: PLC0415
    from watchdog.cli.check.asked import RuleChoice, refuse_silence  # noqa: PLC0415
    from watchdog.cli.check.shown import Shown  # noqa: PLC0415
    from watchdog.cli.configuration import named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.core.model.severity import Severity  # noqa: PLC0415

    waits = wait is not None or stable is not None
    choice = RuleChoice(only, skip, sets)
    flags = {
        "flower": flower,
        "redis": redis,
        "rabbitmq": rabbitmq,
        "interval": (WAIT_INTERVAL if waits else None) if interval is None else interval,
    }
    conf, chosen, expectations = _asked(config, flags, rule_files, choice, expect, targets)
    if not expectations:
        refuse_silence(conf, chosen, choice)
    warn_of_oddities(conf)
    timeout_s = timeout or (PLUGIN_TIMEOUT_S if style == "nagios" else TIMEOUT_S)
    checker = build_checker(conf, chosen, time.time, time.perf_counter, expectations, timeout_s)
    shown = Shown(style, named_config(conf.loaded), verbose=verbose)
    severity, interval_s = Severity(fail_on), conf.settings.interval
    try:
        if waits:
            code = shown.show(_waited(checker, severity, (wait or 0.0, stable or 0.0), interval_s))
        elif once or style in ONE_ANSWER:
            code = _look(checker, severity, shown)
        else:
            code = _look_on(checker, severity, shown, interval_s)
    finally:
        checker.close()
    ctx.exit(code)


def _asked(
    config: Path | None,
    flags: dict[str, str | None],
    rule_files: tuple[Path, ...],
    choice: "RuleChoice",
    expect: tuple[str, ...],
    targets: tuple[str, ...],
) -> "tuple[Configured, tuple[str, ...], tuple[Expectation, ...]]":
    """The configuration for this run, the targets to poll, and the expectations. Refused with everything that is wrong with any of them."""
    from watchdog.cli.check.asked import chosen_rules, never_answered, read_expectations  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_targets, load_with_rules  # noqa: PLC0415

    expectations, faults = read_expectations(expect)
    try:
        conf = load_with_rules(config, flags, more_rules=rule_files, also=never_answered(expectations, targets))
    except Refused as refusal:
        raise Refused(*refusal.faults, *faults) from None
    conf, more = chosen_rules(conf, choice)
    chosen: tuple[str, ...] = ()
    try:
        chosen = chosen_targets(conf, targets)
    except Refused as refusal:
        more = (*refusal.faults, *more)
    if faults or more:
        raise Refused(*more, *faults)
    return conf, chosen, expectations


def _look(checker: "Checker", fail_on: "Severity", shown: "Shown") -> int:
    """One poll. Returns its exit code."""
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415

    with StatusLine() as status:
        result = checker.check(fail_on, status.say)
    return shown.show(result)


def _waited(checker: "Checker", fail_on: "Severity", wait_and_stable_s: tuple[float, float], interval_s: float) -> "CheckResult":
    """The poll that ended the wait."""
    from watchdog.cli.check.wait import Patience, WaitProgress, look_until_good  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415

    with StatusLine() as status:
        patience = Patience(*wait_and_stable_s, time.monotonic())
        progress_shown = WaitProgress(status, terminal=sys.stderr.isatty())
        progress = iter([status.say])  # for the first poll only: after that there is something better to show

        def look() -> "CheckResult":
            return checker.check(fail_on, next(progress, lambda _: None))

        return look_until_good(look, patience, interval_s, progress_shown, time.monotonic, time.sleep)


def _look_on(checker: "Checker", fail_on: "Severity", shown: "Shown", interval_s: float) -> int:
    """Poll until Ctrl-C. Returns the exit code of the last finished poll."""
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415

    code: int | None = None
    try:
        while True:
            began = time.monotonic()
            code = _look(checker, fail_on, shown)
            with StatusLine() as status:
                status.say("looking again soon; Ctrl-C ends")
                time.sleep(max(interval_s - (time.monotonic() - began), 0.0))
    except KeyboardInterrupt:
        if code is None:
            raise
        return code
