"""Errors with which a command stops: one sentence per fault on standard error, and exit code 2.

With `--format json` they are also a document on standard output, so that nobody takes silence for an empty answer; `check` has more
formats, and prints its refusals itself (`check.command`).
"""

from collections.abc import Iterable
from typing import IO, Any

import click

__all__ = ["Refused", "Unusable", "warn"]


class Refused(click.ClickException):
    """Usage, configuration, rules or database are wrong; one sentence per fault."""

    exit_code = 2

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
        context = click.get_current_context(silent=True)
        formats_itself = context is not None and getattr(context.command, "formats_refusals", False)
        self._as_json = context is not None and context.params.get("style") == "json" and not formats_itself

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the faults, one per line, so that an editor can follow `file:line`."""
        if self._as_json:
            from watchdog.cli.check.faults import faults_document  # noqa: PLC0415
            from watchdog.cli.output.screen import show_json  # noqa: PLC0415

            show_json(faults_document(self.faults, self.exit_code))
        click.echo(self.message, file=file, err=file is None)


class Unusable(Refused):
    """The database cannot be used now. The user's input is not wrong, so a service manager may retry."""

    exit_code = 1


def warn(warnings: Iterable[str]) -> None:
    """Print harmless oddities on standard error."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
