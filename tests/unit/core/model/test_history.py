"""Rates of counters from their totals: the same as from the counts of every poll."""

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import risen, rises_per_min, sampled, totals
from watchdog.core.model.rows import Sample

STEP_S = 10.0
counts = st.lists(st.none() | st.integers(0, 50).map(float), min_size=1, max_size=12)


def _sampled(seen: list[float | None]) -> list[Sample]:
    """The samples of one counter, one each `STEP_S`; None where it was not seen."""
    samples: list[Sample] = []
    for nth, count in enumerate(seen):
        samples.append(Sample(nth * STEP_S, totals(samples, {} if count is None else {"w": count})))
    return samples


@given(counts, st.integers(0, 11))
def test_a_rise_by_totals_is_the_sum_of_all_rises_within_the_window(seen: list[float | None], first: int) -> None:
    *samples, now = _sampled(seen)
    window = samples[first:]
    points = [(nth * STEP_S, count) for nth, count in enumerate(seen) if count is not None and (nth >= first or nth == len(seen) - 1)]
    rates = rises_per_min(window, now)
    if seen[-1] is None:
        assert rates == {}
        return
    span_s = now.at - points[0][0]
    assert rates["w"] == (risen([count for _, count in points]) / span_s * 60 if span_s else 0.0)


def test_a_counter_that_is_reset_keeps_its_total() -> None:
    assert totals([Sample(0, {"w": (40.0, 40.0)})], {"w": 3.0}) == {"w": (43.0, 3.0)}


def test_samples_of_an_earlier_version_hold_the_count_alone() -> None:
    old = [Sample(0, {"w": (40.0,), "x": (None,)})]
    now = Sample(60, totals(old, {"w": 46.0, "x": 2.0}))
    assert rises_per_min(old, now) == {"w": 6.0, "x": 0.0}


def test_what_stands_still_is_kept_once_in_all_samples() -> None:
    counted = totals([Sample(0, before := {"w": (43.0, 3.0)})], {"w": 3.0})
    lengths = sampled([Sample(0, long := {"q": (7.0,)})], {"q": 7})
    assert (counted["w"] is before["w"], lengths["q"] is long["q"]) == (True, True)


def test_a_sample_has_the_numbers_of_now_and_none_for_a_gap() -> None:
    before = [Sample(0, {"same": (1.0,), "other": (2.0,), "unread": (3.0,), "gone": (4.0,)})]
    assert sampled(before, {"same": 1, "other": 5, "unread": Gap("why"), "new": 6}) == {
        "same": (1.0,), "other": (5.0,), "unread": (None,), "new": (6.0,),
    }  # fmt: skip
