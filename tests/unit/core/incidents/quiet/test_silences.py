"""What a silence hides, and what is said at its end."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, a_told, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import Quiet, quiet_reasons
from watchdog.core.incidents.quiet.silences import Silence, Silenced, amended, matches_everything
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity

B, C = Verdict.BREACH, Verdict.CLEAR


def silence(text: str = "name=indexing", starts_at: float = NOW, lasts_s: float = 60.0) -> Silence:
    return Silence("01SILENCE", parse_matchers(text), starts_at, starts_at + lasts_s)


@pytest.mark.parametrize(("after_s", "covers"), [(-0.1, False), (0.0, True), (59.9, True), (60.0, False)])
def test_a_silence_applies_from_its_beginning_until_its_end(after_s: float, covers: bool) -> None:
    assert silence().covers(NOW + after_s) is covers


def test_of_several_silences_the_one_that_lasts_longest_is_named() -> None:
    short, long = silence(), silence("rule=QueueBacklogHigh", lasts_s=600.0)
    assert Silenced([short, long, silence("name=training", lasts_s=900.0)]).by(an_incident()) == long
    assert Silenced([]).by(an_incident()) is None


ALL = [("target=~.*", True), ("severity!=critical", True), ("rule=WorkerLost", False), ("name=~.+", False)]


@pytest.mark.parametrize(("text", "everything"), ALL)
def test_matchers_that_select_an_incident_without_labels_select_everything(text: str, everything: bool) -> None:
    assert matches_everything(parse_matchers(text)) is everything


OLD = Silence("01OLD", parse_matchers("name=indexing"), NOW - 60.5, NOW + 60)
AHEAD = replace(OLD, starts_at=NOW + 30)
AMENDED = [
    (OLD, replace(OLD, ends_at=NOW + 900, comment="longer", author="bob"), True),
    (OLD, replace(OLD, starts_at=NOW - 61.0), True),  # the same second, as clients round it
    (OLD, replace(OLD, starts_at=NOW), False),
    (OLD, replace(OLD, matchers=parse_matchers("name=mail")), False),
    (replace(OLD, ends_at=NOW), replace(OLD, ends_at=NOW + 900), False),
    (AHEAD, replace(AHEAD, starts_at=NOW + 5), True),
    (AHEAD, replace(AHEAD, starts_at=NOW - 1), False),
]


@pytest.mark.parametrize(("old", "asked", "can_be"), AMENDED)
def test_a_silence_may_be_amended_unless_that_changes_what_it_has_hidden(old: Silence, asked: Silence, can_be: bool) -> None:
    began = old.starts_at if old.covers(NOW) else asked.starts_at
    assert amended(old, replace(asked, id="01NEW"), NOW) == (replace(asked, id="01OLD", starts_at=began) if can_be else None)


def test_a_cause_is_named_before_a_silence() -> None:
    incident, cause = an_incident(), an_incident(id="01CAUSE", rule="QueueStuck", inhibits=("QueueBacklogHigh",))
    reasons = quiet_reasons([incident, cause], [silence(starts_at=NOW - 10)], NOW)
    assert (reasons["01INCIDENT"].cause, reasons["01INCIDENT"].silence) == (cause, None)
    assert reasons["01CAUSE"].silence is not None


def test_a_silence_that_does_not_apply_now_is_no_reason() -> None:
    assert quiet_reasons([an_incident()], [silence(starts_at=NOW + 1)], NOW) == {}
    assert Quiet((), (), NOW).reason(an_incident()) is None


# --- in a cycle -------------------------------------------------------------------------------------------------------

RULE = a_rule(for_s=0.0, keep_firing_for_s=0.0, summary="")


class Site:
    """One queue over cycles of 10 s; every message arrives at once."""

    def __init__(self, *silences: Silence) -> None:
        self.now, self.silences = NOW, silences
        self.incidents: dict[str, Incident] = {}
        self.notified: dict[tuple[str, str], Notified] = {}
        self.heard: list[Event] = []

    def cycle(self, verdict: Verdict, severity: Severity = Severity.WARNING) -> None:
        open_ = tuple(i for i in self.incidents.values() if i.open)
        findings = (a_finding(verdict, RULE, ("indexing",), severity=severity),) if verdict is B or open_ else ()
        loaded = Loaded(open=open_, notified=self.notified, previous_cycle_at=self.now - 10.0, silences=self.silences)
        situation = Situation(a_target(interval_s=10.0), self.now, (Recipient("ops"),))
        plan = decide(situation, [Judgement(RULE, findings)], loaded, Seen({}, {}, {}))
        self.incidents |= {incident.id: incident for incident in plan.incidents}
        for notice in (notice for message in plan.messages for notice in message.notices):
            self.heard.append(notice.event)
            told = a_told(notice.event, incident=notice.incident, sequence=notice.sequence, severity=notice.severity)
            self.notified[notice.incident, "ops"] = told
        self.now += 10.0


def test_what_still_fires_at_the_end_of_a_silence_is_said_then() -> None:
    site = Site(silence(lasts_s=25.0))
    for _ in range(3):
        site.cycle(B)
    assert site.heard == []

    site.cycle(B)
    assert site.heard == [Event.FIRST]


def test_what_ends_under_a_silence_is_said_to_those_who_had_heard_of_it() -> None:
    site = Site(silence(starts_at=NOW + 5))
    for verdict in (B, B, C, B, C):
        site.cycle(verdict)
    assert site.heard == [Event.FIRST, Event.RESOLVED]


def test_an_escalation_waits_for_the_end_of_the_silence() -> None:
    site = Site(silence(starts_at=NOW + 5, lasts_s=20.0))
    site.cycle(B)
    site.cycle(B, Severity.CRITICAL)
    site.cycle(B, Severity.CRITICAL)
    assert site.heard == [Event.FIRST]

    site.cycle(B, Severity.CRITICAL)
    assert site.heard == [Event.FIRST, Event.ESCALATED]


def test_a_silence_that_selects_another_incident_changes_nothing() -> None:
    site = Site(silence("name=training"))
    site.cycle(B)
    assert site.heard == [Event.FIRST]
