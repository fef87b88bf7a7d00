"""When Python looks for reference cycles: not while a command starts, seldom in what runs on, never as a process ends.

Nearly all that a start makes stays: modules, classes, rules. Python's default is to look through it once every 700 new objects.
"""

import atexit
import gc

__all__ = ["collect_after_start", "collect_seldom", "end_without_collecting"]

OF_A_START = 200_000
"""Allocations, minus deallocations, before the first search: a start makes fewer. An eighth of the CPU time of `check --once`."""
SELDOM = 10_000
"""The same for what runs on: a cycle allocates thousands of objects but few reference cycles, and none of them should wait for long."""


def collect_after_start() -> None:
    """For a process that begins, and for a command that soon ends."""
    gc.set_threshold(OF_A_START)


def collect_seldom() -> None:
    """For a process that runs on, once it has started."""
    gc.set_threshold(SELDOM)


def end_without_collecting() -> None:
    """Spare Python its last search for reference cycles: a fifth of the CPU time of `check --once`, for memory that is freed anyway."""
    atexit.register(gc.freeze)
