"""Groups of commands that load on first use, and the one place where a command's run ends.

In: a registry (name -> `module:attribute`). Out: an exit code, with a sentence on standard error where something was wrong:
130 after Ctrl-C, 141 where the reader of our output went away, 2 where it cannot be written, 3 where watchdog itself tripped; never a
traceback.
"""

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from watchdog.cli.neighbour import neighbour

__all__ = ["Commands", "Main"]

INTERRUPTED = 130
PIPE_CLOSED = 141
UNWRITABLE = 2
"""No verdict of `check`, which nobody could read, and no database that may be tried again: where the output goes is the caller's."""
TRIPPED = 3
"""Could not look: what `check` says too."""


class Commands(click.Group):
    """A group whose commands are imported when they are used; an unknown one gets a suggestion."""

    def __init__(self, *args: Any, registry: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._registry = dict(registry or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the registry."""
        return [*self._registry, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        place = self._registry.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

            known = self.list_commands(ctx)
            ctx.fail(f'no such command "{name}"{did_you_mean(name, known) or "; there are " + ", ".join(known)}')
        return super().resolve_command(ctx, args)


class Main(Commands):
    """The outermost group: whatever happens inside, it ends with an exit code and at most a sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - as click has it
        **extra: Any,
    ) -> Any:
        """Run and exit."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        return self._run_and_exit(list(sys.argv[1:] if args is None else args), prog_name or "watchdog", complete_var, extra)

    def _run_and_exit(self, args: list[str], prog_name: str, complete_var: str | None, extra: dict[str, Any]) -> NoReturn:
        sys.stdout = sys.stdout or _nowhere()
        sys.stderr = sys.stderr or _nowhere()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        self._main_shell_completion(extra, prog_name, complete_var)
        try:
            code = self._ended(args, prog_name, extra)
            sys.stdout.flush()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except OSError as error:
            code = _pipe_closed() if error.errno == errno.EPIPE else _unwritable(error) if _of_output(error) else _tripped(error)
        except Exception as error:  # noqa: BLE001 - a traceback may hold a secret, and helps nobody at 3 a.m.
            code = _tripped(error)
        _forget_unwritable(sys.stderr)
        sys.exit(code)

    def _ended(self, args: list[str], prog_name: str, extra: dict[str, Any]) -> int:
        """The exit code of one run."""
        in_the_way = neighbour()
        if in_the_way:
            click.echo(in_the_way, err=True)
            return 2
        try:
            with self.make_context(prog_name, args, **extra) as ctx:
                self.invoke(ctx)
        except click.exceptions.Exit as ending:
            return ending.exit_code
        except click.Abort:
            return INTERRUPTED
        except click.ClickException as wrong:
            wrong.show()
            return wrong.exit_code
        return 0


def _nowhere() -> TextIO:
    """Where output goes that the caller closed (`>&-`)."""
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)


def _pipe_closed() -> int:
    """Who read our output has seen enough: end quietly, and let the interpreter's last flush go nowhere."""
    _forget_unwritable(sys.stdout)
    return PIPE_CLOSED


def _of_output(error: OSError) -> bool:
    """Whether writing failed, and not to a file with a name: those speak for themselves, as the database and the network do."""
    return error.filename is None and error.errno in (errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)


def _unwritable(error: OSError) -> int:
    _forget_unwritable(sys.stdout)
    _say(f"standard output cannot be written: {(error.strerror or type(error).__name__).lower()}; nothing more was printed")
    return UNWRITABLE


def _forget_unwritable(stream: TextIO) -> None:
    """What cannot be flushed goes nowhere, or the interpreter's own last flush would end with a code of its own."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(sentence, err=True)


def _tripped(error: Exception) -> int:
    """A fault of watchdog's own: what and where, without its text, which may hold a secret."""
    package = Path(__file__).resolve().parents[1]  # an environment may be called watchdog too, and holds everybody's packages
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(package)]
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    _say(f"watchdog tripped over itself: unexpected {type(error).__name__}{place}; please report it")
    return TRIPPED
