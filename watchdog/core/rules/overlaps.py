"""Which overrides by key may fit one key together: seen from their patterns alone, before any key is known.

In: the `match` of each override (column -> globs). Out: combinations of their positions. In doubt two may meet, which
costs a variant that no key ever reaches; two that may meet are never taken to be apart.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

__all__ = ["Match", "combinations_that_meet"]

Match = Mapping[str, tuple[str, ...]]


def combinations_that_meet(matches: list[Match]) -> Iterator[tuple[int, ...]]:
    """Every non-empty set of positions, ascending, whose patterns may all fit one key."""
    meets = [{b for b in range(a + 1, len(matches)) if _may_meet(matches[a], matches[b])} for a in range(len(matches))]

    def beginning(chosen: tuple[int, ...], further: set[int]) -> Iterator[tuple[int, ...]]:
        for position in sorted(further):
            yield from beginning((*chosen, position), further & meets[position])
        yield chosen

    for position in range(len(matches)):
        yield from beginning((position,), meets[position])


def _may_meet(one: Match, other: Match) -> bool:
    """Whether a key may fit both: on no shared column do all their patterns exclude each other."""
    return all(any(_globs_may_meet(a, b) for a in one[c] for b in other[c]) for c in one.keys() & other.keys())


def _globs_may_meet(one: str, other: str) -> bool:
    if not _is_glob(one):
        return fnmatchcase(one, other)
    if not _is_glob(other):
        return fnmatchcase(other, one)
    ends = ((one, other), (one[::-1], other[::-1]))
    return all(_head(a).startswith(_head(b)) or _head(b).startswith(_head(a)) for a, b in ends)


def _is_glob(pattern: str) -> bool:
    return not set(pattern).isdisjoint("*?[")


def _head(pattern: str) -> str:
    """What stands before the first special character, seen from either end."""
    return next((pattern[:at] for at, letter in enumerate(pattern) if letter in "*?[]"), pattern)
