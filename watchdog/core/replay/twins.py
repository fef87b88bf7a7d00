"""Targets that share a server share its incidents: the one that fired first is told, and names the others, which are told to nobody.

Each target is replayed by itself, so this is settled between them afterwards. One that outlives the first is told by the daemon, not here.

In: the spells of all targets. Out: the same, with those that another target tells in their stead told to nobody.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from watchdog.core.replay.spell import Spell

__all__ = ["told_once"]

_Same = tuple[str, str, tuple[tuple[str, str], ...]]


def told_once(spells: Iterable[Spell]) -> Iterator[Spell]:
    """Yield all spells, in the order in which they fired."""
    before: dict[_Same, list[Spell]] = {}
    for spell in sorted(spells, key=lambda one: (one.fired_at, one.id)):
        if not spell.server:
            yield spell
            continue
        twins = before.setdefault((spell.rule, spell.server, spell.about[2]), [])
        first = next((twin for twin in twins if _tells_of(twin, spell)), None)
        twins.append(spell)
        yield spell if first is None else replace(spell, told=(), untold=None, told_as=first.target)


def _tells_of(twin: Spell, spell: Spell) -> bool:
    """Whether a spell that fired before was sent, still fires, and is as severe."""
    fires = twin.until is None or twin.until >= spell.fired_at
    return twin.target != spell.target and twin.told_at is not None and fires and twin.severity.at_least(spell.severity)
