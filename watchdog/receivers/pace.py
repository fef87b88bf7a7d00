"""The pace of one address: a limit of messages per second, shared by all receivers of the address, and pauses that it asked for.

In: a key for the address, never the address itself, which is a secret. Out: how long the caller must wait for its turn. Turns are given in
order of request, one per caller, so that two receivers of one URL neither double its pace nor starve each other. It is a token bucket of
size one: no bursts. One object serves the process across reloads; `app` creates it.
"""

import threading
import time
from collections.abc import Callable

__all__ = ["LONGEST_HOLD_S", "Pace"]

LONGEST_HOLD_S = 900.0
"""The longest pause of an address, whatever it asks for: as long as a message waits for its next attempt at most."""

MOST_ADDRESSES = 1000
"""Above this, addresses that are free anyway are forgotten: each reload may add new ones."""


class Pace:
    """Turns and pauses per key. `stopwatch`: monotonic seconds. Thread-safe."""

    def __init__(self, stopwatch: Callable[[], float] = time.monotonic) -> None:
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._turn_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}

    def turn(self, key: str, per_second: float) -> float:
        """Take the next turn. Returns how far away it is (seconds); the caller waits."""
        with self._lock:
            now = self._stopwatch()
            at = max(self._turn_at.get(key, now), now)
            self._turn_at[key] = at + 1.0 / per_second
            if len(self._turn_at) > MOST_ADDRESSES:
                self._turn_at = {known: free_at for known, free_at in self._turn_at.items() if free_at > now}
            return at - now

    def hold(self, key: str, seconds: float) -> None:
        """The address asked for a pause; at most 15 minutes are granted, and a longer pause is never shortened."""
        with self._lock:
            until = self._stopwatch() + min(seconds, LONGEST_HOLD_S)
            self._held_until[key] = max(self._held_until.get(key, until), until)

    def held(self, key: str) -> float:
        """How much longer the address must be left alone (seconds); 0 if there is no pause."""
        with self._lock:
            left = self._held_until.get(key, 0.0) - self._stopwatch()
            if left <= 0.0:
                self._held_until.pop(key, None)
            return max(left, 0.0)

    def release(self, key: str) -> None:
        """End the pause, on behalf of an operator."""
        with self._lock:
            self._held_until.pop(key, None)
