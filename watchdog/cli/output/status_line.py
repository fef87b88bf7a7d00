"""A status line that says what is being waited for: only on a terminal, and only after a second of waiting."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

__all__ = ["StatusLine"]

PATIENCE_S = 1.0
EVERY_S = 0.25
_ERASE = "\r\x1b[2K"


class StatusLine:
    """A context manager: `with StatusLine() as status: work(progress=status.say)`. It erases itself at the end. Thread-safe."""

    def __init__(
        self, stream: TextIO | None = None, stopwatch: Callable[[], float] = time.monotonic, patience_s: float = PATIENCE_S
    ) -> None:
        self._stream = stream or sys.stderr
        self._stopwatch, self._patience_s = stopwatch, patience_s
        self._text = ""
        self._since = stopwatch()
        self._over = threading.Event()
        self._shown = False
        self._thread = threading.Thread(target=self._draw, name="status-line", daemon=True)

    def __enter__(self) -> Self:
        """Start to wait; nothing is shown yet."""
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Erase the line, however the wait ended."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._erase()

    def say(self, text: str) -> None:
        """Set what is being waited for now."""
        self._text = text

    def _draw(self) -> None:
        while not self._over.wait(EVERY_S):
            waited_s = self._stopwatch() - self._since
            if waited_s >= self._patience_s and self._text:
                self._shown = True
                self._write(_ERASE + _fitting(self._text, f" … {waited_s:.0f}s", shutil.get_terminal_size().columns))

    def _erase(self) -> None:
        if self._shown:
            self._write(_ERASE)
            self._shown = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone
            self._over.set()


def _fitting(text: str, suffix: str, width: int) -> str:
    """The text cut to one line of the terminal, since only one line can be erased."""
    room = max(width - len(suffix) - 1, 0)
    return (text if len(text) <= room else text[: max(room - 1, 0)] + "…") + suffix
