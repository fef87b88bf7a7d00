"""Prevents optional imports of libraries that nothing here needs: 70 ms of CPU and up to 6 MB each (measured).

httpx imports its own command line, with rich and pygments, wherever rich is installed; structlog imports rich for tracebacks, which
watchdog prints plainly. Both work without it if the import fails, which these functions arrange.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_httpx_command_line", "without_rich"]


def without_httpx_command_line() -> None:
    """From now on, httpx is imported without its command line."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None makes the import fail


@contextmanager
def without_rich() -> Iterator[None]:
    """Modules imported inside cannot import rich, unless it is imported already."""
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["rich"]
