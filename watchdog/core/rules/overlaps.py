"""Which overrides by key may match the same key, according to their patterns alone, before any key is known.

Input: the `match` of each override (column -> globs). Output: combinations of their positions. In doubt, two overrides count as
overlapping: that costs a variant that no key reaches, whereas a missed overlap would be an error.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

__all__ = ["Match", "combinations_that_meet"]

Match = Mapping[str, tuple[str, ...]]


def combinations_that_meet(matches: list[Match]) -> Iterator[tuple[int, ...]]:
    """Yield every non-empty set of positions, ascending, whose patterns may all match one key."""
    meets = [{b for b in range(a + 1, len(matches)) if _may_meet(matches[a], matches[b])} for a in range(len(matches))]

    def beginning(chosen: tuple[int, ...], further: set[int]) -> Iterator[tuple[int, ...]]:
        for position in sorted(further):
            yield from beginning((*chosen, position), further & meets[position])
        yield chosen

    for position in range(len(matches)):
        yield from beginning((position,), meets[position])


def _may_meet(one: Match, other: Match) -> bool:
    """Whether one key may match both: there is no shared column on which all their patterns exclude each other."""
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
    """Return what precedes the first special character."""
    return next((pattern[:at] for at, letter in enumerate(pattern) if letter in "*?[]"), pattern)
