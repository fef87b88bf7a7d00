"""Silences as JSON documents, and what each hides.

In: silences and the open incidents, now (epoch seconds). Out: documents; and the words and facts that the page about silences needs too.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.silences import Silence, Silenced

__all__ = [
    "MatcherDocument",
    "OneSilenceDocument",
    "SilenceDocument",
    "SilencesDocument",
    "hidden_by_silence",
    "silence_document",
    "silence_state",
    "silences_document",
]


class MatcherDocument(Struct, frozen=True, kw_only=True):
    """One matcher: `operator` is =, !=, =~ or !~."""

    label: str
    operator: str
    value: str


class SilenceDocument(Struct, frozen=True, kw_only=True):
    """One silence. `hides`: the ids of the open incidents that it selects."""

    id: str
    state: Literal["active", "later", "ended"]
    matchers: Sequence[MatcherDocument]
    starts_at: str
    ends_at: str
    comment: str
    author: str
    hides: Sequence[str]


class SilencesDocument(Struct, frozen=True, kw_only=True):
    """Silences, oldest first."""

    version: Literal[1] = 1
    silences: Sequence[SilenceDocument]


class OneSilenceDocument(Struct, frozen=True, kw_only=True):
    """A silence that was just added or ended."""

    version: Literal[1] = 1
    silence: SilenceDocument


def silences_document(silences: Sequence[Silence], incidents: Sequence[Incident], now: float) -> SilencesDocument:
    """The list."""
    return SilencesDocument(silences=[_document(silence, incidents, now) for silence in silences])


def silence_document(silence: Silence, incidents: Sequence[Incident], now: float) -> OneSilenceDocument:
    """What was added or ended."""
    return OneSilenceDocument(silence=_document(silence, incidents, now))


def silence_state(silence: Silence, now: float) -> Literal["active", "later", "ended"]:
    """Whether it applies."""
    return "ended" if silence.ends_at <= now else "active" if silence.covers(now) else "later"


def hidden_by_silence(silence: Silence, incidents: Sequence[Incident]) -> list[Incident]:
    """The open incidents that it selects."""
    silenced = Silenced([silence])
    return [incident for incident in incidents if incident.open and silenced.by(incident) is not None]


def _document(silence: Silence, incidents: Sequence[Incident], now: float) -> SilenceDocument:
    return SilenceDocument(
        id=silence.id,
        state=silence_state(silence, now),
        matchers=[MatcherDocument(label=m.label, operator=m.operator, value=m.value) for m in silence.matchers],
        starts_at=iso(silence.starts_at),
        ends_at=iso(silence.ends_at),
        comment=silence.comment,
        author=silence.author,
        hides=[incident.id for incident in hidden_by_silence(silence, incidents)],
    )
