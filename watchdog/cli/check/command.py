"""Reports errors of `check` and `rules test` in the requested format: a reader of that format alone must not take silence for success.

Faults of usage, configuration or rules give exit code 2; lack of local resources, or a bug in watchdog, 3. JUnit, JSON and GitHub's
annotations go to standard output, and if the format is not for people, the sentences go to standard error too. A Nagios plugin reports
UNKNOWN (3), because Nagios would take exit code 2 for CRITICAL, and reads only standard output.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import IO, Any

import click

__all__ = ["CheckCommand", "NotAsked"]

_STYLES = ("json", "junit", "github", "nagios")
_ALSO_FOR_PEOPLE = ("json", "junit")


class _InFormat(click.ClickException):
    """A refusal in one of the formats."""

    exit_code = 2
    _code = 2
    """The exit code in the document; a Nagios plugin exits with another one."""

    def __init__(self, refusal: click.ClickException, style: str) -> None:
        super().__init__(refusal.message)
        self._refusal, self._style = refusal, style

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        from watchdog.cli.check.shown import show_faults  # noqa: PLC0415

        faults = getattr(self._refusal, "faults", None) or (self._refusal.format_message(),)
        show_faults(self._style, tuple(line for fault in faults for line in fault.splitlines() if line.strip()), self._code)
        if self._style in _ALSO_FOR_PEOPLE:
            self._refusal.show(file)


class _Unknown(_InFormat):
    """The same for a Nagios plugin."""

    exit_code = 3


class NotAsked(click.ClickException):
    """Nothing could be looked at, for a reason on this side: this machine or process lacks resources, or an app cannot be imported."""

    exit_code = 3

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        click.echo(self.message, file=file, err=file is None)


class _NotAskedInFormat(_Unknown):
    """The same in one of the formats."""

    _code = 3


class CheckCommand(click.Command):
    """The command `check`, and others with its formats."""

    formats_refusals = True
    """It prints what it is refused in the requested format itself."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """Parse the arguments."""
        style = _style_of(args)  # parsing consumes them
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as refusal:
            raise _in_format(refusal, style) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except click.ClickException as refusal:
            raise _in_format(refusal, ctx.params.get("style")) from None
        except (click.exceptions.Exit, click.Abort, OSError):
            raise  # a normal exit, or output that cannot be written, so that nobody can be informed
        except Exception as error:  # noqa: BLE001 - any other error means that there is no answer
            raise self._tripped(error, ctx.params.get("style")) from None

    def _tripped(self, error: Exception, style: str | None) -> Exception:
        """The exception that ends the run: a sentence for a lack of local resources; else the error itself, after reporting it."""
        from watchdog.cli.check.shown import show_faults  # noqa: PLC0415
        from watchdog.net.descriptor_limits import NotAskedError  # noqa: PLC0415

        if isinstance(error, NotAskedError):
            return _in_format(NotAsked(str(error)), style)
        show_faults(style or "", (f"watchdog tripped over itself: unexpected {type(error).__name__}; please report it",), 3)
        return error


def _style_of(args: Sequence[str]) -> str | None:
    """The requested format, determined before the arguments are parsed; the last one counts."""
    joined = {at: arg.partition("=")[2] for at, arg in enumerate(args) if arg.startswith("--format=")}
    apart = {at: value for at, (name, value) in enumerate(pairwise(args)) if name == "--format"}
    asked = {**joined, **apart}
    return asked[max(asked)] if asked else None


def _in_format(refusal: click.ClickException, style: str | None) -> click.ClickException:
    if style is None or style not in _STYLES:
        return refusal
    if isinstance(refusal, NotAsked):
        return _NotAskedInFormat(refusal, style)
    return _Unknown(refusal, style) if style == "nagios" else _InFormat(refusal, style)
