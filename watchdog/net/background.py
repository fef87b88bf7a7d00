"""Work in a thread that nobody has to wait for: what hangs there is left behind, and keeps no process alive.

In: the work. Out: its outcome, for which the caller waits as long as it likes.
"""

import threading
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

__all__ = ["Outcome", "in_background"]

T = TypeVar("T")


class Outcome(Generic[T]):
    """The outcome of work in the background: its result, or its exception."""

    def __init__(self) -> None:
        self._result: list[T] = []
        self._error: Exception | None = None
        self._over = threading.Event()

    def run(self, work: Callable[[], T]) -> None:
        """Do the work in this thread."""
        try:
            self._result.append(work())
        except Exception as error:  # noqa: BLE001 - raised when the result is requested
            self._error = error
        self._over.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the work. Returns whether it is finished. A signal, such as Ctrl-C, ends the wait."""
        return self._over.wait(None if seconds == inf else seconds)

    def result(self) -> T:
        """The result of finished work; raises the exception of the work, if any."""
        if self._error is not None:
            raise self._error
        return self._result[0]


def in_background(work: Callable[[], T], name: str) -> Outcome[T]:
    """Start the work in a daemon thread."""
    outcome: Outcome[T] = Outcome()
    threading.Thread(target=outcome.run, args=(work,), name=name, daemon=True).start()
    return outcome
