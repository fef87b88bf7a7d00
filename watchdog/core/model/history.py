"""The base of windowed columns: samples of earlier polls, cut to the window and joined to the current one."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from watchdog.core.model.gaps import Gap
from watchdog.core.model.rows import Look, Sample

__all__ = ["numbers_within", "oldest_of", "risen", "rises_per_min", "sampled", "second_look_needed", "totals", "within"]


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
        numbers = sample.values.get(key, ())
        if place < len(numbers) and (number := numbers[place]) is not None:
            return sample.at, number
    return None


def second_look_needed(look: Look, *columns: str) -> dict[str, str]:
    """Return idle reasons for columns that compare two polls, as long as this poll is the only one within the window."""
    if within(look):
        return {}
    return {column: f"{column} needs a second poll" for column in columns}


def totals(history: Sequence[Sample], counts: Mapping[str, float]) -> dict[str, tuple[float | None, ...]]:
    """Return the sample of counters: key -> (total, count), for their counts now.

    A total rises with its count and never falls: if the count falls, it was reset, and its new value counts as the rise. So a rise over any
    window is one subtraction, which matters for a thousand counters and thirty samples. A counter that stands still costs a sample nothing:
    it has the same numbers as the one before.
    """
    last = history[-1].values if history else {}
    found: dict[str, tuple[float | None, ...]] = {}
    for key, count in counts.items():
        numbers = last.get(key) or _latest_of(history, key)
        if numbers[1:] == (count,) and numbers[0] is not None:
            found[key] = numbers
            continue
        total, before = (numbers[0], numbers[-1]) if numbers else (count, count)  # a sample of an earlier version has the count alone
        if total is None or before is None:
            total = before = count
        found[key] = (total + (count - before if count >= before else count), count)
    return found


def sampled(history: Sequence[Sample], numbers: Mapping[str, float | Gap]) -> dict[str, tuple[float | None, ...]]:
    """Return the sample of one number for each key; None for a gap.

    A number that is as it was is kept once: of a thousand queues, few change between two looks, and thirty samples are kept of each.
    """
    last = history[-1].values if history else {}
    found: dict[str, tuple[float | None, ...]] = {}
    for key, number in numbers.items():
        value, before = None if isinstance(number, Gap) else float(number), last.get(key)
        found[key] = before if before is not None and before == (value,) else (value,)
    return found


def rises_per_min(samples: Sequence[Sample], now: Sample) -> dict[str, float]:
    """Return key -> how much its total (see `totals`) rose per minute since the oldest sample that has it."""
    oldest = samples[0] if samples else now
    rises = {}
    for key, (total, *_) in now.values.items():
        at, first = oldest.at, oldest.values.get(key, (None,))[0]
        if first is None:
            at, first = oldest_of(samples, key, 0) or (now.at, 0.0)
        rises[key] = max((total or 0.0) - first, 0.0) / (now.at - at) * 60 if now.at > at else 0.0
    return rises


def _latest_of(history: Sequence[Sample], key: str) -> tuple[float | None, ...]:
    """Return the numbers of the latest sample that has a key; () if none has."""
    return next((found for sample in reversed(history) if (found := sample.values.get(key))), ())


def risen(numbers: list[float]) -> float:
    """Return how much a counter rose. If it falls, it was reset, and its new value counts as the rise."""
    if numbers == sorted(numbers):  # the usual case; a thousand counters are summed in each cycle
        return numbers[-1] - numbers[0] if numbers else 0.0
    return sum(b - a if b >= a else b for a, b in pairwise(numbers))
