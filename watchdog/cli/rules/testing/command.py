"""`watchdog rules test`: rules tested like code, by scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.check.command import CheckCommand
from watchdog.cli.options import config_option, format_option, verbose_option

if TYPE_CHECKING:
    from watchdog.core.scenarios.result import ScenarioResults

__all__ = ["test"]


@click.command(
    cls=CheckCommand,
    epilog="""\b
Exit codes:
  0  everything is as expected
  1  something is not, or with --complete a rule lacks scenarios
  2  usage, rules or scenarios are faulty

\b
Examples:
  watchdog rules test
  watchdog rules test alerts/scenarios/shop.toml
  watchdog rules test alerts/ --complete
  watchdog rules test "alerts/**/*.toml" --rules more.toml --format junit > rules.xml
""",
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="More rules (repeatable).")
@click.option("--alone", is_flag=True, help="Test the files without the rules that come with watchdog.")
@click.option("--complete", is_flag=True, help="Every rule needs a scenario that fires it, and one that keeps it quiet.")
@config_option
@format_option("text", "json", "junit", "github")
@verbose_option("Show each scenario, also those that are as expected.")
@click.pass_context
def test(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    rule_files: tuple[Path, ...],
    alone: bool,
    complete: bool,
    config: Path | None,
    style: str,
    verbose: bool,
) -> None:
    """Test rules by scenarios: rows over time, and what must be sent.

    FILE is a file of scenarios, a folder or a glob; its rules are those that come with watchdog, and the rule files beside it or above its
    folder `scenarios`. Without FILE, the scenarios beside the configured rules are tested; without rules of your own, those that come with
    watchdog.
    """
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.cli.rules.testing.given import given  # noqa: PLC0415
    from watchdog.cli.rules.testing.played import play_all  # noqa: PLC0415

    what = given(files, config, rule_files, alone=alone)
    with StatusLine() as status:
        results = play_all(what, status.say, complete=complete)
    _show(results, style, what.footer, verbose=verbose)
    ctx.exit(results.exit_code)


def _show(results: "ScenarioResults", style: str, footer: str, *, verbose: bool) -> None:
    from watchdog.cli.check.shown import add_job_summary  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.cli.rules.testing import shown  # noqa: PLC0415
    from watchdog.config.masking import print_commands  # noqa: PLC0415

    if style == "json":
        show_json(shown.scenarios_document(results))
    elif style == "junit":
        click.echo(shown.junit_text(results), nl=False)
    elif style == "github":
        print_commands(shown.annotations(results))
        add_job_summary(shown.job_summary(results, footer))
    else:
        show(shown.scenarios_page(results, footer, verbose=verbose))
