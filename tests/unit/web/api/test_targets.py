"""Targets, tables and history as the API shows them."""

from pathlib import Path

import pytest

from tests.builders.api import NOW, a_store, an_api
from watchdog.core.history.series import Keeping, Part, Slice
from watchdog.core.model.last_look import LastLook
from watchdog.status.documents.history import MOST_ROWS
from watchdog.store import Looked
from watchdog.tables.history.kept import KEPT


def test_status_shows_all_targets_in_their_order(tmp_path: Path) -> None:
    assert [one["target"] for one in an_api(tmp_path).got("/status")["targets"]] == ["prod", "staging"]


def test_status_shows_those_that_are_named(tmp_path: Path) -> None:
    assert [one["target"] for one in an_api(tmp_path).got("/status?target=staging")["targets"]] == ["staging"]


def test_a_target_that_does_not_exist_is_named_with_what_was_meant(tmp_path: Path) -> None:
    assert an_api(tmp_path).refused("GET", "/status?target=prdo") == (
        404,
        "query parameter target",
        'no target "prdo"; did you mean "prod"?',
    )


def test_the_list_says_when_each_was_seen(tmp_path: Path) -> None:
    seen = {one["target"]: one["age_s"] for one in an_api(tmp_path).got("/targets")["targets"]}
    assert seen == {"prod": 10.0, "staging": None}


def test_the_list_counts_open_incidents(tmp_path: Path) -> None:
    assert [one["open_incidents"] for one in an_api(tmp_path).got("/targets")["targets"]] == [2, 0]


def test_a_cell_that_nobody_could_read_is_null_with_its_reason(tmp_path: Path) -> None:
    blind = an_api(tmp_path).got("/targets/prod/tables/queues")["rows"][1]
    assert (blind["cells"]["length"], blind["gaps"]) == (None, {"length": "redis: no answer within 2s"})


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("prod/tables/errors", "flower: no answer"),
        ("staging/tables/queues", "not seen yet"),
        ("prod/tables/workers", "the last look did not read it: nothing that is configured needs it"),
    ],
)
def test_a_table_that_was_not_read_says_why(tmp_path: Path, path: str, why: str) -> None:
    assert an_api(tmp_path).got(f"/targets/{path}")["unread"] == why


def test_a_password_in_a_reason_is_masked(tmp_path: Path) -> None:
    assert an_api(tmp_path).got("/targets/prod/tables/broker")["unread"] == "no answer from redis://***@db:6379/0"


def test_a_table_that_does_not_exist_is_named_with_what_was_meant(tmp_path: Path) -> None:
    assert an_api(tmp_path).refused("GET", "/targets/prod/tables/queus") == (404, "path", 'no table "queus"; did you mean "queues"?')


def test_history_has_a_part_for_each_step_in_which_somebody_looked(tmp_path: Path) -> None:
    (part,) = an_api(tmp_path).got("/targets/prod/history?table=queues&key=indexing")["parts"]
    assert part["rows"] == [{"name": "indexing", "length": 60, "length_max": 60, "consumers_min": 1, "oldest_max": None}]


def test_history_shows_the_figures_that_are_named(tmp_path: Path) -> None:
    document = an_api(tmp_path).got("/targets/prod/history?table=queues&series=length&window=1h")
    assert [set(row) for row in document["parts"][0]["rows"]] == [{"name", "length"}] * 2


def test_history_of_times_has_percentiles(tmp_path: Path) -> None:
    (part,) = an_api(tmp_path).got("/targets/prod/history?table=tasks&series=runtime")["parts"]
    assert part["rows"][0]["runtime"]["p95"] == pytest.approx(2.0, rel=0.05)


def test_a_target_without_a_history_has_no_parts(tmp_path: Path) -> None:
    assert an_api(tmp_path).got("/targets/staging/history?table=queues")["parts"] == []


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", "query parameter table"),
        ("?table=blind", "query parameter table"),
        ("?table=queues&series=lenght", "query parameter series"),
        ("?table=queues&window=0s", "query parameter window"),
        ("?table=queues&window=32d", "query parameter window"),
        ("?table=queues&window=20", "query parameter window"),
        ("?table=queues&step=1m", "query parameter step"),
        ("?table=queues&window=1h&step=1s", "query parameter step"),
        ("?table=queues&window=31d&step=5m", "query parameter step"),
        ("?table=queues&table=tasks", "query parameter table"),
    ],
)
def test_what_history_cannot_show_is_refused_where_it_is_wrong(tmp_path: Path, query: str, where: str) -> None:
    assert an_api(tmp_path).refused("GET", f"/targets/prod/history{query}")[:2] == (400, where)


def test_more_rows_than_anybody_can_read_are_refused(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    part = Part(NOW - 9, NOW - 8, {(f"q{nth}",): (1.0, 1.0, 1.0, None) for nth in range(MOST_ROWS + 1)})
    with store.cycle() as transaction:
        transaction.record(Looked("prod", Slice(NOW - 8, {"queues": part}), LastLook(NOW - 8, 10.0, {}), NOW - 9), Keeping(KEPT))
    status, _, detail = an_api(tmp_path, store).refused("GET", "/targets/prod/history?table=queues&series=length")
    assert (status, detail) == (
        400,
        "expected at most 50000 rows, found 50003 rows in 1 step; name a key, a longer step or a shorter window",
    )
