"""One attempt at a remedy, as it is stored: what was done to whom about which incident, how that ended, and whether it helped."""

from enum import StrEnum

from msgspec import Struct

from watchdog.core.rules.remedy import LONGEST_WITHIN_S

__all__ = ["BEGUN", "COUNTED_S", "LONGEST_S", "NOT_DONE", "Attempt", "Helped"]

BEGUN = "begun"
"""The outcome of an attempt that goes on. The others are those of an action."""
NOT_DONE = "declined"
"""The outcome of what is only on trial."""
COUNTED_S = LONGEST_WITHIN_S
"""For how long an attempt may count for an `at_most` (seconds)."""
LONGEST_S = 300.0
"""An attempt that has not ended by then has: watchdog was stopped meanwhile, or its end could not be written."""


class Helped(StrEnum):
    """Whether an attempt helped. `open`: that is still to be seen."""

    OPEN = ""
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    TRIAL = "trial"


class Attempt(Struct, frozen=True):
    """One attempt. Times are epoch seconds. `number` of `most` within `within_s` seconds, as the rule says."""

    id: str
    incident: str
    fingerprint: str
    target: str
    rule: str
    remedy: str
    queue: str
    workers: tuple[str, ...]
    at: float
    number: int = 1
    most: int = 1
    within_s: float = 0.0
    outcome: str = BEGUN
    text: str = ""
    ended_at: float | None = None
    helped: Helped = Helped.OPEN

    def over_at(self, now: float) -> float | None:
        """Return when it ended, or counts as ended; None if it goes on."""
        if self.ended_at is not None:
            return self.ended_at
        return self.at + LONGEST_S if not 0 <= now - self.at < LONGEST_S else None
