import json
import re
from math import inf

import pytest
from msgspec.structs import replace

from tests.docs.pages import ROOT
from watchdog.cli.check.json import check_document
from watchdog.cli.check.page import check_page
from watchdog.cli.output.page import plain
from watchdog.core.judging.check_result import CheckResult, Firing, Idle, Note, SourceSeen, TargetChecked, Unknown
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity

UP = SourceSeen("prod", "flower", up=True, error=None, latency_ms=12.0)
IDLE = Idle("Slow", "prod", "runtime_p95 is read from a later release on")


def fires(rule: str = "QueueBacklogHigh", severity: Severity = Severity.WARNING, *, blind: bool = False, **values: Cell) -> Firing:
    return Firing(
        rule, "prod", severity, {"name": "indexing"}, {"team": "data"}, values or {"length": 60.0}, "indexing holds 60", "9f2c",
        runbook="\n1. Look at it.\n2. Mend it.", blind=blind,
    )  # fmt: skip


def result(*firing: Firing, unknown: tuple[Unknown, ...] = (), sources: tuple[SourceSeen, ...] = (UP,), **more: object) -> CheckResult:
    targets = (TargetChecked(sources, firing, unknown, (IDLE,)),)
    return CheckResult(1_763_802_900.0, 31, targets, **more)  # type: ignore[arg-type]


def text(checked: CheckResult, *, verbose: bool = False) -> list[str]:
    return plain(check_page(checked, "configuration watchdog.toml", verbose=verbose)).splitlines()


BLIND = Unknown("WorkerLost", "prod", {}, "flower: connection refused")


@pytest.mark.parametrize(
    ("checked", "verdict"),
    [
        (result(), "OK: nothing fires, 31 rules, 1 target"),
        (result(fires(severity=Severity.INFO)), "OK: 1 below warning, 31 rules, 1 target"),
        (result(fires()), "FIRING: 1, 31 rules, 1 target"),
        (
            result(fires(), fires(severity=Severity.CRITICAL), unknown=(BLIND,)),
            "FIRING: 2 (1 critical), 1 unknown, 31 rules, 1 target",
        ),
        (result(unknown=(BLIND,)), "COULD NOT LOOK: 1 unknown, 31 rules, 1 target"),
        (
            result(
                fires("FlowerUnreachable", blind=True), sources=(SourceSeen("prod", "flower", up=False, error="refused", latency_ms=None),)
            ),
            "COULD NOT LOOK: 1 source down, 31 rules, 1 target",
        ),
    ],
)
def test_the_first_line_is_the_verdict(checked: CheckResult, verdict: str) -> None:
    assert text(checked)[0] == verdict


def test_each_firing_shows_what_where_and_what_to_do_first() -> None:
    assert text(result(fires()))[2:6] == [
        "warning  QueueBacklogHigh  prod  name=indexing",
        "    indexing holds 60",
        "    length=60",
        "    → 1. Look at it.",
    ]


def test_the_worst_comes_first() -> None:
    shown = text(result(fires("Mild"), fires("Worst", Severity.CRITICAL)))
    assert shown[2].startswith("critical  Worst")


def test_a_gap_among_the_values_is_a_question_mark() -> None:
    assert "    length=60, consumers=?" in text(result(fires(length=60.0, consumers=None)))


def test_a_reason_is_said_once_with_all_it_blinds() -> None:
    unknown = tuple(Unknown(rule, "prod", key, "flower: down") for rule, key in [("A", {"name": "x"}), ("A", {"name": "y"}), ("B", {})])
    shown = text(result(unknown=unknown))
    assert shown[3:5] == ["  prod: flower: down", "      blinds A (name=x, name=y); B"]


def test_many_keys_of_one_reason_are_counted() -> None:
    unknown = tuple(Unknown("A", "prod", {"name": str(n)}, "flower: down") for n in range(20))
    assert any("and 12 more" in line for line in text(result(unknown=unknown)))


def test_idle_rules_are_listed_only_when_asked_for() -> None:
    assert not any("Slow" in line for line in text(result()))
    assert any("Slow" in line for line in text(result(), verbose=True))


def test_a_source_that_left_something_unanswered_is_named() -> None:
    half = SourceSeen("prod", "redis", up=True, error="redis: INFO is not allowed", latency_ms=1.0)
    assert "redis of prod did not answer everything: redis: INFO is not allowed" in text(result(sources=(half,)))


def test_the_last_line_names_the_configuration() -> None:
    assert text(result())[-1] == "2025-11-22T09:15:00Z · configuration watchdog.toml"


CI_TABLE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").partition("## The result as JSON")[2].partition("\n\nTimes")[0]


def test_the_document_has_the_keys_of_its_page_in_their_order() -> None:
    documented = [key for row in CI_TABLE.splitlines() for key in re.findall(r"`(\w+)`", row.split(" | ")[0])]
    assert list(check_document(result())) == documented


