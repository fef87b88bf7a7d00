"""The last verdict on an incident is kept, and written only in the cycle in which it changes."""

import pytest

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, an_incident
from tests.unit.core.incidents.test_decide import NOTHING, OPS, RULE, deciding, only
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.plan import Loaded
from watchdog.core.judging.findings import Judgement, Verdict

WITHOUT_VERDICT = [
    (Judgement(RULE, unknown="down"), "unknown"),
    (Judgement(RULE, idle="later"), "none"),
    (Judgement(RULE, failed="stopped"), "none"),
]


@pytest.mark.parametrize(("judgement", "verdict"), WITHOUT_VERDICT)
def test_without_a_verdict_all_open_incidents_stay_as_they_are(judgement: Judgement, verdict: str) -> None:
    open_ = (an_incident(verdict=verdict), an_incident(State.PENDING, id="01B", key={"name": "b"}, verdict=verdict))
    plan = decide(Situation(a_target(), NOW, OPS), [judgement], Loaded(open=open_, previous_cycle_at=NOW - 10), NOTHING)
    assert (plan.incidents, plan.transitions, plan.messages) == ((), (), ())


@pytest.mark.parametrize(("judgement", "verdict"), [*WITHOUT_VERDICT, (Judgement(RULE, (a_finding(Verdict.UNKNOWN, RULE),)), "unknown")])
def test_the_first_cycle_without_a_verdict_changes_nothing_but_the_verdict(judgement: Judgement, verdict: str) -> None:
    plan = decide(Situation(a_target(), NOW, OPS), [judgement], Loaded(open=(an_incident(),), previous_cycle_at=NOW - 10), NOTHING)
    assert (plan.incidents, plan.transitions, plan.messages) == ((an_incident(verdict=verdict),), (), ())


def test_the_verdict_that_began_an_incident_is_kept_on_it() -> None:
    assert only(deciding(a_finding(rule=RULE))).verdict == "breach"


def test_what_breaches_no_more_says_so() -> None:
    assert only(deciding(a_finding(Verdict.CLEAR, RULE, length=3.0), open_=(an_incident(),))).verdict == "clear"


def test_an_unknown_key_stays_as_it_is() -> None:
    assert deciding(a_finding(Verdict.UNKNOWN, RULE), open_=(an_incident(verdict="unknown"),)).incidents == ()
