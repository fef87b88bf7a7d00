"""What to tell whoever watches watchdog from outside: all is well, something is wrong, or nothing at all.

In: how the cycles of every target stand, what waits for the receivers, when was last told. Out: a `Ping`, or None. Silence means most:
it is what the outside hears when watchdog has died, so nothing is said while anything may hang.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

__all__ = ["LONGEST_WAIT_S", "CyclesSeen", "Ping", "Telling", "ping"]

LONGEST_WAIT_S = 300.0
"""So long may a message wait for a receiver before that receiver counts as not told; as in the shipped rule DeliveryFailing."""


class CyclesSeen(Struct, frozen=True):
    """One target's cycles. Times are seconds of a monotonic clock."""

    patience_s: float
    """The longest from the end of one cycle to that of the next: its interval and what its timeouts allow."""
    began_at: float
    ended_at: float | None = None
    """When the last one ended, well or not."""
    failed: str = ""
    """Why the last one came to nothing; empty where it did not."""

    def overdue(self, now: float) -> bool:
        """Whether the next cycle should have ended by now."""
        return now - (self.began_at if self.ended_at is None else self.ended_at) > self.patience_s


class Telling(Struct, frozen=True):
    """Whether one receiver can be told."""

    name: str
    off: bool = False
    given_up: bool = False
    """Messages were given up, and nothing was delivered since."""
    waited_s: float = 0.0
    """How long the oldest message has waited."""

    @property
    def in_vain(self) -> bool:
        """Nothing arrives there."""
        return self.off or self.given_up or self.waited_s > LONGEST_WAIT_S


class Ping(Struct, frozen=True):
    """What to say: all is well, or why it is not."""

    failure: str = ""


def ping(
    targets: Mapping[str, CyclesSeen], receivers: Sequence[Telling] | str, *, now: float, pinged_at: float | None, every_s: float
) -> Ping | None:
    """What to say at `now` (monotonic seconds), having last said something at `pinged_at`; None: nothing yet.

    Due once every target's cycle has ended since, and `every_s` has passed. `receivers` is a sentence where their state cannot be read.
    """
    if any(seen.overdue(now) for seen in targets.values()):
        return None
    if any(seen.ended_at is None or (pinged_at is not None and seen.ended_at <= pinged_at) for seen in targets.values()):
        return None
    if pinged_at is not None and now - pinged_at < every_s:
        return None
    return Ping(_failed_cycle(targets) or _nobody_told(receivers))


def _failed_cycle(targets: Mapping[str, CyclesSeen]) -> str:
    """The last cycle counts: one that failed and was followed by one that did not is over."""
    return next((f"the last cycle of {name} failed: {seen.failed}" for name, seen in sorted(targets.items()) if seen.failed), "")


def _nobody_told(receivers: Sequence[Telling] | str) -> str:
    """As long as one receiver is told, its messages say what is wrong with the others; without any, nobody was to be told."""
    if isinstance(receivers, str):
        return receivers
    if receivers and all(receiver.in_vain for receiver in receivers):
        return f"nothing can be delivered: {', '.join(receiver.name for receiver in receivers)}"
    return ""
