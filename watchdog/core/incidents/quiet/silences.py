"""Silences: a person asks, for a limited time, not to be notified of incidents that matchers select.

A silence is not a state. What fires under it and still fires at its end is notified of then; what ends under it is notified of to those who
had been notified of its beginning.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.matchers import Matcher, labels_of, match
from watchdog.core.model.target import SELF

__all__ = ["ANNOUNCEMENT", "Silence", "is_announcement", "matches_everything", "silence_of"]

ANNOUNCEMENT = "Silenced"
"""The shipped rule whose incidents tell of silences and deploys themselves."""


class Silence(Struct, frozen=True):
    """One silence. Times are epoch seconds; one that was ended by hand has an earlier `ends_at` than it was given."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    comment: str = ""
    author: str = ""

    def covers(self, now: float) -> bool:
        """Whether it applies now."""
        return self.starts_at <= now < self.ends_at


def is_announcement(incident: Incident) -> bool:
    """Whether an incident tells of a silence or a deploy."""
    return incident.rule == ANNOUNCEMENT and incident.target == SELF


def silence_of(incident: Incident, silences: Sequence[Silence]) -> Silence | None:
    """Return the silence that hides an incident, of those that apply: the one that lasts longest; None if none does.

    None hides an announcement: whoever silences nearly everything, or just every `info`, is still seen to do so.
    """
    if not silences or is_announcement(incident):
        return None
    labels = labels_of(incident)
    return max((one for one in silences if match(one.matchers, labels)), key=lambda one: one.ends_at, default=None)


def matches_everything(matchers: Iterable[Matcher]) -> bool:
    """Whether matchers select an incident without any label, so that they exclude at most something: a typing error, as a rule."""
    return match(matchers, {})
