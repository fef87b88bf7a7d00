"""Prevents optional imports of libraries that nothing here needs: 70 ms of CPU, and 1 to 11 MB, each (measured).

httpx imports its own command line, with rich and pygments, wherever rich is installed; structlog imports rich for tracebacks, which
watchdog prints plainly, and greenlet; sqlite-utils imports numpy and pandas. They work without these if the import fails, which these
functions arrange.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without", "without_httpx_command_line"]


def without_httpx_command_line() -> None:
    """From now on, httpx is imported without its command line."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # None makes the import fail


@contextmanager
def without(*libraries: str) -> Iterator[None]:
    """Modules imported inside cannot import these, unless they are imported already."""
    hidden = [name for name in libraries if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
