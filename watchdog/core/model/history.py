"""What windowed columns are made of: the samples of the looks before, cut to the window and joined to this one."""

from collections.abc import Iterable
from itertools import pairwise

from watchdog.core.model.rows import Look, Sample

__all__ = ["numbers_within", "oldest_of", "risen", "rises_per_min", "second_look_needed", "within"]


def within(look: Look) -> tuple[Sample, ...]:
    """The samples that lie in the window, oldest first. Samples of a clock ahead of ours are left out."""
    return tuple([s for s in look.history if 0 <= look.now - s.at <= look.window_s])


def numbers_within(look: Look, key: str, place: int) -> list[tuple[float, float]]:
    """(time, number) of one key's sampled number, oldest first; gaps left out."""
    return _numbers_of(within(look), key, place)


def _numbers_of(samples: Iterable[Sample], key: str, place: int) -> list[tuple[float, float]]:
    sampled = [(sample.at, sample.values.get(key, ())) for sample in samples]
    return [(at, number) for at, numbers in sampled if place < len(numbers) and (number := numbers[place]) is not None]


def oldest_of(samples: Iterable[Sample], key: str, place: int) -> tuple[float, float] | None:
    """The oldest of them; None without any."""
    for sample in samples:
        if found := _numbers_of((sample,), key, place):
            return found[0]
    return None


def second_look_needed(look: Look, *columns: str) -> dict[str, str]:
    """Idle reasons for columns that compare two looks, while this is the only one within the window."""
    if within(look):
        return {}
    return {column: f"{column} needs a second look" for column in columns}


def rises_per_min(samples: tuple[Sample, ...], now: Sample) -> dict[str, float]:
    """Key of this look -> by how much its counter, the first of its numbers, rose a minute since the oldest sample that has it.

    All keys at once: a thousand counters over a window of thirty looks are gone through in each cycle.
    """
    looks, keys = [*samples, now], list(now.values)
    times = [look.at for look in looks]
    numbers = zip(*[map(look.values.get, keys) for look in looks], strict=True)
    return {key: _rise_per_min(times, of_key) for key, of_key in zip(keys, numbers, strict=True)}


def _rise_per_min(times: list[float], numbers: tuple[tuple[float | None, ...] | None, ...]) -> float:
    """`numbers`: a key's at each of the times, where they were sampled."""
    points = [(at, count) for at, some in zip(times, numbers, strict=True) if some and (count := some[0]) is not None]
    span = times[-1] - points[0][0] if points else 0.0
    if span <= 0 or points[-1][0] != times[-1]:
        return 0.0
    return risen([count for _, count in points]) / span * 60


def risen(numbers: list[float]) -> float:
    """By how much a counter rose; where it falls it was reset, and its new value is what it rose by."""
    if numbers == sorted(numbers):  # as counters do; a thousand of them are summed in each cycle
        return numbers[-1] - numbers[0] if numbers else 0.0
    return sum(b - a if b >= a else b for a, b in pairwise(numbers))
