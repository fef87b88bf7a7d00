"""Groups of commands that are loaded on first use, and the single place where a command's run ends.

In: a registry (name -> `module:attribute`). Out: an exit code, with a sentence on standard error if something was wrong: 130 after Ctrl-C,
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
"""Neither a verdict of `check`, which nobody could read, nor a database that may be retried: the output is the caller's responsibility."""
TRIPPED = 3
"""Nothing could be polled: the same code as in `check`."""


class Commands(click.Group):
    """A group whose commands are imported on use; an unknown name gets a suggestion."""

    def __init__(self, *args: Any, registry: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._registry = dict(registry or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the registry."""
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
    """The outermost group: it always ends with an exit code and at most one sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - click's signature
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
        except Exception as error:  # noqa: BLE001 - a traceback may contain a secret, and does not help the user
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
    """A stream that replaces one closed by the caller (`>&-`)."""
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)


def _pipe_closed() -> int:
    """The reader of the output has closed the pipe: end quietly, and discard what the interpreter flushes at exit."""
    _forget_unwritable(sys.stdout)
    return PIPE_CLOSED


def _of_output(error: OSError) -> bool:
    """Whether writing output failed. Errors with a file name are excluded: they are about that file, not the output."""
    return error.filename is None and error.errno in (errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)


def _unwritable(error: OSError) -> int:
    _forget_unwritable(sys.stdout)
    _say(f"standard output cannot be written: {(error.strerror or type(error).__name__).lower()}; nothing more was printed")
    return UNWRITABLE


def _forget_unwritable(stream: TextIO) -> None:
    """Discard what cannot be flushed, or the interpreter's flush at exit would change the exit code."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(sentence, err=True)


def _tripped(error: Exception) -> int:
    """Report a bug in watchdog: type and place, without the message, which may contain a secret."""
    package = Path(__file__).resolve().parents[1]  # an environment may be called watchdog too, and it contains all packages
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(package)]
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    _say(f"watchdog tripped over itself: unexpected {type(error).__name__}{place}; please report it")
    return TRIPPED
