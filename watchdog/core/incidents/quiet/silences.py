"""Silences: a person asks, for a limited time, not to be notified of incidents that matchers select.

A silence is not a state. What fires under it and still fires at its end is notified of then; what ends under it is notified of to those who
had been notified of its beginning.
"""

from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.matchers import Matcher, labels_of, match, parse_matchers
from watchdog.core.incidents.quiet.selection import MOST_REMEMBERED, Selection
from watchdog.core.model.identity import silence_id
from watchdog.core.model.target import SELF

__all__ = [
    "ANNOUNCEMENT",
    "Silence",
    "Silenced",
    "amended",
    "is_announcement",
    "matches_everything",
    "new_silence",
    "silenced_by",
]

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

    def hides(self, incident: Incident) -> bool:
        """Whether it is a reason to be quiet about an incident, while it applies."""
        return not is_announcement(incident) and match(self.matchers, labels_of(incident))


def is_announcement(incident: Incident) -> bool:
    """Whether an incident tells of a silence or a deploy."""
    return incident.rule == ANNOUNCEMENT and incident.target == SELF


class Silenced:
    """Silences that apply, asked for many incidents. Threads may share one: at worst, two work out the same."""

    def __init__(self, silences: Iterable[Silence]) -> None:
        self._selection = Selection((silence.matchers, silence) for silence in silences)
        self._known: dict[str, tuple[Incident, Silence | None]] = {}

    def by(self, incident: Incident) -> Silence | None:
        """Return the silence that hides an incident: the one that lasts longest; None if none does.

        None hides an announcement: whoever silences nearly everything, or just every `info`, is still seen to do so.
        """
        if not self._selection or is_announcement(incident):
            return None
        known = self._known.get(incident.id)
        if known is None or known[0] is not incident:  # one that has not changed is the same object, cycle after cycle
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            longest = max(self._selection.holding(labels_of(incident)), key=lambda one: one.ends_at, default=None)
            known = self._known[incident.id] = incident, longest
        return known[1]


@lru_cache(maxsize=16)
def silenced_by(silences: tuple[Silence, ...]) -> Silenced:
    """Return what these silences hide; the same object for the same silences, as they mostly are in the next cycle."""
    return Silenced(silences)


def new_silence(matchers: str, starts_at: float, lasts_s: float, comment: str, author: str) -> Silence:
    """Return a silence as somebody asks for it; ValueError if its matchers are wrong, or would silence everything."""
    parsed = parse_matchers(matchers)
    if matches_everything(parsed):
        raise ValueError(
            "these matchers would silence everything, or nearly; name what is to be silent, as in rule=WorkerLost or target=staging"
        )
    return Silence(silence_id(starts_at, matchers), parsed, starts_at, starts_at + lasts_s, comment.strip(), author)


def amended(old: Silence, asked: Silence, now: float) -> Silence | None:
    """Return the old silence as it is asked to be; None if that would change what it has hidden until now: then it has to be another one.

    It may always be given another comment, author and end. Its start may move as long as it lies ahead.
    """
    if old.matchers != asked.matchers or old.ends_at <= now:
        return None
    if old.covers(now):
        same_start = int(old.starts_at) == int(asked.starts_at)  # as clients send it back, which round it
        return replace(asked, id=old.id, starts_at=old.starts_at) if same_start else None
    return replace(asked, id=old.id) if asked.starts_at >= now else None


def matches_everything(matchers: Iterable[Matcher]) -> bool:
    """Whether matchers select an incident without any label, so that they exclude at most something: a typing error, as a rule."""
    return match(matchers, {})
