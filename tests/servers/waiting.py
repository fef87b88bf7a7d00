"""Waiting for what real servers do, with an end."""

import time
from collections.abc import Callable

SPARE = 3
"""Waiting takes a quarter of a core at most: others have work to do meanwhile."""


def until(condition: Callable[[], object], timeout: float, what: str, every: float = 0.05) -> None:
    """Return once the condition holds; AssertionError naming `what` after `timeout` seconds. A costly condition is asked less often."""
    deadline = time.monotonic() + timeout
    while True:
        asked_at, cpu_s = time.monotonic(), time.thread_time()
        if condition():
            return
        if asked_at > deadline:
            raise AssertionError(f"waited {timeout:g}s in vain for {what}")
        time.sleep(max(every, SPARE * (time.thread_time() - cpu_s)))
