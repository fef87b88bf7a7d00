"""What would have fired and been told beside what did and was, differences first.

In: spells of the replay, and those of the daemon. Out: pairs, each with what is different about it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.replay.spell import Spell

__all__ = ["Kind", "Pair", "Recorded", "agrees", "beside"]


class Kind(StrEnum):
    """How a replay and the daemon agree about one incident."""

    NEW = "would be new"
    GONE = "would be gone"
    DIFFERENT = "different"
    NOT_REPLAYED = "not replayed"
    SAME = "same"


_ORDER = tuple(Kind)


class Recorded(Struct, frozen=True):
    """What there was to replay of one target: its first and last look, the longest interval, the rules in force, and those without a
    verdict -> why.
    """

    first: float | None = None
    last: float | None = None
    interval_s: float = 0.0
    blind: Mapping[str, str] = field(default_factory=dict)
    rules: frozenset[str] = frozenset()
    unknown_receivers: frozenset[str] = frozenset()
    """Receivers whose settings cannot be read here: whether they would be told cannot be said."""


NOTHING = Recorded()
INTERVALS_APART = 1.5
"""Times that differ by no more intervals are the same: a message is as old as the look that caused it."""


class Pair(Struct, frozen=True):
    """One incident: as it would have been, as it was, or both. `why`: what is different, or why it could not be replayed."""

    kind: Kind
    spell: Spell
    """One of both, for what they have in common."""
    would: Spell | None
    was: Spell | None
    why: str = ""


def beside(would: Iterable[Spell], was: Iterable[Spell], recorded: Mapping[str, Recorded]) -> list[Pair]:
    """Return all pairs, differences first. `recorded`: target -> what there was to replay."""
    left: dict[object, list[Spell]] = {}
    for spell in sorted(would, key=lambda one: one.fired_at):
        left.setdefault(spell.about, []).append(spell)
    pairs = [
        _pair(spell, left.get(spell.about, []), recorded.get(spell.target, NOTHING)) for spell in sorted(was, key=lambda one: one.fired_at)
    ]
    pairs += [Pair(Kind.NEW, spell, spell, None) for spells in left.values() for spell in spells]
    return sorted(pairs, key=lambda pair: (_ORDER.index(pair.kind), pair.spell.rule, pair.spell.fired_at))


def _pair(was: Spell, left: list[Spell], recorded: Recorded) -> Pair:
    """Return what happened with its counterpart, which is taken out of `left`."""
    would = next((spell for spell in left if spell.overlaps(was)), None)
    if would is not None:
        left.remove(would)
        different = ", ".join(_differences(would, was, recorded))
        return Pair(Kind.DIFFERENT if different else Kind.SAME, was, would, was, different)
    if was.rule not in recorded.rules:
        return Pair(Kind.GONE, was, None, was, "no such rule is in force now")
    why = recorded.blind.get(was.rule) or _outside(was, recorded)
    return Pair(Kind.NOT_REPLAYED if why else Kind.GONE, was, None, was, why)


def _outside(was: Spell, recorded: Recorded) -> str:
    """Return why a spell is not part of what was recorded; empty if it is."""
    if recorded.first is None or recorded.last is None:
        return "nothing was recorded of this target"
    if was.fired_at > recorded.last:
        return "it fired after the last look that was recorded"
    return "it ended before the first look that was recorded" if was.until is not None and was.until < recorded.first else ""


def _differences(would: Spell, was: Spell, recorded: Recorded) -> Iterator[str]:
    first, last, apart_s = recorded.first or 0.0, recorded.last or 0.0, INTERVALS_APART * recorded.interval_s
    if abs(would.fired_at - was.fired_at) > apart_s and max(would.fired_at, was.fired_at) > first + apart_s:
        yield "fires earlier" if would.fired_at < was.fired_at else "fires later"
    ends = [last if one.until is None or one.until > last else one.until for one in (would, was)]
    if abs(ends[0] - ends[1]) > apart_s:
        yield "ends earlier" if ends[0] < ends[1] else "ends later"
    if would.severity is not was.severity:
        yield f"{would.severity} instead of {was.severity}"
    if min(would.fired_at, was.fired_at) >= first:  # what fired before was told before, or not, as it was then
        yield from _told_otherwise(would.first_told, was.first_told, apart_s, recorded.unknown_receivers)


def _told_otherwise(would: Mapping[str, float], was: Mapping[str, float], apart_s: float, unknown: frozenset[str]) -> Iterator[str]:
    """Yield which receivers are told when others were, or at other times."""
    named = sorted({*would, *was} - unknown)
    words = (
        ("sent to", [one for one in named if one not in was]),
        ("not sent to", [one for one in named if one not in would]),
        ("sent earlier to", [one for one in named if one in would and one in was and was[one] - would[one] > apart_s]),
        ("sent later to", [one for one in named if one in would and one in was and would[one] - was[one] > apart_s]),
    )
    yield from (f"{what} {', '.join(receivers)}" for what, receivers in words if receivers)


def agrees(pairs: Sequence[Pair]) -> bool:
    """Whether everything that could be replayed is as it was."""
    return all(pair.kind in (Kind.SAME, Kind.NOT_REPLAYED) for pair in pairs)
