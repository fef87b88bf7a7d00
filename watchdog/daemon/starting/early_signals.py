"""Handles signals that arrive while the daemon is still importing and reading its configuration; the daemon acts on them later.

Python's default handlers would end the process: a SIGHUP from systemd or logrotate in the first second killed it. In: the arguments, at the
very start of the process. Out: the numbers of the signals received. Imports nothing but `signal`.
"""

import signal
from collections.abc import Sequence
from types import FrameType

__all__ = ["LISTENED_FOR", "asked_to_end", "is_daemon", "note_signals", "noted_signals"]

LISTENED_FOR = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_noted: set[int] = set()


def is_daemon(args: Sequence[str]) -> bool:
    """Whether the arguments (without the program's name) start the daemon; every other command keeps Python's handlers."""
    rest = iter(args)
    for arg in rest:
        if arg == "--config":
            next(rest, None)
        elif not arg.startswith("-"):
            return arg == "run"
    return False


def note_signals() -> None:
    """Record signals from now on. A second Ctrl-C interrupts at once: somebody is at the terminal."""
    for number in LISTENED_FOR:
        signal.signal(number, _note)


def noted_signals() -> frozenset[int]:
    """The signals received so far."""
    return frozenset(_noted)


def asked_to_end() -> bool:
    """Whether one of them was to end the daemon."""
    return bool(_noted & {signal.SIGTERM, signal.SIGINT})


def _note(number: int, _frame: FrameType | None) -> None:
    if number == signal.SIGINT and number in _noted:
        raise KeyboardInterrupt
    _noted.add(number)