@pytest.mark.parametrize("of", ["sources", "firing", "unknown", "idle", "expect", "notes"])
def test_a_row_has_the_keys_of_the_page_in_their_order(of: str) -> None:
    everything = TargetChecked((UP,), (fires(),), (BLIND,), (IDLE,), expected=(FALSE,), notes=(Note("prod", "queues", "by Redis"),))
    (row,) = check_document(CheckResult(1_763_802_900.0, 31, (everything,)))[of]
    (documented,) = (line for line in CI_TABLE.splitlines() if line.startswith(f"| `{of}` |"))
    assert list(row) == re.findall(r"`(\w+)`", documented.split(" | ")[1])


def test_the_document_of_a_firing_look() -> None:
    document = check_document(result(fires(), unknown=(BLIND,)))
    assert document == {
        "version": 1,
        "checked_at": "2025-11-22T09:15:00Z",
        "exit_code": 1,
        "rules": 31,
        "sources": [{"target": "prod", "source": "flower", "up": True, "error": None, "latency_ms": 12}],
        "firing": [
            {
                "rule": "QueueBacklogHigh",
                "target": "prod",
                "severity": "warning",
                "key": {"name": "indexing"},
                "labels": {"team": "data"},
                "values": {"length": 60},
                "summary": "indexing holds 60",
                "fingerprint": "9f2c",
                "link": None,
                "trial": False,
            }
        ],
        "unknown": [{"rule": "WorkerLost", "target": "prod", "key": {}, "reason": "flower: connection refused", "trial": False}],
        "idle": [{"rule": "Slow", "target": "prod", "reason": "runtime_p95 is read from a later release on"}],
        "expect": [],
        "notes": [],
    }


LINK = "https://flower.example.com/broker#indexing"


def test_the_document_links_to_the_page_of_what_fires() -> None:
    assert check_document(result(replace(fires(), link=LINK)))["firing"][0]["link"] == LINK


def test_the_page_of_what_fires_is_shown_where_more_is_asked_for() -> None:
    shown = [text(result(replace(fires(), link=LINK)), verbose=verbose) for verbose in (False, True)]
    assert [sum(LINK in line for line in lines) for lines in shown] == [0, 1]


def expecting(*answers: Answer) -> CheckResult:
    return CheckResult(1_763_802_900.0, 31, (TargetChecked((UP,), expected=answers),))


FALSE = Answer("workers: state = 'online'", "prod", ok=False, reason="name=a, state=lost", rows=({"name": "a", "state": "lost"},))
UNANSWERED = Answer("queues: length < 5", "prod", None, "redis: connection refused")
TRUE = Answer("cluster: workers_online >= 3", "prod", ok=True)


def test_expectations_in_the_document_say_why_they_are_not_true() -> None:
    assert check_document(expecting(TRUE, FALSE, UNANSWERED))["expect"] == [
        {"expect": "cluster: workers_online >= 3", "ok": True, "target": "prod"},
        {"expect": "workers: state = 'online'", "ok": False, "target": "prod", "reason": "name=a, state=lost"},
        {"expect": "queues: length < 5", "ok": None, "target": "prod", "reason": "redis: connection refused"},
    ]


def test_each_expectation_is_listed_with_the_rows_that_are_false_or_why_it_is_unknown() -> None:
    assert text(expecting(TRUE, FALSE, UNANSWERED))[1:8] == [
        "",
        "Expected:",
        "ok       cluster: workers_online >= 3  prod",
        "false    workers: state = 'online'     prod",
        "    name=a, state=lost",
        "unknown  queues: length < 5            prod",
        "    redis: connection refused",
    ]


@pytest.mark.parametrize(
    ("checked", "verdict"),
    [
        (expecting(TRUE), "OK: nothing fires, 31 rules, 1 target"),
        (expecting(FALSE, UNANSWERED), "NOT AS EXPECTED: 1, 1 expectation not answered, 31 rules, 1 target"),
        (expecting(UNANSWERED), "COULD NOT LOOK: 1 expectation not answered, 31 rules, 1 target"),
    ],
)
def test_the_verdict_speaks_of_expectations(checked: CheckResult, verdict: str) -> None:
    assert text(checked)[0] == verdict


@pytest.mark.parametrize(
    ("cell", "written"), [(inf, "null"), (60.0, "60"), (0.5, "0.5"), (True, "true"), (False, "false"), (None, "null"), ("é", '"é"')]
)
def test_a_value_in_the_document(cell: Cell, written: str) -> None:
    values = check_document(result(fires(cell=cell)))["firing"][0]["values"]
    assert json.dumps(values, ensure_ascii=False) == f'{{"cell": {written}}}'
