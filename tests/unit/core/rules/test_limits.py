"""Which numbers a rule's conditions compare with columns."""

import pytest

from watchdog.core.history.chart import Limit
from watchdog.core.model.severity import Severity
from watchdog.core.rules.limits import limits_of
from watchdog.core.rules.rule import Escalation, Rule

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def limits(when: str, *escalate: str, **params: float) -> dict[str, list[tuple[float, bool]]]:
    rule = Rule("A", "queues", when, params=params, escalate=tuple(Escalation(one, CRITICAL) for one in escalate))
    return {column: [(limit.value, limit.above) for limit in found] for column, found in limits_of(rule).items()}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("length > 50", {"length": [(50.0, True)]}),
        ("length > :limit AND drain_s > 300", {"length": [(50.0, True)], "drain_s": [(300.0, True)]}),
        ("length > :limit * 20", {"length": [(1000.0, True)]}),
        ("workers_online < 2", {"workers_online": [(2.0, False)]}),
        ("50 < length", {"length": [(50.0, True)]}),
    ],
)
def test_a_comparison_with_a_number_is_a_limit(when: str, expected: object) -> None:
    assert limits(when, limit=50.0) == expected


@pytest.mark.parametrize(
    "when", ["length > 5 OR length < 1", "NOT length > 5", "length > consumers", "length * 2 > 5", "length = 5", "length > 5 / 0"]
)
def test_what_says_no_single_number_is_none(when: str) -> None:
    assert limits(when) == {}


def test_an_escalation_adds_its_own_limit() -> None:
    rule = Rule("A", "queues", "length > 50", escalate=(Escalation("length > 1000", CRITICAL),))
    assert limits_of(rule) == {"length": (Limit(50.0, WARNING), Limit(1000.0, CRITICAL))}
