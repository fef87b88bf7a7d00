"""Waiting for what real servers do, with an end."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], timeout: float, what: str, every: float = 0.05) -> None:
    """Return once the condition holds; AssertionError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g}s in vain for {what}")
        time.sleep(every)
