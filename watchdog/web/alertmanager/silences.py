"""Silences as Alertmanager lists them.

In: silences of watchdog, now (epoch seconds). Out: documents, sorted as Alertmanager sorts them.

A matcher is the same in both, apart from one name: what watchdog calls `rule` is `alertname` there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.status.documents.silences import silence_state
from watchdog.web.alertmanager.label_sets import instant, label_there

__all__ = ["SilenceDocument", "silence_document", "silences_document"]

_STATES: Mapping[str, Literal["active", "pending", "expired"]] = {"active": "active", "later": "pending", "ended": "expired"}


class MatcherDocument(Struct, frozen=True, rename="camel"):
    """One matcher."""

    is_equal: bool
    is_regex: bool
    name: str
    value: str


class StateDocument(Struct, frozen=True):
    """Whether it applies."""

    state: Literal["active", "pending", "expired"]


class SilenceDocument(Struct, frozen=True, rename="camel"):
    """One silence."""

    id: str
    status: StateDocument
    updated_at: str
    comment: str
    created_by: str
    ends_at: str
    matchers: Sequence[MatcherDocument]
    starts_at: str


def silences_document(silences: Iterable[Silence], asked: Sequence[Matcher], now: float) -> list[SilenceDocument]:
    """Those that have each of these matchers: what applies, by its end; what will apply, by its start; what has ended, the last first."""
    wanted = {(label_there(one.label), one.operator, one.value) for one in asked}
    found = [one for one in silences if wanted <= {(label_there(m.label), m.operator, m.value) for m in one.matchers}]
    return [silence_document(one, now) for one in sorted(found, key=lambda one: _order(one, now))]


def _order(silence: Silence, now: float) -> tuple[int, float]:
    if silence.ends_at <= now:
        return 3, -silence.ends_at
    return (1, silence.ends_at) if silence.covers(now) else (2, silence.starts_at)


def silence_document(silence: Silence, now: float) -> SilenceDocument:
    """One silence. When it was last changed is not kept: this is the last time of which it is known."""
    state = _STATES[silence_state(silence, now)]
    return SilenceDocument(
        id=silence.id,
        status=StateDocument(state),
        updated_at=instant(min(silence.ends_at if state == "expired" else silence.starts_at, now)),
        comment=silence.comment,
        created_by=silence.author,
        ends_at=instant(silence.ends_at),
        matchers=[
            MatcherDocument(m.operator in ("=", "=~"), m.operator in ("=~", "!~"), label_there(m.label), m.value) for m in silence.matchers
        ],
        starts_at=instant(min(silence.starts_at, silence.ends_at)),  # one may be ended before it begins
    )
