"""Who is told of the start and the end of a silence, once each."""

from datetime import UTC

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_rule, a_told, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.announcements import Announced, SilencesSeen, affects
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.matchers import Matcher, parse_matchers
from watchdog.core.incidents.quiet.silences import Silence, Silenced
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.self_seen import SilenceSeen
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF

B, C = Verdict.BREACH, Verdict.CLEAR
RULE = a_rule("Silenced", key=("id",), keep_firing_for_s=0.0, severity=Severity.INFO, summary="", columns=(), identity="silences")
HIDDEN = an_incident()


def silence(text: str = "rule=QueueBacklogHigh", starts_at: float = NOW, lasts_s: float = 60.0, **more: str) -> Silence:
    return Silence("01SILENCE", parse_matchers(text), starts_at, starts_at + lasts_s, **more)


def deploy(*targets: str) -> Deploy:
    return Deploy("01DEPLOY", "v512", targets or ("prod*",), NOW, NOW + 60, "ann")


Selection = tuple[Severity, tuple[Matcher, ...]]


def of(match: str = "", min_severity: Severity = Severity.INFO) -> Selection:
    return min_severity, parse_matchers(match) if match else ()


AFFECTS: list[tuple[Announced, Selection, bool]] = [
    (silence(), of(), True),
    (silence("target=staging"), of("target=prod"), False),
    (silence("target=staging"), of('target=~"prod.*"'), False),
    (silence("target!=prod"), of("target=prod"), False),
    (silence('target=~"pro.*"'), of("target=prod"), True),
    (silence("severity=warning"), of(min_severity=Severity.CRITICAL), False),
    (silence("severity!=critical"), of(min_severity=Severity.CRITICAL), False),
    (silence("severity=~error|critical"), of(min_severity=Severity.CRITICAL), True),
    (silence("severity=warning"), of("severity!=warning"), False),
    (silence("rule=WorkerLost"), of("rule=QueueStuck"), False),
    (silence("rule=WorkerLost"), of("team=data"), True),  # who knows what labels its incidents will have
    (silence('name=~"a.*"'), of('name=~"b.*"'), True),  # two patterns: not decided
    (deploy("prod*"), of("target=prod-eu"), True),
    (deploy("prod*"), of("target=staging"), False),
    (deploy("prod*"), of(min_severity=Severity.CRITICAL), True),
]


@pytest.mark.parametrize(("asked", "taken", "told"), AFFECTS)
def test_a_silence_affects_a_receiver_unless_the_two_exclude_each_other(asked: Announced, taken: Selection, told: bool) -> None:
    assert affects(asked, *taken) is told


# --- what is seen -----------------------------------------------------------------------------------------------------


def test_a_silence_is_seen_with_what_it_hides_from_its_beginning_until_an_hour_after_its_end() -> None:
    asked = silence(comment="new GPUs", author="ann")
    seen = SilenceSeen("01SILENCE", True, 'rule="QueueBacklogHigh"', NOW, NOW + 60, 1, "new GPUs", "ann")
    found = [SilencesSeen().seen([asked], NOW + after_s, lambda: [HIDDEN]) for after_s in (-1, 0, 59, 60, 3659, 3660)]
    assert found == [(), (seen,), (seen,), (replace(seen, active=False),), (replace(seen, active=False),), ()]


def test_a_deploy_is_seen_with_what_it_hides() -> None:
    (seen,) = SilencesSeen().seen([deploy("prod*", "eu")], NOW, lambda: [HIDDEN, replace(HIDDEN, id="01B", deploy=True)])
    assert (seen.matchers, seen.version, seen.hides, seen.author) == ("deploy v512 of prod*, eu", "v512", 1, "ann")


def test_what_is_hidden_is_counted_at_the_beginning_and_at_the_end_alone() -> None:
    seen, asked_for = SilencesSeen(), []

    def open_incidents() -> list[Incident]:
        asked_for.append(1)
        return [HIDDEN] * len(asked_for)

    counts = [seen.seen([silence()], NOW + after_s, open_incidents)[0].hides for after_s in (0, 10, 20, 60, 70)]
    assert (counts, len(asked_for)) == ([1, 1, 1, 2, 2], 2)


OPEN = [an_incident(rule=rule, target=target) for rule in ("A", "B", "Silenced") for target in ("prod", "staging", SELF)]


@pytest.mark.parametrize(
    "text", ["rule=A", 'rule="A", target!=prod', "rule=A, target=prod", 'target=~"prod|watchdog"', 'team="", rule=B', "rule=C"]
)
def test_what_is_counted_is_what_the_silence_hides(text: str) -> None:
    (seen,) = SilencesSeen().seen([silence(text)], NOW, lambda: OPEN)
    assert seen.hides == sum(1 for one in OPEN if Silenced([silence(text)]).by(one) is not None)


