"""Decide what to send to the external heartbeat monitor: all is well, something is wrong, or nothing.

Input: the state of every target's cycles, what waits for the receivers, the time of the last ping. Output: a `Ping`, or None. Silence is
the strongest signal: it is what the monitor sees when watchdog has died. So nothing is sent while anything may hang.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

__all__ = ["LONGEST_WAIT_S", "CyclesSeen", "Ping", "Reachability", "ping"]

LONGEST_WAIT_S = 300.0
"""Seconds a message may wait before its receiver counts as unreachable; the same as in the shipped rule DeliveryFailing."""


class CyclesSeen(Struct, frozen=True):
    """The state of one target's cycles. Times are seconds of a monotonic clock."""

    patience_s: float
    """Longest allowed time from the end of one cycle to the end of the next: the interval plus what its timeouts allow."""
    began_at: float
    ended_at: float | None = None
    """When the last cycle ended, successfully or not."""
    failed: str = ""
    """Why the last cycle failed; empty if it did not."""
    away: bool = False
    """Whether it failed because the database could not be reached."""

    def overdue(self, now: float) -> bool:
        """Whether the next cycle should have ended by now."""
        return now - (self.began_at if self.ended_at is None else self.ended_at) > self.patience_s


class Reachability(Struct, frozen=True):
    """Whether messages reach one receiver."""

    name: str
    off: bool = False
    given_up: bool = False
    """Messages were given up, and none has been delivered since."""
    waited_s: float = 0.0
    """How long the oldest message has been waiting."""

    @property
    def in_vain(self) -> bool:
        """Whether nothing reaches this receiver."""
        return self.off or self.given_up or self.waited_s > LONGEST_WAIT_S


class Ping(Struct, frozen=True):
    """What to send: all is well, or the reason why it is not."""

    failure: str = ""


def ping(
    targets: Mapping[str, CyclesSeen], receivers: Sequence[Reachability] | str, *, now: float, pinged_at: float | None, every_s: float
) -> Ping | None:
    """Return what to send at `now` (monotonic seconds), given that the last ping was at `pinged_at`; None if nothing is due.

    A ping is due once every target has ended a cycle since the last ping and `every_s` has passed. `receivers` is a sentence if their state
    cannot be read. While the database is away, another daemon may work on it, and speak for both: so this one says nothing.
    """
    if any(seen.overdue(now) or seen.away for seen in targets.values()):
        return None
    if any(seen.ended_at is None or (pinged_at is not None and seen.ended_at <= pinged_at) for seen in targets.values()):
        return None
    if pinged_at is not None and now - pinged_at < every_s:
        return None
    return Ping(_failed_cycle(targets) or _nobody_told(receivers))


def _failed_cycle(targets: Mapping[str, CyclesSeen]) -> str:
    """Return why a target's last cycle failed. An earlier failure does not count once a later cycle has succeeded."""
    return next((f"the last cycle of {name} failed: {seen.failed}" for name, seen in sorted(targets.items()) if seen.failed), "")


def _nobody_told(receivers: Sequence[Reachability] | str) -> str:
    """Return why nobody can be notified.

    As long as one receiver works, its messages report the failures of the others. Without any receiver there is nobody to notify.
    """
    if isinstance(receivers, str):
        return receivers
    if receivers and all(receiver.in_vain for receiver in receivers):
        return f"nothing can be delivered: {', '.join(receiver.name for receiver in receivers)}"
    return ""
