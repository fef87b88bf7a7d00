"""Prints a result of `watchdog check` in the chosen format.

In: a `CheckResult`. Out: text on standard output (and in GitHub's job summary), and the exit code.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from watchdog.cli.output.refusals import warn
from watchdog.config.masking import print_commands
from watchdog.core.judging.check_result import CheckResult

__all__ = ["Shown", "add_job_summary", "show_faults"]


class Shown:
    """Printing in one format."""

    def __init__(self, style: str, footer: str, *, verbose: bool, environ: Mapping[str, str] = os.environ) -> None:
        self._style, self._footer, self._verbose, self._environ = style, footer, verbose, environ

    def show(self, result: CheckResult) -> int:
        """Print the result of one poll. Returns its exit code."""
        shows: dict[str, Callable[[CheckResult], int]] = {
            "text": self._text,
            "json": self._json,
            "junit": self._junit,
            "github": self._github,
            "nagios": self._nagios,
        }
        return shows[self._style](result)

    def _text(self, result: CheckResult) -> int:
        from watchdog.cli.check.page import check_page  # noqa: PLC0415
        from watchdog.cli.output.screen import show  # noqa: PLC0415

        show(check_page(result, self._footer, verbose=self._verbose))
        return result.exit_code

    def _json(self, result: CheckResult) -> int:
        from watchdog.cli.check.json import check_document  # noqa: PLC0415
        from watchdog.cli.output.screen import show_json  # noqa: PLC0415

        show_json(check_document(result))
        return result.exit_code

    def _junit(self, result: CheckResult) -> int:
        from watchdog.cli.check.junit import junit_text  # noqa: PLC0415

        click.echo(junit_text(result), nl=False)
        return result.exit_code

    def _github(self, result: CheckResult) -> int:
        from watchdog.cli.check.github import annotations, job_summary  # noqa: PLC0415

        print_commands(annotations(result))
        add_job_summary(job_summary(result, self._footer), self._environ)
        return result.exit_code

    def _nagios(self, result: CheckResult) -> int:
        from watchdog.cli.check.nagios import nagios_code, nagios_text  # noqa: PLC0415

        click.echo(nagios_text(result), nl=False)
        return nagios_code(result)


def add_job_summary(markdown: str, environ: Mapping[str, str] = os.environ) -> None:
    """Append to the summary of the GitHub job, if there is one."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if path:
        try:
            with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as summary:
                summary.write(markdown)
        except OSError as error:
            warn([f"the job summary {path} could not be written: {error.strerror or type(error).__name__}"])


def show_faults(style: str, faults: Sequence[str], exit_code: int, environ: Mapping[str, str] = os.environ) -> None:
    """Print why nothing was polled, to standard output, in a machine-readable format; `text` prints nothing there."""
    from watchdog.cli.check.faults import faults_document, github_faults, job_summary_of_faults, junit_faults  # noqa: PLC0415
    from watchdog.cli.check.nagios import nagios_refusal  # noqa: PLC0415
    from watchdog.cli.output.screen import show_json  # noqa: PLC0415

    if style == "json":
        show_json(faults_document(faults, exit_code))
    elif style == "junit":
        click.echo(junit_faults(faults), nl=False)
    elif style == "nagios":
        click.echo(nagios_refusal("\n".join(faults)), nl=False)
    elif style == "github":
        print_commands(github_faults(faults, exit_code))
        add_job_summary(job_summary_of_faults(faults, exit_code), environ)
