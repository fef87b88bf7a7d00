"""How looks become buckets: a gap is never a zero."""

from watchdog.core.history.folding import fold
from watchdog.core.history.series import Fold, Kept, Moment, Part, Series, Slice, Value
from watchdog.core.model.reading import Past, Seen


def kept(*folds: Fold) -> dict[str, Kept]:
    return {"t": Kept("t", ("name",), tuple(Series(how.value, how, "") for how in folds), lambda _: None)}


def look(at: float, *values: Value, lasts: float = 10.0, key: str = "a") -> Slice:
    return Slice(at, {"t": Part(at - lasts, at, {(key,): values})})


def only(folded: Slice, key: str = "a") -> tuple[Value, ...]:
    return folded.parts["t"].rows[key,]


def test_a_mean_is_weighted_by_how_long_a_value_was_valid() -> None:
    assert only(fold([look(10, 1.0), look(40, 4.0, lasts=30.0)], kept(Fold.MEAN))) == (3.25,)


def test_a_gap_is_left_out_and_nothing_but_gaps_is_a_gap() -> None:
    folds = (Fold.MEAN, Fold.MIN, Fold.SUM, Fold.LAST, Fold.MAX)
    assert only(fold([look(10, *[5.0] * 5), look(20, *[None] * 5)], kept(*folds))) == (5.0,) * 5
    assert only(fold([look(10, *[None] * 5), look(20, *[None] * 5)], kept(*folds))) == (None,) * 5


def test_each_slice_is_read_once_and_need_not_be_kept() -> None:
    looks = [look(10, 1.0), look(20, 1.0), look(30, 4.0)]
    assert fold(iter(looks), kept(Fold.SUM)) == fold(looks, kept(Fold.SUM)) == Slice(30.0, {"t": Part(0.0, 30.0, {("a",): (6.0,)})})


def test_a_time_in_which_nothing_could_be_read_has_no_part() -> None:
    assert fold([Slice(10.0), Slice(20.0)], kept(Fold.SUM)) == Slice(20.0)


def test_the_parts_cover_from_the_first_to_the_last() -> None:
    part = fold([look(20), look(60, lasts=20.0)], kept()).parts["t"]
    assert (part.since, part.until) == (10.0, 60.0)


def test_a_key_that_came_later_has_the_values_of_its_own_looks() -> None:
    folded = fold([look(10, 1.0), look(20, 0.5, key="b")], kept(Fold.MIN))
    assert (only(folded, "a"), only(folded, "b")) == ((1.0,), (0.5,))


def test_a_key_that_was_absent_for_a_while_is_weighted_by_the_looks_that_have_it() -> None:
    looks = [look(10, 1.0), look(40, 9.0, lasts=30.0, key="b"), look(60, 4.0, lasts=20.0)]
    assert only(fold(looks, kept(Fold.MEAN))) == (3.0,)


def test_series_added_by_a_later_version_are_gaps_in_what_is_older() -> None:
    assert only(fold([look(10, 1.0), look(20, 1.0, 7.0)], kept(Fold.SUM, Fold.SUM))) == (2.0, 7.0)
    assert only(fold([look(10, 1.0)], kept(Fold.SUM, Fold.SUM))) == (1.0, None)


def test_a_table_that_is_not_kept_any_more_is_dropped() -> None:
    assert fold([look(10, 1.0)], {}) == Slice(10.0)


def moment(before_at: float | None) -> Moment:
    return Moment(Past(), Seen({}, {}, {}), 1000.0, before_at, 10.0)


def test_a_gauge_is_valid_since_the_look_before_unless_that_is_long_ago() -> None:
    assert moment(991.0).since == 991.0
    assert moment(980.0).since == 980.0
    assert moment(900.0).since == 990.0
    assert moment(None).since == 990.0


def test_a_clock_set_back_leaves_a_gauge_valid_for_one_interval() -> None:
    assert moment(5000.0).since == 990.0