# --- in a cycle of the target `watchdog` ------------------------------------------------------------------------------


class Site:
    """The announcement of one silence over cycles of 10 s; every message arrives at once."""

    def __init__(self, *recipients: Recipient, asked: Announced | None = None, routes: tuple[Route, ...] = ()) -> None:
        self.recipients, self.asked, self.now = recipients, asked or silence(), NOW
        self.routing = Routing(routes)
        self.incidents: dict[str, Incident] = {}
        self.notified: dict[tuple[str, str], Notified] = {}
        self.heard: list[tuple[str, Event]] = []

    def cycle(self) -> None:
        open_ = tuple(i for i in self.incidents.values() if i.open)
        verdict = B if self.asked.covers(self.now) else C
        finding = Finding(RULE, (self.asked.id,), verdict, Severity.INFO, cells={"id": self.asked.id})
        silences = (self.asked,) if isinstance(self.asked, Silence) else ()
        deploys = (self.asked,) if isinstance(self.asked, Deploy) else ()
        loaded = Loaded(open=open_, notified=self.notified, previous_cycle_at=self.now - 10, silences=silences, deploys=deploys)
        judgements = [Judgement(RULE, (finding,) if verdict is B or open_ else ())]
        situation = Situation(a_target(name=SELF), self.now, self.recipients, routing=self.routing)
        plan = decide(situation, judgements, loaded, Seen({}, {}, {}))
        self.incidents |= {incident.id: incident for incident in plan.incidents}
        for message in plan.messages:
            for notice in message.notices:
                self.heard.append((message.receiver, notice.event))
                told = a_told(
                    notice.event, notice.incident, message.receiver, sequence=notice.sequence, severity=Severity.INFO, at=self.now
                )
                self.notified[notice.incident, message.receiver] = told
        self.now += 10

    def cycles(self, count: int) -> list[tuple[str, Event]]:
        for _ in range(count):
            self.cycle()
        return self.heard


ASKS = Recipient("asks", tell_silences=True)
BOTH = [("asks", Event.FIRST), ("asks", Event.RESOLVED)]


def test_only_who_asks_is_told_once_of_the_start_and_once_of_the_end() -> None:
    assert Site(ASKS, Recipient("ops")).cycles(10) == BOTH


def test_one_that_is_ended_by_hand_has_an_end_too() -> None:
    site = Site(ASKS)
    site.cycles(2)
    site.asked = replace(silence(), ends_at=NOW + 15)
    assert site.cycles(1) == BOTH


def test_a_deploy_is_told_like_a_silence() -> None:
    assert Site(ASKS, asked=deploy()).cycles(10) == BOTH


def test_the_severities_that_a_receiver_takes_are_those_of_what_is_hidden() -> None:
    pager = replace(ASKS, min_severity=Severity.CRITICAL, matchers=parse_matchers("target=prod"))
    assert Site(pager).cycles(10) == BOTH
    assert Site(pager, asked=silence("severity=warning")).cycles(10) == []


def test_with_routes_it_goes_to_whom_they_lead_to_what_is_hidden_and_needs_no_route_itself() -> None:
    staging = Route({"asks": Terms()}, parse_matchers("target=staging"))
    prod = Route({}, parse_matchers("target=prod"), routes=(Route({"asks": Terms()}, min_severity=Severity.ERROR),))
    of_prod = silence("target=prod")
    assert Site(ASKS, asked=of_prod, routes=(staging,)).cycles(10) == []
    assert Site(ASKS, asked=of_prod, routes=(staging, prod)).cycles(10) == BOTH
    assert Site(ASKS, asked=silence("target=prod, severity=warning"), routes=(staging, prod)).cycles(10) == []


@pytest.mark.parametrize("text", ['rule=~".+"', "severity=info", "target=watchdog", "rule=Silenced"])
def test_no_silence_hides_its_own_announcement_or_another(text: str) -> None:
    assert Site(ASKS, asked=silence(text)).cycles(10) == BOTH
    assert Silenced([silence(text)]).by(an_incident(rule="Silenced", target=SELF)) is None


def test_a_rule_of_the_same_name_on_another_target_is_silenced_like_any_other() -> None:
    assert Silenced([silence("rule=Silenced")]).by(an_incident(rule="Silenced")) is not None


def test_it_is_never_repeated_as_a_reminder() -> None:
    insistent = replace(ASKS, terms=Terms(repeat_s=5.0))
    assert Site(insistent).cycles(5) == BOTH[:1]


def test_a_receiver_that_is_muted_hears_of_a_silence_that_outlasts_its_window() -> None:
    now = int(NOW) % 86400
    night = Window("nights", (Span(frozenset(range(7)), now - 60, now + 25, UTC),))
    muted = replace(ASKS, terms=Terms(mutes=(night,)))
    site = Site(muted)
    assert site.cycles(3) == []
    assert site.cycles(1) == BOTH[:1]
