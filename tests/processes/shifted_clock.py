"""`watchdog` with a clock that is wrong by `CLOCK_AHEAD_S` seconds: `time.time` is shifted before anything of watchdog is imported.

The monotonic clock stays as it is, as on a machine whose clock is wrong.
"""

import os
import runpy
import time

__all__ = ["CLOCK_AHEAD_S"]

CLOCK_AHEAD_S = "CLOCK_AHEAD_S"


def shift(seconds: float) -> None:
    """From now on this process is so many seconds ahead."""
    right = time.time
    time.time = lambda: right() + seconds


if __name__ == "__main__":
    shift(float(os.environ[CLOCK_AHEAD_S]))
    runpy.run_module("watchdog", run_name="__main__", alter_sys=True)
