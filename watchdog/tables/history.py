"""What windowed columns are made of: the samples of the looks before, cut to the window and joined to this one."""

from itertools import pairwise

from watchdog.core.rows import Look, Sample

__all__ = ["numbers_within", "risen", "second_look_needed", "within"]


def within(look: Look) -> tuple[Sample, ...]:
    """The samples that lie in the window, oldest first. Samples of a clock ahead of ours are left out."""
    return tuple(s for s in look.history if 0 <= look.now - s.at <= look.window_s)


def numbers_within(look: Look, key: str, place: int) -> list[tuple[float, float]]:
    """(time, number) of one key's sampled number, oldest first; gaps left out."""
    found = []
    for sample in within(look):
        numbers = sample.values.get(key)
        number = numbers[place] if numbers is not None and place < len(numbers) else None
        if number is not None:
            found.append((sample.at, number))
    return found


def second_look_needed(look: Look, *columns: str) -> dict[str, str]:
    """Idle reasons for columns that compare two looks, while this is the only one within the window."""
    if within(look):
        return {}
    return {column: f"{column} needs a second look" for column in columns}


def risen(points: list[tuple[float, float]]) -> float:
    """By how much a counter rose over the points; where it falls it was reset, and its new value is what it rose by."""
    return sum(b - a if b >= a else b for (_, a), (_, b) in pairwise(points))
