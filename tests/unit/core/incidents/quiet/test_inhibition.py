"""What holds back what, and that a receiver is notified of the cause alone."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, a_told, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State, close
from watchdog.core.incidents.messages import Event, Message, Notified
from watchdog.core.incidents.notify import notice_of
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.inhibition import Cause, Inhibitions, holds_back
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import Quiet
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.routing import NO_ROUTES, Recipient
from watchdog.core.incidents.wanted import quiet_reason
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity

B, C, U = Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN
OPS = Recipient("ops")
LOST = an_incident(id="01LOST", rule="WorkerLost", key={"name": "celery@gpu-1"}, values={"kind": "celery@gpu-*"})


def cause(*, state: State = State.FIRING, about: str = "", inhibits: tuple[str, ...] = ("WorkerLost",), **changes: Any) -> Cause:
    made = an_incident(state, **{"id": "01CAUSE", "rule": "NoWorkersOnline", "key": {}, "inhibits": inhibits, **changes})
    return Cause(made, about)


@pytest.mark.parametrize(
    ("key", "holds"),
    [
        ({}, True),
        ({"name": "celery@gpu-1"}, True),
        ({"name": "celery@gpu-2"}, False),
        ({"kind": "celery@gpu-*"}, True),
        ({"kind": "celery@web-*"}, False),
        ({"kind": "celery@gpu-*", "name": "celery@gpu-2"}, False),
        ({"source": "redis"}, True),
    ],
)
def test_a_cause_holds_back_where_the_columns_that_both_have_are_equal(key: dict[str, str], holds: bool) -> None:
    found = Inhibitions([cause(key=key)]).cause_of(LOST)
    assert (found is not None) is holds


def test_a_cause_about_a_server_holds_back_whatever_it_names_though_both_have_a_name() -> None:
    assert Inhibitions([cause(key={"name": "redis"})]).cause_of(LOST) is None
    broker = cause(key={"name": "redis"}, server="redis://10.0.0.1:6379")
    assert Inhibitions([broker]).cause_of(LOST) is broker.incident


def test_a_rule_that_is_not_named_is_not_held_back() -> None:
    assert Inhibitions([cause(inhibits=("QueueGrowing",))]).cause_of(LOST) is None


def test_a_cause_that_a_receiver_is_not_notified_of_does_not_hold_back_there() -> None:
    held = Inhibitions([cause(about="ops")])
    ops, dev, pager = OPS, Recipient("dev"), Recipient("pager", min_severity=Severity.CRITICAL)
    assert [held.cause_of(LOST, partial(NO_ROUTES.hears_of, one, terms=one.terms, now=NOW)) is not None for one in (ops, dev, pager)] == [
        False,
        True,
        False,
    ]


def test_of_a_chain_the_first_link_is_named() -> None:
    broker = cause(id="01BROKER", rule="BrokerUnreachable", inhibits=("NoWorkersOnline", "WorkerLost"))
    nobody = cause(id="01NOBODY")
    for causes in ([broker, nobody], [nobody, broker]):
        found = Inhibitions(causes).cause_of(LOST)
        assert found is not None
        assert found.id == "01BROKER"


def test_incidents_that_explain_each_other_do_not_keep_each_other_quiet() -> None:
    one, other = cause(id="01A", rule="A", inhibits=("B",)), cause(id="01B", rule="B", inhibits=("A",))
    both = Inhibitions([one, other])
    assert (both.cause_of(one.incident), both.cause_of(other.incident)) == (None, None)


@pytest.mark.parametrize(
    ("state", "age_s", "holds"),
    [
        (State.FIRING, 1e6, True),
        (State.RECOVERING, 1e6, True),
        (State.PENDING, 0.0, True),
        (State.PENDING, 80.0, True),
        (State.PENDING, 80.1, False),
        (State.PENDING, -1.0, False),
        (State.RESOLVED, 0.0, False),
        (State.DROPPED, 0.0, False),
    ],
)
def test_a_cause_holds_back_until_it_has_ended_and_pending_unseen_for_its_for_and_two_intervals(
    state: State, age_s: float, holds: bool
) -> None:
    incident = cause(state=state, started_at=NOW - age_s, verdict="unknown").incident
    assert holds_back(incident, 60.0, NOW, 10.0) is holds


def test_a_pending_cause_that_is_seen_in_breach_holds_back_however_slow_the_cycles_are() -> None:
    slow = cause(state=State.PENDING, started_at=NOW - 600.0, verdict="breach").incident
    assert holds_back(slow, 60.0, NOW, 10.0)
    assert not holds_back(replace(slow, verdict="unknown"), 60.0, NOW, 10.0)


@pytest.mark.parametrize(
    ("flapping", "state", "quiet_s", "holds"),
    [
        (True, State.RECOVERING, 59.0, True),
        (True, State.RECOVERING, 60.0, False),
        (True, State.FIRING, 60.0, True),
        (False, State.RECOVERING, 60.0, True),
    ],
)
def test_a_cause_that_flaps_holds_back_no_longer_than_one_that_does_not(flapping: bool, state: State, quiet_s: float, holds: bool) -> None:
    """Redis went three times, and at the third its workers did not come back: that must not wait until Redis has been calm for long."""
    incident = cause(state=state, flapping=flapping, quiet_s=quiet_s).incident
    assert holds_back(incident, 0.0, NOW, 10.0, keep_firing_for_s=60.0) is holds


# --- in a cycle -------------------------------------------------------------------------------------------------------

NOBODY = a_rule("NoWorkersOnline", identity="cluster", key=(), for_s=30.0, keep_firing_for_s=0.0, inhibits=("WorkerLost",), summary="")
WORKER = a_rule("WorkerLost", identity="workers", for_s=0.0, keep_firing_for_s=0.0, summary="")


class Site:
    """One target over cycles of 10 s; every message arrives at once."""

    def __init__(self) -> None:
        self.now = NOW
        self.incidents: dict[str, Incident] = {}
        self.notified: dict[tuple[str, str], Notified] = {}
        self.heard: list[tuple[str, Event]] = []
        self.silences: tuple[Silence, ...] = ()

    def cycle(self, nobody: Verdict, *workers: Verdict) -> None:
        judgements = [
            Judgement(NOBODY, self._findings(NOBODY, [nobody], [()])),
            Judgement(WORKER, self._findings(WORKER, workers, [(f"w{nth}",) for nth in range(len(workers))])),
        ]
        loaded = Loaded(
            open=tuple(i for i in self.incidents.values() if i.open),
            notified=self.notified,
            previous_cycle_at=self.now - 10.0,
            silences=self.silences,
            unsettled=tuple(i for i in self.incidents.values() if not i.open and self._believed(i)),
        )
        self._arrive(decide(Situation(a_target(interval_s=10.0), self.now, (OPS,)), judgements, loaded, Seen({}, {}, {})))
        self.now += 10.0

    def close(self, rule: str) -> None:
        """Close the open incident of a rule by hand."""
        (found,) = (i for i in self.incidents.values() if i.rule == rule and i.open)
        self.incidents[found.id] = close(found, "ada", "nobody can see it", self.now)[0]

    def _believed(self, incident: Incident) -> bool:
        told = self.notified.get((incident.id, "ops"))
        return told is not None and told.event is not Event.RESOLVED

    def _findings(self, rule: Any, verdicts: Sequence[Verdict], keys: Sequence[tuple[str, ...]]) -> Any:
        known = {(i.rule, tuple(i.key.values())) for i in self.incidents.values() if i.open}
        pairs = zip(verdicts, keys, strict=True)
        return tuple(a_finding(verdict, rule, key) for verdict, key in pairs if verdict is not C or (rule.name, key) in known)

    def _arrive(self, plan: Plan) -> None:
        self.incidents |= {incident.id: incident for incident in plan.incidents}
        for notice in (notice for message in plan.messages for notice in message.notices):
            self.heard.append((notice.rule, notice.event))
            self.notified[notice.incident, "ops"] = a_told(notice.event, incident=notice.incident, sequence=notice.sequence)


@pytest.fixture
def site() -> Site:
    return Site()


def test_workers_are_held_back_while_the_cause_is_pending_and_the_cause_alone_is_said(site: Site) -> None:
    for _ in range(6):
        site.cycle(B, B, B, B)

    assert site.heard == [("NoWorkersOnline", Event.FIRST)]


def test_what_still_fires_when_its_cause_has_ended_is_said_then(site: Site) -> None:
    for nobody in (B, B, B, B, C):
        site.cycle(nobody, B, B)

    assert site.heard[0] == ("NoWorkersOnline", Event.FIRST)
    assert sorted(site.heard[1:]) == [("NoWorkersOnline", Event.RESOLVED), ("WorkerLost", Event.FIRST), ("WorkerLost", Event.FIRST)]


def test_what_is_over_with_its_cause_is_never_said(site: Site) -> None:
    for verdict in (B, B, B, B, C):
        site.cycle(verdict, verdict, verdict)

    assert site.heard == [("NoWorkersOnline", Event.FIRST), ("NoWorkersOnline", Event.RESOLVED)]


def test_a_pending_cause_that_is_dropped_holds_nothing_back_any_more(site: Site) -> None:
    for nobody in (B, B, C):
        site.cycle(nobody, B)

    assert site.heard == [("WorkerLost", Event.FIRST)]


def test_a_pending_cause_that_can_no_longer_be_seen_holds_back_no_longer_than_its_for_takes(site: Site) -> None:
    site.cycle(B, B)
    for _ in range(5):
        site.cycle(U, B)
    assert site.heard == []

    site.cycle(U, B)
    assert site.heard == [("WorkerLost", Event.FIRST)]


NOBODY_SILENCED = Silence("01SILENCE", parse_matchers("rule=NoWorkersOnline"), NOW, NOW + 45.0)


def test_a_cause_that_fired_unheard_and_cannot_be_seen_when_its_silence_ends_holds_nothing_back(site: Site) -> None:
    """Nobody could be told of the cause, and would hear of nothing else either."""
    site.silences = (NOBODY_SILENCED,)
    for nobody in (B, B, B, B, U):
        site.cycle(nobody, B)
    assert site.heard == []

    site.cycle(U, B)
    assert site.heard == [("WorkerLost", Event.FIRST)]


def test_a_cause_that_is_seen_when_its_silence_ends_is_told_and_holds_back(site: Site) -> None:
    site.silences = (NOBODY_SILENCED,)
    for _ in range(6):
        site.cycle(B, B)

    assert site.heard == [("NoWorkersOnline", Event.FIRST)]


def test_a_cause_that_was_told_holds_back_though_it_cannot_be_seen_any_more(site: Site) -> None:
    for nobody in (B, B, B, B, U, U, U):
        site.cycle(nobody, B)

    assert site.heard == [("NoWorkersOnline", Event.FIRST)]


def test_a_cause_that_is_closed_while_it_cannot_be_seen_holds_nothing_back_and_begins_anew_where_it_is_seen(site: Site) -> None:
    for nobody in (B, B, B, B, U):
        site.cycle(nobody, B)
    site.close("NoWorkersOnline")
    site.cycle(U, B)
    assert sorted(site.heard[1:]) == [("NoWorkersOnline", Event.RESOLVED), ("WorkerLost", Event.FIRST)]

    for _ in range(4):
        site.cycle(B, B)
    assert site.heard[3:] == [("NoWorkersOnline", Event.FIRST)]


def test_a_cause_whose_message_has_not_left_yet_holds_back_though_it_cannot_be_seen_any_more() -> None:
    unseen = cause(identity=NOBODY.identity, verdict="breach").incident
    lost = an_incident(id="01LOST", rule="WorkerLost", identity=WORKER.identity, key={"name": "w0"})
    first = notice_of(unseen, Event.FIRST, 1)
    waits = Message("m1", "ops", "prod", NOW - 10.0, (first,), group_id="g1")
    judgements = [Judgement(NOBODY, (a_finding(U, NOBODY, ()),)), Judgement(WORKER, (a_finding(B, WORKER, ("w0",)),))]
    loaded = Loaded(open=(unseen, lost), waiting=(waits,))
    plan = decide(Situation(a_target(), NOW, (OPS,)), judgements, loaded, Seen({}, {}, {}))
    assert (plan.messages, plan.withdrawn) == ((), ())


def test_an_unseen_cause_that_another_cause_holds_back_goes_on_holding_back() -> None:
    """Of a chain the first link was told; that the second one was not, and is unseen, does not matter."""
    unseen = cause(identity=NOBODY.identity, verdict="unknown")
    broker = cause(id="01BROKER", rule="BrokerUnreachable", inhibits=("NoWorkersOnline",), verdict="breach")
    told = Quiet([broker, unseen], (), NOW, heard=lambda incident, _: incident == "01BROKER")
    untold = Quiet([unseen], (), NOW, heard=lambda *_: False)
    reasons = [quiet_reason(LOST, OPS, OPS.terms, NOW, routing=NO_ROUTES, quiet=quiet) for quiet in (told, untold)]
    assert [reason and reason.cause and reason.cause.id for reason in reasons] == ["01BROKER", None]


def test_an_unseen_cause_that_is_silenced_holds_back_as_long_as_that_lasts() -> None:
    unseen, always = cause(verdict="unknown"), Silence("01S", parse_matchers("rule=NoWorkersOnline"), NOW - 60.0, NOW + 60.0)
    quiet = Quiet([unseen], [always], NOW, heard=lambda *_: False)
    reason = quiet_reason(LOST, OPS, OPS.terms, NOW, routing=NO_ROUTES, quiet=quiet)
    assert reason is not None
    assert reason.cause == unseen.incident


def test_the_end_of_what_was_said_before_its_cause_is_said_in_spite_of_it(site: Site) -> None:
    for nobody, worker in ((C, B), (B, B), (B, B), (B, B), (B, B), (B, C)):
        site.cycle(nobody, worker)

    assert site.heard == [("WorkerLost", Event.FIRST), ("NoWorkersOnline", Event.FIRST), ("WorkerLost", Event.RESOLVED)]


def test_a_message_names_the_cause_of_what_fires_and_none_for_its_end() -> None:
    """`Resolved: w0 is online again, because of NoWorkersOnline` would be a lie."""
    burning = cause(identity=NOBODY.identity).incident
    lost = an_incident(id="01LOST", rule="WorkerLost", identity=WORKER.identity, key={"name": "w0"})
    to = Recipient("pager", matchers=parse_matchers("rule=WorkerLost"))

    def because(verdict: Verdict, told: dict[tuple[str, str], Notified]) -> list[tuple[str, ...]]:
        judgements = [Judgement(NOBODY, (a_finding(B, NOBODY, ()),)), Judgement(WORKER, (a_finding(verdict, WORKER, ("w0",)),))]
        plan = decide(Situation(a_target(), NOW, (to,)), judgements, Loaded(open=(burning, lost), notified=told), Seen({}, {}, {}))
        return [notice.because for message in plan.messages for notice in message.notices]

    assert because(B, {}) == [("NoWorkersOnline for 1m40s",)]
    assert because(C, {("01LOST", "pager"): a_told(incident="01LOST", receiver="pager")}) == [()]
