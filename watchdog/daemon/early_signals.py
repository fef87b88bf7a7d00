"""Signals to a daemon that is still being imported and configured: noted here, and acted on by the daemon once it listens.

Python's defaults would end the process: a SIGHUP of systemd or logrotate in the first second killed it. In: the arguments, at the very
start of the process. Out: the numbers of the signals that came. Imports nothing but `signal`.
"""

import signal
from collections.abc import Sequence
from types import FrameType

__all__ = ["LISTENED_FOR", "is_daemon", "note_signals", "noted_signals"]

LISTENED_FOR = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_noted: set[int] = set()


def is_daemon(args: Sequence[str]) -> bool:
    """Whether the arguments (without the program's name) begin the daemon; every other command keeps Python's defaults."""
    rest = iter(args)
    for arg in rest:
        if arg == "--config":
            next(rest, None)
        elif not arg.startswith("-"):
            return arg == "run"
    return False


def note_signals() -> None:
    """Note from now on. A second Ctrl-C does not wait for the daemon: somebody sits there."""
    for number in LISTENED_FOR:
        signal.signal(number, _note)


def noted_signals() -> frozenset[int]:
    """What came so far."""
    return frozenset(_noted)


def _note(number: int, _frame: FrameType | None) -> None:
    if number == signal.SIGINT and number in _noted:
        raise KeyboardInterrupt
    _noted.add(number)
