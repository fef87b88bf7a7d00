"""What windowed columns are made of: the samples of the looks before, cut to the window and joined to this one."""

from collections.abc import Iterable
from itertools import pairwise

from watchdog.core.rows import Look, Sample

__all__ = ["numbers_of", "numbers_within", "oldest_of", "risen", "second_look_needed", "within"]


def within(look: Look) -> tuple[Sample, ...]:
    """The samples that lie in the window, oldest first. Samples of a clock ahead of ours are left out."""
    return tuple([s for s in look.history if 0 <= look.now - s.at <= look.window_s])


def numbers_within(look: Look, key: str, place: int) -> list[tuple[float, float]]:
    """(time, number) of one key's sampled number, oldest first; gaps left out."""
    return numbers_of(within(look), key, place)


def numbers_of(samples: Iterable[Sample], key: str, place: int) -> list[tuple[float, float]]:
    """The same of samples that were cut to the window already, once for all keys of a table."""
    sampled = [(sample.at, sample.values.get(key, ())) for sample in samples]
    return [(at, number) for at, numbers in sampled if place < len(numbers) and (number := numbers[place]) is not None]


def oldest_of(samples: Iterable[Sample], key: str, place: int) -> tuple[float, float] | None:
    """The oldest of them; None without any."""
    for sample in samples:
        if found := numbers_of((sample,), key, place):
            return found[0]
    return None


def second_look_needed(look: Look, *columns: str) -> dict[str, str]:
    """Idle reasons for columns that compare two looks, while this is the only one within the window."""
    if within(look):
        return {}
    return {column: f"{column} needs a second look" for column in columns}


def risen(points: list[tuple[float, float]]) -> float:
    """By how much a counter rose over the points; where it falls it was reset, and its new value is what it rose by."""
    numbers = [number for _, number in points]
    if numbers == sorted(numbers):  # as counters do; a thousand of them are summed in each cycle
        return numbers[-1] - numbers[0] if numbers else 0.0
    return sum(b - a if b >= a else b for a, b in pairwise(numbers))
