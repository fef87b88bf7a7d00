"""Percentiles survive sketching and any number of folds; counts and extremes are exact however looks are grouped."""

from itertools import pairwise
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.history.folding import fold
from watchdog.core.history.series import Fold, Kept, Part, Series, Slice
from watchdog.core.model.sketch import Sketch, merged, quantile, sketch_of

LOOKS = {
    "t": Kept("t", ("name",), tuple(Series(how.value, how, "") for how in (Fold.SUM, Fold.MAX, Fold.MIN, Fold.LAST)), lambda _: None),
}
DURATIONS = st.lists(st.floats(0.0005, 500_000), min_size=1, max_size=400)


@given(DURATIONS, st.integers(1, 20), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_of_buckets_is_within_2_percent_of_the_true_one(durations: list[float], buckets: int, share: float) -> None:
    parts = [sketch_of(durations[nth::buckets]) for nth in range(buckets)]
    true = sorted(durations)[max(ceil(share * len(durations)) - 1, 0)]
    found = quantile(merged(parts), share)
    assert found is not None
    assert abs(found - true) <= 0.0200001 * true


@given(DURATIONS)
def test_a_sketch_counts_and_averages_exactly(durations: list[float]) -> None:
    sketch = merged(sketch_of([seconds]) for seconds in durations)
    assert sketch.count == len(durations)
    assert sketch.mean_s is not None
    assert abs(sketch.mean_s - sum(durations) / len(durations)) <= 1e-9 * max(durations) * len(durations)


def test_nothing_has_no_percentile() -> None:
    assert (quantile(Sketch(), 0.5), Sketch().mean_s) == (None, None)


def test_runs_that_took_no_time_count() -> None:
    assert quantile(sketch_of([0.0, 0.0, 0.0, 1.0]), 0.5) == 0.0


@given(
    st.lists(st.one_of(st.none(), st.integers(-1000, 1000).map(float)), min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=5)
)
def test_folding_in_steps_is_folding_at_once(values: list[float | None], cuts: list[int]) -> None:
    looks = [Slice(at + 1.0, {"t": Part(float(at), at + 1.0, {("a",): (value,) * 4})}) for at, value in enumerate(values)]
    bounds = sorted({0, len(looks), *(cut for cut in cuts if cut < len(looks))})
    in_steps = [fold(looks[begin:end], LOOKS) for begin, end in pairwise(bounds)]
    assert fold(in_steps, LOOKS) == fold(looks, LOOKS)
