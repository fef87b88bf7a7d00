"""`check` says in its own format what is wrong with usage, configuration or rules: whoever reads only that must not take silence for fine.

JUnit, JSON and GitHub's annotations go to standard output, and the sentences for people to standard error too, where the format is not
for people; a Nagios plugin says UNKNOWN (3), for Nagios would take our exit code 2 for CRITICAL, and reads standard output alone.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import IO, Any

import click

__all__ = ["CheckCommand"]

_STYLES = ("json", "junit", "github", "nagios")
_ALSO_FOR_PEOPLE = ("json", "junit")


class _Told(click.ClickException):
    """A refusal as one of the formats says it."""

    exit_code = 2

    def __init__(self, refusal: click.ClickException, style: str) -> None:
        super().__init__(refusal.message)
        self._refusal, self._style = refusal, style

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        from watchdog.cli.check_shown import show_faults  # noqa: PLC0415

        faults = getattr(self._refusal, "faults", None) or (self._refusal.format_message(),)
        show_faults(self._style, tuple(line for fault in faults for line in fault.splitlines() if line.strip()))
        if self._style in _ALSO_FOR_PEOPLE:
            self._refusal.show(file)


class _Unknown(_Told):
    """The same, as a Nagios plugin says it."""

    exit_code = 3


class CheckCommand(click.Command):
    """The command `check`."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """Read the arguments."""
        style = _style_of(args)  # reading them takes them away
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as refusal:
            raise _as_told(refusal, style) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except click.ClickException as refusal:
            raise _as_told(refusal, ctx.params.get("style")) from None


def _style_of(args: Sequence[str]) -> str | None:
    """The format that was asked for, before the arguments are read; the last one counts."""
    joined = {at: arg.partition("=")[2] for at, arg in enumerate(args) if arg.startswith("--format=")}
    apart = {at: value for at, (name, value) in enumerate(pairwise(args)) if name == "--format"}
    asked = {**joined, **apart}
    return asked[max(asked)] if asked else None


def _as_told(refusal: click.ClickException, style: str | None) -> click.ClickException:
    if style not in _STYLES:
        return refusal
    return _Unknown(refusal, style) if style == "nagios" else _Told(refusal, style)
