"""The shipped rules that have a query of their own, judged on rows of the tables that they join."""

from collections.abc import Mapping
from time import perf_counter

import pytest

from tests.unit.test_shipped_rules import ON_ROWS, PACK, row
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.judging.texts import texts_of
from watchdog.core.model.rows import Cell, Reading
from watchdog.tables import TABLES

Tables = Mapping[str, Mapping[str, Cell]]

NEAR: dict[str, dict[str, Cell]] = {
    "running": {"id": "t1", "name": "shop.pay", "running_s": 2900.0},
    "broker": {"visibility_timeout_s": 3600.0, "unacked_oldest_s": 2905.0},
}
JUST_BEFORE: dict[str, Cell] = {"id": "t1", "running_s": 2870.0}
BREACHES: Mapping[str, tuple[Tables, str]] = {
    "TaskNearVisibilityTimeout": (
        NEAR,
        "shop.pay has been running for 48m20s on celery@web-1; at 1h it is delivered again",
    ),
}
QUIET: list[tuple[str, Tables]] = [
    ("TaskNearVisibilityTimeout", {**NEAR, "running": JUST_BEFORE}),
    ("TaskNearVisibilityTimeout", {**NEAR, "broker": {"visibility_timeout_s": 3600.0, "unacked_oldest_s": 60.0}}),
    ("TaskNearVisibilityTimeout", {**NEAR, "running": {**NEAR["running"], "worker_state": "lost"}}),
]


def judged(name: str, tables: Tables, gaps: Mapping[str, str] | None = None) -> Finding | None:
    evaluator = Evaluator(TABLES, stopwatch=perf_counter)
    evaluator.load({table: Reading((row(table, cells, gaps or {} if table == "running" else {}),)) for table, cells in tables.items()})
    judgement = evaluator.judge(PACK[name], (), {("t1",): True} if gaps else {})
    evaluator.close()
    assert judgement.failed is None
    return next(iter(judgement.findings), None)


def test_these_are_all() -> None:
    assert set(PACK) - set(ON_ROWS) == set(BREACHES)


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_reads_well(name: str) -> None:
    tables, said = BREACHES[name]
    finding = judged(name, tables)
    assert finding is not None
    assert (finding.verdict, texts_of(finding, "prod", finding.severity).summary) == (Verdict.BREACH, said)


@pytest.mark.parametrize(("name", "tables"), QUIET)
def test_what_is_no_fault_is_quiet(name: str, tables: Tables) -> None:
    finding = judged(name, tables)
    assert finding is None or finding.verdict is not Verdict.BREACH


def test_a_gap_opens_nothing() -> None:
    finding = judged("TaskNearVisibilityTimeout", NEAR, {"running_s": "flower: 503"})
    assert finding is None or finding.verdict is Verdict.UNKNOWN
