"""How fast one address is told: so many messages a second, whichever receivers share it, and none while it asks to be left alone.

In: a key for the address, never the address itself, which is a password. Out: how long the caller waits for its turn. Turns are dealt in
the order of asking, one a caller, so that two receivers of one URL neither double its pace nor starve each other. It is a token bucket
that holds one token: no burst. One object serves a process, across reloads; `app` makes it.
"""

import threading
import time
from collections.abc import Callable

__all__ = ["LONGEST_HOLD_S", "Pace"]

LONGEST_HOLD_S = 900.0
"""The longest that an address is left alone, whatever it asks for: as long as a message waits for its next attempt at most."""

MOST_ADDRESSES = 1000
"""Beyond, those that are free anyway are forgotten: each reload may bring new ones."""


class Pace:
    """Turns and pauses, a key each. `stopwatch`: monotonic seconds. Any thread may ask."""

    def __init__(self, stopwatch: Callable[[], float] = time.monotonic) -> None:
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._turn_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}

    def turn(self, key: str, per_second: float) -> float:
        """Take the next turn; how far away it is (seconds, to be waited for by the caller)."""
        with self._lock:
            now = self._stopwatch()
            at = max(self._turn_at.get(key, now), now)
            self._turn_at[key] = at + 1.0 / per_second
            if len(self._turn_at) > MOST_ADDRESSES:
                self._turn_at = {known: free_at for known, free_at in self._turn_at.items() if free_at > now}
            return at - now

    def hold(self, key: str, seconds: float) -> None:
        """The address asked to be left alone for so long; at most 15 minutes are granted, and no longer pause is cut short."""
        with self._lock:
            until = self._stopwatch() + min(seconds, LONGEST_HOLD_S)
            self._held_until[key] = max(self._held_until.get(key, until), until)

    def held(self, key: str) -> float:
        """How long the address is still to be left alone (seconds); 0: it is not."""
        with self._lock:
            left = self._held_until.get(key, 0.0) - self._stopwatch()
            if left <= 0.0:
                self._held_until.pop(key, None)
            return max(left, 0.0)

    def release(self, key: str) -> None:
        """An operator says: now."""
        with self._lock:
            self._held_until.pop(key, None)
