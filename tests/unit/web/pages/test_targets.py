"""How a target is, in a word: what fires, what could not be seen, and never a "well" where nobody looked."""

import pytest
from msgspec.structs import replace

from tests.builders.outbox import incident
from tests.unit.cli.status.builders import NOON, blind_target, shown_of
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.model.severity import Severity
from watchdog.status.shown import TargetShown
from watchdog.web.pages.targets import Condition, age_of, condition_of, condition_of_all

WELL = Condition("well", "no incidents")


def fires(severity: Severity, state: State = State.FIRING) -> Incident:
    return replace(incident(severity.value, state=state), severity=severity)


def test_a_target_without_incidents_is_well() -> None:
    assert condition_of(shown_of()) == WELL


def test_the_worst_that_fires_names_it() -> None:
    shown = shown_of(incidents=(fires(Severity.WARNING), fires(Severity.CRITICAL), fires(Severity.INFO)))
    assert condition_of(shown) == Condition("critical", "3 incidents firing")


def test_what_is_pending_is_not_called_firing() -> None:
    assert condition_of(shown_of(incidents=(fires(Severity.CRITICAL, State.PENDING),))) == Condition("pending", "1 incident pending")


def test_what_has_ended_is_well() -> None:
    assert condition_of(shown_of(incidents=(fires(Severity.CRITICAL, State.RESOLVED),))) == WELL


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (TargetShown("prod", NOON, why_not="not seen yet"), Condition("unknown", "could not look: not seen yet")),
        (blind_target("flower"), Condition("unknown", "flower not answering")),
        (shown_of(seen_at=NOON - 300), Condition("late", "not looked at for 5m")),
    ],
    ids=["never seen", "without Flower", "long ago"],
)
def test_a_target_that_nobody_sees_is_not_well(shown: TargetShown, found: Condition) -> None:
    assert condition_of(shown) == found


def test_what_fires_is_worse_than_what_cannot_be_seen() -> None:
    assert condition_of(replace(blind_target("flower"), incidents=(fires(Severity.INFO),))).word == "info"


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([], Condition("unknown", "no targets are configured")),
        ([WELL], Condition("well", "All is well")),
        ([WELL, WELL], Condition("well", "All targets are well")),
        ([Condition("error", "1 incident firing")], Condition("error", "1 incident firing")),
        ([WELL, Condition("warning", ""), Condition("error", "")], Condition("error", "2 of 3 targets in trouble")),
        ([WELL, Condition("unknown", "")], Condition("unknown", "1 of 2 targets cannot be seen in full")),
        ([WELL, Condition("pending", "")], Condition("pending", "1 of 2 targets may be in trouble soon")),
    ],
)
def test_all_targets_are_as_well_as_the_worst_of_them(conditions: list[Condition], found: Condition) -> None:
    assert condition_of_all(conditions) == found


def test_the_age_is_that_of_the_look() -> None:
    assert age_of(shown_of()) == "seen 4s ago, every 10s"
