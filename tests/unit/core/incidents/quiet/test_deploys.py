"""What a deploy hides, what it replaces, and what messages say of it."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, a_told, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.deploys import Deploy, deploy_before, deploy_of
from watchdog.core.incidents.quiet.reasons import Reason, quiet_reasons
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.target import SELF
from watchdog.core.rules.rule import Rule

B, C = Verdict.BREACH, Verdict.CLEAR
OURS = an_incident(deploy=True)


def a_deploy(version: str = "v512", *targets: str, starts_at: float = NOW, lasts_s: float = 600.0) -> Deploy:
    return Deploy(f"01{version}", version, targets or ("*",), starts_at, starts_at + lasts_s)


# --- what it hides ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("incident", "targets", "hidden"),
    [
        (OURS, ("*",), True),
        (OURS, ("prod",), True),
        (OURS, ("staging", "pro*"), True),
        (OURS, ("staging",), False),
        (an_incident(), ("*",), False),
        (an_incident(State.PENDING, deploy=True), ("*",), True),
        (an_incident(State.RESOLVED, deploy=True), ("*",), False),
    ],
)
def test_it_hides_open_incidents_of_marked_rules_on_its_targets(incident: Incident, targets: tuple[str, ...], hidden: bool) -> None:
    assert a_deploy("v512", *targets).hides(incident) is hidden


def test_of_several_the_one_that_lasts_longest_is_named() -> None:
    short, long = a_deploy("v1"), a_deploy("v2", "prod", lasts_s=900.0)
    assert deploy_of(OURS, [short, long, a_deploy("v3", "staging", lasts_s=9000.0)]) == long


@pytest.mark.parametrize(("after_s", "hidden"), [(-1.0, False), (0.0, True), (599.0, True), (600.0, False)])
def test_it_hides_from_its_beginning_to_its_end(after_s: float, hidden: bool) -> None:
    found = quiet_reasons([OURS], [], NOW + after_s, deploys=[a_deploy()])
    assert found == ({OURS.id: Reason(deploy=a_deploy())} if hidden else {})


@pytest.mark.parametrize(
    ("new", "earlier", "replaced"),
    [
        (("*",), ("*",), True),
        (("*",), ("prod", "staging-*"), True),
        (("prod",), ("prod",), True),
        (("prod-*",), ("prod-*",), True),
        (("prod[12]",), ("prod[12]",), True),
        (("prod",), ("*",), False),
        (("prod",), ("prod", "staging"), False),
        (("staging",), ("prod",), False),
    ],
)
def test_a_later_deploy_replaces_an_earlier_one_if_it_is_for_all_its_targets(
    new: tuple[str, ...], earlier: tuple[str, ...], replaced: bool
) -> None:
    assert a_deploy("v2", *new).replaces(a_deploy("v1", *earlier)) is replaced


# --- what messages say --------------------------------------------------------------------------------------------------

AGES = [
    (400.0, "6m after deploy v512"),
    (0.0, "less than 1m after deploy v512"),
    (59.9, "less than 1m after deploy v512"),
    (60.0, "1m after deploy v512"),
    (3600.0, "1h after deploy v512"),
    (3601.0, None),
    (-1.0, None),
]


@pytest.mark.parametrize(("age_s", "said"), AGES)
def test_an_incident_that_began_within_the_hour_after_a_deploy_says_so(age_s: float, said: str | None) -> None:
    assert deploy_before(OURS, [a_deploy(starts_at=OURS.started_at - age_s)]) == said


def test_it_says_so_of_unmarked_rules_too_and_after_the_deploy_has_ended() -> None:
    ended = a_deploy(starts_at=OURS.started_at - 400, lasts_s=10.0)
    assert deploy_before(an_incident(), [ended]) == "6m after deploy v512"


def test_of_several_deploys_the_last_one_of_its_target_is_named() -> None:
    began = OURS.started_at
    deploys = [
        a_deploy("v1", starts_at=began - 900),
        a_deploy("v2", starts_at=began - 300),
        a_deploy("v3", "staging", starts_at=began - 60),
    ]
    assert deploy_before(OURS, deploys) == "5m after deploy v2"
    assert deploy_before(OURS, []) is None


def test_an_incident_about_watchdog_itself_is_no_deploys_doing() -> None:
    everywhere = replace(a_deploy(starts_at=OURS.started_at - 5), targets=("*",))
    assert deploy_before(replace(OURS, target=SELF), [everywhere]) is None


# --- in a cycle ---------------------------------------------------------------------------------------------------------

MARKED = a_rule(for_s=0.0, keep_firing_for_s=0.0, deploy=True)


class Site:
    """One queue over cycles of 10 s; every message arrives at once."""

    def __init__(self, *deploys: Deploy) -> None:
        self.now, self.deploys = NOW, deploys
        self.incidents: dict[str, Incident] = {}
        self.notified: dict[tuple[str, str], Notified] = {}
        self.heard: list[Event] = []

    def cycle(self, verdict: Verdict, rule: Rule = MARKED) -> None:
        open_ = tuple(i for i in self.incidents.values() if i.open)
        findings = (a_finding(verdict, rule),) if verdict is B or open_ else ()
        loaded = Loaded(open=open_, notified=self.notified, previous_cycle_at=self.now - 10.0, deploys=self.deploys)
        situation = Situation(a_target(interval_s=10.0), self.now, (Recipient("ops"),))
        plan = decide(situation, [Judgement(rule, findings)], loaded, Seen({}, {}, {}))
        self.incidents |= {incident.id: incident for incident in plan.incidents}
        for notice in (notice for message in plan.messages for notice in message.notices):
            self.heard.append(notice.event)
            self.notified[notice.incident, "ops"] = a_told(notice.event, incident=notice.incident, sequence=notice.sequence)
        self.now += 10.0


def test_what_begins_and_ends_within_a_deploy_is_never_said() -> None:
    site = Site(a_deploy(lasts_s=35.0))
    for verdict in (B, B, C, C, C):
        site.cycle(verdict)
    assert site.heard == []


def test_what_still_fires_when_it_ends_is_said_then_also_if_nobody_ended_it() -> None:
    site = Site(a_deploy(lasts_s=25.0))
    for _ in range(3):
        site.cycle(B)
    assert site.heard == []
    site.cycle(B)
    assert site.heard == [Event.FIRST]


def test_the_end_of_what_was_said_before_is_said_during_a_deploy() -> None:
    site = Site(a_deploy(starts_at=NOW + 5))
    for verdict in (B, B, C):
        site.cycle(verdict)
    assert site.heard == [Event.FIRST, Event.RESOLVED]


def test_an_open_incident_follows_its_rule_when_the_mark_is_changed() -> None:
    site = Site(a_deploy())
    site.cycle(B)
    site.cycle(C, replace(MARKED, keep_firing_for_s=60.0, deploy=False))
    assert [incident.deploy for incident in site.incidents.values()] == [False]
    site.cycle(B, replace(MARKED, deploy=False))
    assert site.heard == [Event.FIRST]
