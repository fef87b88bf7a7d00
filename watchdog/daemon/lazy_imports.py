"""Imports that libraries make on the side, and that nobody here needs: 70 ms of CPU and up to 6 MB each (measured).

httpx imports its own command line, with rich and pygments, wherever rich is installed; structlog imports rich for its tracebacks,
which watchdog prints plainly. Both go on without where the import fails, which is what is arranged here.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_httpx_command_line", "without_rich"]


def without_httpx_command_line() -> None:
    """From now on httpx is imported without its command line."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: importing it fails


@contextmanager
def without_rich() -> Iterator[None]:
    """What is imported inside does without rich, unless that is there already."""
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["rich"]
