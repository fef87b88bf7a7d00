"""What a command says when it cannot go on: one sentence a fault, on standard error, and exit code 2."""

from collections.abc import Iterable
from typing import IO, Any

import click

__all__ = ["Refused", "Unusable", "warn"]


class Refused(click.ClickException):
    """Usage, configuration, rules or database are wrong; each fault is one sentence."""

    exit_code = 2

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the faults, a line each, so that an editor can follow `file:line`."""
        click.echo(self.message, file=file, err=file is None)


class Unusable(Refused):
    """The database cannot be used now: nothing is wrong with what the user wrote, so a service manager may try again."""

    exit_code = 1


def warn(warnings: Iterable[str]) -> None:
    """What is odd and does no harm, on standard error."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
