from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from tests.builders.small_tables import TABLES, queue, worker
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.expectations import Answer, read_expectation
from watchdog.core.model.rows import Reading, Row
from watchdog.core.sql.conditions import ConditionError

REFUSED = "redis: connection refused"
NO_LENGTH = {"length": REFUSED}
SHORT = "queues: length < 50"
FEW = "SELECT count(*) <= 1 FROM queues WHERE length > 50"


def answer(text: str, *rows: Row, reading: Mapping[str, object] | None = None) -> Answer:
    evaluator = Evaluator(TABLES, stopwatch=lambda: 0.0)
    evaluator.load({"queues": Reading(rows, **(reading or {})), "workers": Reading((worker("a"), worker("b", "lost")))})  # type: ignore[arg-type]
    return evaluator.answer(read_expectation(TABLES, text), "prod")


def faults(text: str) -> list[str]:
    with pytest.raises(ConditionError) as refused:
        read_expectation(TABLES, text)
    return [fault.removeprefix(f'--expect "{text}": ') for fault in refused.value.faults]


# --- a condition on a table ---


def test_true_of_every_row_is_ok() -> None:
    assert answer(SHORT, queue("a"), queue("b", length=49)) == Answer(SHORT, "prod", ok=True)


def test_false_of_one_row_is_false_and_shows_what_it_reads_there() -> None:
    said = answer(SHORT, queue("a"), queue("b", length=60.0))
    assert (said.ok, said.reason, said.rows) == (False, "name=b, length=60", ({"name": "b", "length": 60.0},))


def test_a_long_list_of_rows_is_counted() -> None:
    assert answer(SHORT, *(queue(str(n), length=60.0) for n in range(9))).reason.endswith("name=4, length=60; and 4 more")


def test_a_table_without_rows_is_false() -> None:
    said = answer(SHORT)
    assert (said.ok, said.reason) == (False, "queues has no row")


def test_a_gap_in_a_column_it_reads_leaves_it_unanswered() -> None:
    said = answer(SHORT, queue("a"), queue("b", NO_LENGTH))
    assert (said.ok, said.reason) == (None, f"b: {REFUSED}")


@pytest.mark.parametrize("text", ["queues: coalesce(length, 0) < 50", "queues: length < 50 OR consumers > 0", "queues: length IS NULL"])
def test_nothing_hides_a_gap(text: str) -> None:
    assert answer(text, queue("b", NO_LENGTH)).ok is None


def test_a_gap_in_another_column_does_not_matter() -> None:
    assert answer("queues: consumers > 0", queue("a", NO_LENGTH)).ok is True


def test_a_gap_elsewhere_cannot_make_false_true() -> None:
    assert answer(SHORT, queue("a", length=60), queue("b", NO_LENGTH)).ok is False


def test_a_table_that_was_not_read_leaves_it_unanswered() -> None:
    said = answer(SHORT, queue("a"), reading={"unread": REFUSED})
    assert (said.ok, said.reason) == (None, REFUSED)


def test_a_table_read_in_part_may_hide_a_row_that_is_false() -> None:
    assert answer(SHORT, queue("a"), reading={"partial": "cut at 10,000"}).reason == "cut at 10,000"


def test_an_idle_column_leaves_it_unanswered_with_the_reason() -> None:
    said = answer(SHORT, queue("a"), reading={"idle": {"length": "needs a second poll"}})
    assert (said.ok, said.reason) == (None, "length: needs a second poll")


def test_whole_numbers_divide_like_reals() -> None:
    assert answer("queues: length / 100 > 0.5", queue("a", length=60)).ok is True


# --- a SELECT ---


def test_a_select_is_true_where_its_first_column_is() -> None:
    assert answer(FEW, queue("a", length=60)).ok is True


def test_a_select_that_is_false_shows_its_other_columns() -> None:
    said = answer("SELECT count(*) > 3, count(*) AS here FROM queues", queue("a"), queue("b"))
    assert (said.ok, said.reason, said.rows) == (False, "here=2", ({"here": 2},))


def test_every_row_of_a_select_counts() -> None:
    said = answer("SELECT state = 'online', name FROM workers")
    assert (said.ok, said.reason) == (False, "name=b")


def test_a_select_without_rows_is_false() -> None:
    said = answer("SELECT active > 0 FROM workers WHERE name = 'nobody'")
    assert (said.ok, said.reason) == (False, "it gives no row")


def test_null_is_not_true() -> None:
    assert answer("SELECT max(length) < 50 FROM queues").ok is False


def test_a_gap_anywhere_leaves_a_select_unanswered() -> None:
    assert answer(FEW, queue("a"), queue("b", NO_LENGTH)).reason == REFUSED


def test_a_select_beyond_all_bounds_is_not_answered() -> None:
    crowd = ", ".join(f"queues q{n}" for n in range(6))
    said = answer(f"SELECT count(*) > 1 FROM {crowd}", *(queue(str(n)) for n in range(60)))
    assert said.ok is None
    assert "was stopped" in said.reason


# --- what is wrong with its text ---


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("queues: lenght < 5", 'no column "lenght" in queues; did you mean "length"?'),
        ("queus: length < 5", 'no table "queus"; did you mean "queues"?'),
        ("nothing: length < 5", 'no table "nothing"; there are queues, workers, groups, broker'),
        ("queues: length", "length (queues.length) is a number, not a truth value; compare it with something, as in length > 0"),
        ("queues: length < :limit", "no parameter :limit"),
        ("queues: ", "it is empty"),
        ("workers: state = 'onlin'", "workers.state is one of online, left, lost; found 'onlin'; did you mean \"online\"?"),
        ("SELECT count(*) FROM queues", "count(*) is a number, not a truth value; compare it with something, as in count(*) > 0"),
        (
            "SELECT DISTINCT state FROM workers",
            "state (workers.state) is a text, not a truth value; compare it with something, as in state = …",
        ),
        ("SELECT * FROM queues", "its first column must be true or false, as in SELECT count(*) >= 3; found *"),
        ("SELECT count(*) > 1 FROM queus", 'no table "queus"; did you mean "queues"?'),
    ],
)
def test_what_is_wrong_is_said_before_anybody_is_asked(text: str, fault: str) -> None:
    assert faults(text) == [fault]


@pytest.mark.parametrize("text", ["", "queues", "length < 5", "DELETE FROM queues"])
def test_what_is_neither_form_names_both(text: str) -> None:
    assert faults(text)[0].startswith("expected TABLE: CONDITION")


def test_every_fault_is_said_at_once() -> None:
    assert len(faults("queues: lenght < 5 and nam = 'x'")) == 2


def test_watchdog_itself_is_not_looked_at() -> None:
    own = {**TABLES, "broker": replace(TABLES["broker"], own=True)}
    with pytest.raises(ConditionError, match="broker is about watchdog itself"):
        read_expectation(own, "broker: latency_ms < 5")


@pytest.mark.parametrize("text", ["  queues :length < 5", "with q as (select length l from queues) select l < 5 from q", "queues: 1 < 2"])
def test_odd_but_whole(text: str) -> None:
    assert answer(text, queue("a")).ok is True
