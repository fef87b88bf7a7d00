"""The base of windowed columns: samples of earlier polls, cut to the window and joined to the current one."""

from collections.abc import Iterable
from itertools import pairwise

from watchdog.core.model.rows import Look, Sample

__all__ = ["numbers_within", "oldest_of", "risen", "rises_per_min", "second_look_needed", "within"]


def within(look: Look) -> tuple[Sample, ...]:
    """Return the samples within the window, oldest first. Samples ahead of our clock are left out."""
    return tuple([s for s in look.history if 0 <= look.now - s.at <= look.window_s])


def numbers_within(look: Look, key: str, place: int) -> list[tuple[float, float]]:
    """Return (time, number) for one sampled number of a key, oldest first, without gaps."""
    return _numbers_of(within(look), key, place)


def _numbers_of(samples: Iterable[Sample], key: str, place: int) -> list[tuple[float, float]]:
    sampled = [(sample.at, sample.values.get(key, ())) for sample in samples]
    return [(at, number) for at, numbers in sampled if place < len(numbers) and (number := numbers[place]) is not None]


def oldest_of(samples: Iterable[Sample], key: str, place: int) -> tuple[float, float] | None:
    """Return the oldest of them; None if there is none."""
    for sample in samples:
        if found := _numbers_of((sample,), key, place):
            return found[0]
    return None


def second_look_needed(look: Look, *columns: str) -> dict[str, str]:
    """Return idle reasons for columns that compare two polls, as long as this poll is the only one within the window."""
    if within(look):
        return {}
    return {column: f"{column} needs a second look" for column in columns}


def rises_per_min(samples: tuple[Sample, ...], now: Sample) -> dict[str, float]:
    """Return key -> how much its counter (the first of its numbers) rose per minute since the oldest sample that has it.

    All keys are handled at once, because each cycle goes through a thousand counters over a window of thirty polls.
    """
    looks, keys = [*samples, now], list(now.values)
    times = [look.at for look in looks]
    numbers = zip(*[map(look.values.get, keys) for look in looks], strict=True)
    return {key: _rise_per_min(times, of_key) for key, of_key in zip(keys, numbers, strict=True)}


def _rise_per_min(times: list[float], numbers: tuple[tuple[float | None, ...] | None, ...]) -> float:
    """Return the rise of one key. `numbers`: the key's samples at each of the times; None where there is none."""
    points = [(at, count) for at, some in zip(times, numbers, strict=True) if some and (count := some[0]) is not None]
    span = times[-1] - points[0][0] if points else 0.0
    if span <= 0 or points[-1][0] != times[-1]:
        return 0.0
    return risen([count for _, count in points]) / span * 60


def risen(numbers: list[float]) -> float:
    """Return how much a counter rose. If it falls, it was reset, and its new value counts as the rise."""
    if numbers == sorted(numbers):  # the usual case; a thousand counters are summed in each cycle
        return numbers[-1] - numbers[0] if numbers else 0.0
    return sum(b - a if b >= a else b for a, b in pairwise(numbers))
