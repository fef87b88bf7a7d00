from collections.abc import Mapping
from math import inf

from tests.builders.small_tables import TABLES, queue
from watchdog.cli.output.page import plain
from watchdog.cli.rules.query_answer import Answer, Cell, NoValue, answered, csv_text, query_document, query_page
from watchdog.core.model.rows import Reading

READS: Mapping[str, frozenset[str]] = {"queues": frozenset({"name", "consumers", "declared"})}


def answer(
    *rows: tuple[Cell, ...], target: str = "prod", gaps: tuple[NoValue, ...] = (), unread: Mapping[str, str] | None = None
) -> Answer:
    return Answer(target, ("name", "length"), rows, gaps, unread or {})


def text(*answers: Answer, most: int = 100) -> list[str]:
    return plain(query_page(answers, "configuration watchdog.toml", most)).splitlines()


def test_rows_are_a_table_and_counted() -> None:
    assert text(answer(("a", 60.0), ("b", 0.5))) == ["name  length", "a     60", "b     0.5", "2 rows · configuration watchdog.toml"]


def test_a_cell_without_a_value_is_a_question_mark_and_null() -> None:
    blind = answer(("a", None))
    assert text(blind)[1] == "a     ?"
    assert query_document([blind], 100)["rows"] == [{"name": "a", "length": None}]


def test_infinity_is_null_in_the_document() -> None:
    assert query_document([answer(("a", inf))], 100)["rows"] == [{"name": "a", "length": None}]


def test_of_several_targets_each_row_says_whose_it_is() -> None:
    assert text(answer(("a", 1.0)), answer(("b", 2.0), target="lab"))[:3] == ["target  name  length", "prod    a     1", "lab     b     2"]


def test_each_gap_is_named_with_its_reason_and_its_rows() -> None:
    rows = (queue("a", {"consumers": "flower: refused"}), queue("b", {"consumers": "flower: refused"}), queue("c"))
    found = answered("prod", TABLES, READS, {"queues": Reading(rows)}, (("name", "consumers"), []))
    assert found.notes == ("? prod: queues.consumers of a, b: flower: refused",)


def test_an_idle_column_that_is_read_is_named() -> None:
    found = answered("prod", TABLES, READS, {"queues": Reading(idle={"consumers": "needs Flower", "length": "other"})}, (("name",), []))
    assert [gap.reason for gap in found.gaps] == ["needs Flower"]


def test_columns_without_a_value_for_one_reason_are_named_together() -> None:
    idle = {"consumers": "needs Flower", "declared": "needs Flower"}
    found = answered("prod", TABLES, READS, {"queues": Reading(idle=idle)}, (("name",), []))
    assert found.notes == ("? prod: queues.consumers, declared: needs Flower",)


def test_a_table_that_was_not_read_is_said_once() -> None:
    reading = Reading((queue("a", {"consumers": "redis: refused"}),), unread="redis: refused")
    found = answered("prod", TABLES, READS, {"queues": reading}, (("name",), []))
    assert found.notes == ("prod: queues could not be read: redis: refused",)


def test_a_table_read_in_part_says_so() -> None:
    found = answered("prod", TABLES, READS, {"queues": Reading(partial="only 1000 keys")}, (("name",), []))
    assert found.notes == ("? prod: queues.*: read in part: only 1000 keys",)


def test_a_boolean_column_comes_back_as_a_truth_value() -> None:
    found = answered("prod", TABLES, READS, {"queues": Reading()}, (("declared", "n"), [(1, 1)]))
    assert found.rows == ((True, 1),)


def test_rows_beyond_the_limit_are_cut_and_said_to_be() -> None:
    shown = text(answer(("a", 1.0), ("b", 2.0)), most=1)
    assert "prod: only the first 1 rows are shown" in shown


def test_csv_has_a_header_and_nothing_where_there_is_no_value() -> None:
    assert csv_text([answer(("a,b", None), ("c", 60.0))], 100) == 'name,length\n"a,b",\nc,60\n'


def test_csv_quotes_a_line_that_a_ci_system_would_carry_out() -> None:
    assert csv_text([answer(("::notice::x", None), ("c", 60.0))], 100) == 'name,length\n"::notice::x",""\nc,60\n'
