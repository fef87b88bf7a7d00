"""How a look of `watchdog check` is shown, in each of its formats.

In: a `CheckResult`. Out: what goes to standard output (and into GitHub's job summary), and the exit code.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from watchdog.cli.refusals import warn
from watchdog.core.checking import CheckResult

__all__ = ["Shown"]


class Shown:
    """One format, chosen."""

    def __init__(self, style: str, footer: str, *, verbose: bool, environ: Mapping[str, str] = os.environ) -> None:
        self._style, self._footer, self._verbose, self._environ = style, footer, verbose, environ

    def show(self, result: CheckResult) -> int:
        """Print one look; its exit code."""
        shows: dict[str, Callable[[CheckResult], int]] = {
            "text": self._text,
            "json": self._json,
            "junit": self._junit,
            "github": self._github,
            "nagios": self._nagios,
        }
        return shows[self._style](result)

    def _text(self, result: CheckResult) -> int:
        from watchdog.cli.check_page import check_page  # noqa: PLC0415
        from watchdog.cli.screen import show  # noqa: PLC0415

        show(check_page(result, self._footer, verbose=self._verbose))
        return result.exit_code

    def _json(self, result: CheckResult) -> int:
        from watchdog.cli.check_json import check_document  # noqa: PLC0415
        from watchdog.cli.screen import show_json  # noqa: PLC0415

        show_json(check_document(result))
        return result.exit_code

    def _junit(self, result: CheckResult) -> int:
        from watchdog.cli.check_junit import junit_text  # noqa: PLC0415

        click.echo(junit_text(result), nl=False)
        return result.exit_code

    def _github(self, result: CheckResult) -> int:
        from watchdog.cli.check_github import annotations, job_summary  # noqa: PLC0415

        click.echo(annotations(result), nl=False)
        path = self._environ.get("GITHUB_STEP_SUMMARY")
        if path:
            try:
                with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as summary:
                    summary.write(job_summary(result, self._footer))
            except OSError as error:
                warn([f"the job summary {path} could not be written: {error.strerror or type(error).__name__}"])
        return result.exit_code

    def _nagios(self, result: CheckResult) -> int:
        from watchdog.cli.check_nagios import nagios_code, nagios_text  # noqa: PLC0415

        click.echo(nagios_text(result), nl=False)
        return nagios_code(result)
