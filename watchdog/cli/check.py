"""`watchdog check`: one look, judged by the rules; or one after the other until interrupted."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, format_option, targets_option, verbose_option

if TYPE_CHECKING:
    from watchdog.check import Checker
    from watchdog.core.checking import CheckResult
    from watchdog.core.severity import Severity

__all__ = ["check"]

SEVERITIES = ("info", "warning", "error", "critical")


@click.command(
    epilog="""\b
Exit codes:
  0  fine
  1  something at or above --fail-on fires
  2  usage, configuration or rules are wrong
  3  otherwise, when something could not be looked at

\b
Examples:
  watchdog check --once --flower http://localhost:5555 --redis redis://localhost:6379/0
  watchdog check --once --fail-on critical --format json | jq .firing
  watchdog check --interval 30s --rules my-rules.toml
"""
)
@click.option("--once", is_flag=True, help="One look; otherwise again and again until Ctrl-C.")
@click.option("--flower", metavar="URL", help="A Flower to ask, in place of the configured targets.")
@click.option("--redis", metavar="URL", help="A Redis broker to ask, in place of the configured targets.")
@config_option
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="More rules (repeatable).")
@targets_option
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="warning", show_default=True, help="The least severity that fails.")
@format_option("text", "json")
@click.option("--interval", metavar="DURATION", help="How long from look to look, such as 30s.")
@verbose_option("Show sources and idle rules too.")
@click.pass_context
def check(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    once: bool,
    flower: str | None,
    redis: str | None,
    config: Path | None,
    rule_files: tuple[Path, ...],
    targets: tuple[str, ...],
    fail_on: str,
    style: str,
    interval: str | None,
    verbose: bool,
) -> None:
    """Look at the cluster and say what is wrong.

    Sends nothing and opens no database. One look cannot wait: a rule's `for` counts as held.
    """
    from watchdog.app import build_checker  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_targets, load_with_rules, named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.core.severity import Severity  # noqa: PLC0415

    conf = load_with_rules(config, {"flower": flower, "redis": redis, "interval": interval}, more_rules=rule_files)
    warn_of_oddities(conf)
    checker = build_checker(conf, chosen_targets(conf, targets), time.time, time.perf_counter)
    shown = _Shown(style, named_config(conf.loaded), verbose)
    try:
        code = _look(checker, Severity(fail_on), shown) if once else _look_on(checker, Severity(fail_on), shown, conf.settings.interval)
    finally:
        checker.close()
    ctx.exit(code)


class _Shown:
    """How a look is shown."""

    def __init__(self, style: str, footer: str, verbose: bool) -> None:  # noqa: FBT001
        self._style, self._footer, self._verbose = style, footer, verbose

    def show(self, result: "CheckResult") -> None:
        """Print one look."""
        from watchdog.cli.screen import show, show_json  # noqa: PLC0415

        if self._style == "json":
            from watchdog.cli.check_json import check_document  # noqa: PLC0415

            show_json(check_document(result))
        else:
            from watchdog.cli.check_page import check_page  # noqa: PLC0415

            show(check_page(result, self._footer, verbose=self._verbose))


def _look(checker: "Checker", fail_on: "Severity", shown: _Shown) -> int:
    """One look; its exit code."""
    from watchdog.cli.status_line import StatusLine  # noqa: PLC0415

    with StatusLine() as status:
        result = checker.check(fail_on, status.say)
    shown.show(result)
    return result.exit_code


def _look_on(checker: "Checker", fail_on: "Severity", shown: _Shown, interval_s: float) -> int:
    """Look after look until Ctrl-C; the exit code of the last one that was finished."""
    from watchdog.cli.status_line import StatusLine  # noqa: PLC0415

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
