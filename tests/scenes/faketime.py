"""Wrong clocks: libfaketime, preloaded, shifts the time that a process and its children see.

In: the offset in seconds. Out: environment variables for the process. The library comes with Debian's package; `found` says whether it is
installed. Monotonic clocks are not shifted, because that breaks timeouts. `time.sleep` then raises an OSError (libfaketime 0.9.10, Python
3.11), so tasks on such a worker must not sleep.
"""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["clock_off_by", "found"]

PLACES = "/usr/lib/*/faketime/libfaketimeMT.so.1"  # Debian's, for any machine


def found() -> Path | None:
    """The library, or None where it is not installed."""
    return next(iter(sorted(Path("/").glob(PLACES.lstrip("/")))), None)


def clock_off_by(seconds: int) -> Mapping[str, str]:
    """The environment of a process whose clock is ahead by so many seconds, or behind."""
    library = found()
    if library is None:
        raise FileNotFoundError("libfaketime: not installed")
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
