"""`check` as a Nagios plugin: what is wrong with usage, configuration or rules is UNKNOWN (3), said on standard output.

Nagios reads nothing else, and would take our exit code 2 for CRITICAL.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import IO, Any

import click

__all__ = ["CheckCommand"]


class _Unknown(click.ClickException):
    """A refusal as a plugin says it."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        from watchdog.cli.check_nagios import nagios_refusal  # noqa: PLC0415

        click.echo(nagios_refusal(self.message), file=file, nl=False)


class CheckCommand(click.Command):
    """The command `check`."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """Read the arguments."""
        plugin = _is_plugin(args)  # reading them takes them away
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as refusal:
            raise _as_told(refusal, plugin=plugin) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except click.ClickException as refusal:
            raise _as_told(refusal, plugin=ctx.params.get("style") == "nagios") from None


def _is_plugin(args: Sequence[str]) -> bool:
    return "--format=nagios" in args or ("--format", "nagios") in pairwise(args)


def _as_told(refusal: click.ClickException, *, plugin: bool) -> click.ClickException:
    return _Unknown(refusal.format_message()) if plugin else refusal
