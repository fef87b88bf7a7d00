"""At most so many messages to one address, whichever receivers share it: Slack takes one a second for each webhook URL.

In: a key for the address, never the address itself, which is a password. Out: the caller's turn, waited for; or how far away it is.
Receivers have threads of their own, so whoever waits here delays nobody else.
"""

import threading
import time
from collections.abc import Callable

__all__ = ["Pace"]

LONGEST_HOLD_S = 900.0
"""The longest that an address is left alone, whatever it asks for: as long as a message waits for its next attempt at most."""


class Pace:
    """Turns are at least `every_s` apart. `clock` is monotonic seconds; `sleep` waits for so many."""

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        self._every_s, self._clock, self._sleep = every_s, clock, sleep
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}

    def wait_turn(self, key: str, patience_s: float) -> float:
        """Wait for a turn: 0. Where it is further away than `patience_s`: how far (seconds), and no turn is taken."""
        with self._lock:
            now = self._clock()
            turn_at = max(self._free_at.get(key, now), now)
            if turn_at - now > patience_s:
                return turn_at - now
            self._free_at[key] = turn_at + self._every_s
        if turn_at > now:
            self._sleep(turn_at - now)
        return 0.0

    def hold(self, key: str, seconds: float) -> None:
        """The address asked to be left alone for so long; at most 15 minutes are granted."""
        with self._lock:
            free_at = self._clock() + min(seconds, LONGEST_HOLD_S)
            self._free_at[key] = max(self._free_at.get(key, free_at), free_at)
