"""Flapping: what comes and goes too often is one incident, which ends only after a long quiet.

From the third firing of one fingerprint within `flap_window` on, its incident is flapping: its `keep_firing_for` is at least `flap_quiet`.
So its receivers hear of two short incidents, of a third that says it is flapping, and of one true end. Only firings that began an incident
count: what fires again while its incident recovers is told to nobody, and must not delay that incident's end. A flapping incident counts
them, for its end to say.

Input: earlier firings, the current time. Output: whether this firing is one too many, how long the quiet must last, and the words for it.
"""

from collections.abc import Iterable

from msgspec import Struct

from watchdog.core.incidents.messages import Event, Notice
from watchdog.core.rules.rule import Rule
from watchdog.core.text.durations import format_duration

__all__ = ["NEVER_FLAPPING", "Flapping", "flapping_note"]

TOO_OFTEN = 3


class Flapping(Struct, frozen=True):
    """When something flaps, and how long it must be quiet then (watched seconds). A window of 0 s switches it off."""

    window_s: float = 0.0
    quiet_s: float = 0.0

    def window(self, now: float) -> tuple[float, float] | None:
        """Return from when to when earlier firings count; None if they never do."""
        return (now - self.window_s, now) if self.window_s else None

    def counted(self, rule: Rule, earlier: Iterable[float], now: float) -> tuple[float, ...]:
        """Return the earlier firings with which one now is flapping; none if it is not.

        Those that a clock set back has put into the future do not count.
        """
        if not self.window_s or not rule.keep_firing_for_s:
            return ()
        recent = tuple(sorted(at for at in earlier if 0 <= now - at <= self.window_s))
        return recent if len(recent) + 1 >= TOO_OFTEN else ()

    def quiet_needed_s(self, rule: Rule, *, flapping: bool) -> float:
        """Return for how long an incident must have been quiet to be over. A rule without `keep_firing_for` wants to hear every end."""
        if not flapping or not self.window_s or not rule.keep_firing_for_s:
            return rule.keep_firing_for_s
        return max(rule.keep_firing_for_s, self.quiet_s)


NEVER_FLAPPING = Flapping()


def flapping_note(notice: Notice) -> str:
    """Return ` (flapping: fired 3 times in 12m)`, in the past tense at its end; empty if it is not flapping."""
    if not notice.flapping:
        return ""
    said = "flapped" if notice.event is Event.RESOLVED else "flapping"
    return f" ({said}: fired {notice.fires} times in {format_duration(round(notice.fires_over_s))})"
