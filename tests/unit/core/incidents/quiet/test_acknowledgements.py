"""What an acknowledgement keeps quiet, and how long it holds."""

from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, a_told, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement, overtaken
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity

RULE = a_rule(for_s=0.0, keep_firing_for_s=0.0)
KNOWN = Acknowledgement("01INCIDENT", NOW - 30, Severity.WARNING, "on it", "ada")
OPS = Recipient("ops", terms=Terms(repeat_s=10.0))
LATE = Recipient("late")
TOLD = {("01INCIDENT", "ops"): a_told()}


def cycle(verdict: Verdict, severity: Severity = Severity.WARNING, incident: Incident | None = None, *given: Acknowledgement) -> Plan:
    loaded = Loaded(
        open=(incident or an_incident(),),
        notified=TOLD,
        previous_cycle_at=NOW - 10,
        acknowledged={one.incident: one for one in given or (KNOWN,)},
    )
    finding = a_finding(verdict, RULE, severity=severity)
    return decide(Situation(a_target(), NOW, (OPS, LATE)), [Judgement(RULE, (finding,))], loaded, Seen({}, {}, {}))


def said(plan: Plan) -> list[tuple[str, Event]]:
    return [(message.receiver, notice.event) for message in plan.messages for notice in message.notices]


def test_what_is_acknowledged_is_neither_repeated_nor_told_to_those_who_have_not_heard_of_it() -> None:
    assert said(cycle(Verdict.BREACH)) == []


def test_its_end_is_told_to_those_who_were_told() -> None:
    assert said(cycle(Verdict.CLEAR)) == [("ops", Event.RESOLVED)]


def test_one_that_gets_worse_is_told_and_its_acknowledgement_is_taken_back() -> None:
    plan = cycle(Verdict.BREACH, Severity.CRITICAL)
    assert said(plan) == [("ops", Event.ESCALATED), ("late", Event.FIRST)]
    assert plan.overtaken == ("01INCIDENT",)


def test_one_that_stays_as_it_is_keeps_its_acknowledgement() -> None:
    assert cycle(Verdict.BREACH).overtaken == cycle(Verdict.UNKNOWN).overtaken == cycle(Verdict.CLEAR).overtaken == ()


def test_an_acknowledgement_at_a_higher_severity_holds_for_a_lower_one() -> None:
    higher = replace(KNOWN, severity=Severity.ERROR)
    assert cycle(Verdict.BREACH, Severity.ERROR, None, higher).overtaken == ()
    assert overtaken({"01INCIDENT": higher}, [an_incident(severity=Severity.CRITICAL)]) == ("01INCIDENT",)


def test_one_of_another_target_is_left_alone() -> None:
    assert overtaken({"01OTHER": KNOWN}, [an_incident(severity=Severity.CRITICAL)]) == ()
