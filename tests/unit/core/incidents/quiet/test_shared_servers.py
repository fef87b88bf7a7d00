"""Several targets on one server: one of their incidents is told, with all their names."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import pytest

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.explain.document import explained_document
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import Quiet, quiet_reasons
from watchdog.core.incidents.quiet.shared_servers import OF_THE_SERVER, Twins, server_of
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import NO_ROUTES, Recipient, Route, Routing, Terms
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity
from watchdog.core.text.times_of_day import DAYS
from watchdog.tables import TABLES

SERVERS = {"redis": "4f2a", "flower": "77b0"}
RULE = a_rule("BrokerUnreachable", table="sources", for_s=0.0, reads={"sources": frozenset({"name", "up"})})
OPS = Recipient("ops")
ALWAYS = Window("always", (Span(frozenset(range(len(DAYS))), 0, 0, UTC),))


def of(target: str, state: State = State.FIRING, *, fired: float = 60.0, **changes: Any) -> Incident:
    """The incident of that target, which fired so many seconds ago."""
    fired_at = None if state is State.PENDING else NOW - fired
    made = {"id": f"01{target.upper()}", "rule": RULE.name, "target": target, "key": {"name": "redis"}, "server": "4f2a"}
    return an_incident(state, **{**made, "fired_at": fired_at, **changes})


def silence(matchers: str) -> Silence:
    return Silence("01SILENCE", parse_matchers(matchers), NOW - 1, NOW + 3600)


def told_as(*incidents: Incident, silences: tuple[Silence, ...] = (), **more: Any) -> dict[str, str]:
    """Target -> the target whose incident is told in its stead."""
    of_target = {incident.id: incident.target for incident in incidents}
    reasons = quiet_reasons(incidents, silences, NOW, **more)
    return {of_target[id_]: reason.same_as.target for id_, reason in reasons.items() if reason.same_as is not None}


def test_the_one_that_fired_first_is_told_in_the_others_stead() -> None:
    assert told_as(of("a", fired=50), of("b", fired=60), of("c", fired=40)) == {"a": "b", "c": "b"}


def test_a_thousand_that_are_all_silenced_are_each_asked_about_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known outage that somebody silenced: whether a twin is told must not be asked for each pair of them."""
    asked: list[str] = []
    reason = Quiet.reason

    def counted(quiet: Quiet, incident: Incident, *more: Any, **named: Any) -> Any:
        asked.append(incident.id)
        return reason(quiet, incident, *more, **named)

    monkeypatch.setattr(Quiet, "reason", counted)
    incidents = [of(f"t{number:04}") for number in range(1000)]
    assert (told_as(*incidents, silences=(silence("rule=BrokerUnreachable"),)), len(asked) <= 3000) == ({}, True)


def test_of_those_that_fired_at_once_the_first_id_is_told() -> None:
    assert told_as(of("b"), of("a"), of("c")) == {"b": "a", "c": "a"}


@pytest.mark.parametrize(
    ("first", "holds"),
    [
        (of("a", State.RECOVERING), True),
        (of("a", State.RESOLVED), False),
        (of("a", trial=True), False),
        (of("a", server=""), False),
        (of("a", server="other"), False),
        (of("a", key={"name": "flower"}), False),
        (of("a", rule="FlowerUnreachable"), False),
        (of("a", severity=Severity.INFO), False),
        (of("a", severity=Severity.CRITICAL), True),
    ],
)
def test_only_the_same_as_severe_and_burning_is_told_instead(first: Incident, holds: bool) -> None:
    assert told_as(first, of("b", fired=10)) == ({"b": "a"} if holds else {})


def test_one_that_has_not_fired_yet_comes_after_those_that_have() -> None:
    assert told_as(of("a", State.PENDING), of("b", fired=10)) == {"a": "b"}


def test_one_that_nobody_hears_of_is_not_told_instead() -> None:
    a, b = of("a"), of("b", fired=10)
    assert told_as(a, b, silences=(silence("target=a"),)) == {}
    cause = of("a", id="01CAUSE", rule="Cause", key={}, server="", inhibits=(RULE.name,))
    assert told_as(a, b, cause) == {}


def test_one_that_somebody_acknowledged_is() -> None:
    a, b = of("a"), of("b", fired=10)
    assert told_as(a, b, acknowledged={a.id: Acknowledgement(a.id, NOW, a.severity)}) == {"b": "a"}


# --- a cycle ----------------------------------------------------------------------------------------------------------


def cycle(
    target: str,
    *own: Incident,
    twins: tuple[Incident, ...] = (),
    recipient: Recipient = OPS,
    servers: Mapping[str, str] = SERVERS,
    routing: Routing = NO_ROUTES,
) -> Plan:
    """A cycle of that target, whose Redis is down."""
    situation = Situation(a_target(name=target), NOW, (recipient,), routing, servers=servers, decisions=True)
    judgement = Judgement(RULE, (a_finding(rule=RULE, key=("redis",)),))
    return decide(situation, [judgement], Loaded(open=own, twins=Twins(twins)), Seen({}, {}, {}))


def test_a_new_incident_notes_its_server_and_names_the_targets_that_have_it() -> None:
    plan = cycle("b", twins=(of("a", State.PENDING), of("c", State.PENDING)))
    assert [incident.server for incident in plan.incidents] == ["4f2a"]
    assert [notice.targets for message in plan.messages for notice in message.notices] == [("b", "a", "c")]


def test_the_second_target_says_nothing() -> None:
    plan = cycle("b", twins=(of("a"),))
    assert ([incident.state for incident in plan.incidents], plan.messages) == ([State.FIRING], ())


def test_the_decision_about_it_names_the_one_that_is_told() -> None:
    (made,) = cycle("b", twins=(of("a"),)).decisions
    assert explained_document(made.explained) == {
        "said": None,
        "why": "shared",
        "reason": {"incident": "01A", "rule": "BrokerUnreachable", "target": "a"},
        "until": None,
        "next": "first",
    }


def test_one_that_fires_while_another_was_told_comes_after_it_though_its_cycle_began_before() -> None:
    (mine,) = cycle("b", twins=(of("a", fired=-3),)).incidents
    assert (cycle("b", twins=(of("a", fired=-3),)).messages, (mine.fired_at or 0) > NOW + 3) == ((), True)


def test_a_receiver_that_is_not_for_the_first_target_hears_of_the_second() -> None:
    team = Recipient("team", matchers=parse_matchers("target=b"))
    assert len(cycle("b", twins=(of("a"),), recipient=team).messages) == 1


@pytest.mark.parametrize("of_the_first", [Terms(mutes=(ALWAYS,)), Terms(after_s=900.0)])
def test_a_receiver_that_hears_of_the_first_target_later_hears_of_the_second(of_the_first: Terms) -> None:
    routing = Routing([Route({"ops": of_the_first}, parse_matchers("target=a")), Route({"ops": Terms()})])
    assert len(cycle("b", twins=(of("a"),), routing=routing).messages) == 1


def test_a_target_that_was_removed_or_moved_leaves_the_next_one_to_be_told() -> None:
    burning = of("b", identity=RULE.identity)
    assert len(cycle("b", burning, twins=(of("a", State.RESOLVED),)).messages) == 1
    moved = cycle("b", burning, twins=(of("a"),), servers={"redis": "elsewhere"})
    assert ([incident.server for incident in moved.incidents], len(moved.messages)) == (["elsewhere"], 1)


# --- which rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reads", "key", "server"),
    [
        ({"sources": {"name", "up"}}, {"name": "redis"}, "4f2a"),
        ({"sources": {"name", "up"}}, {"name": "flower"}, "77b0"),
        ({"sources": {"name", "up"}}, {"name": "results"}, ""),
        ({"broker": {"memory_ratio"}}, {}, "4f2a"),
        ({"broker": {"unacked_ratio"}}, {}, ""),
        ({"broker": {"memory_ratio", "unacked"}}, {}, ""),
        ({"sources": {"latency_ms"}}, {"name": "redis"}, ""),
        ({"queues": {"length"}}, {"name": "redis"}, ""),
        ({"broker": {"role"}, "queues": {"length"}}, {}, ""),
        ({}, {"name": "redis"}, ""),
    ],
)
def test_what_describes_the_server_itself_is_shared(reads: dict[str, set[str]], key: dict[str, str], server: str) -> None:
    assert server_of({table: frozenset(columns) for table, columns in reads.items()}, key, SERVERS) == server


@pytest.mark.parametrize("table", OF_THE_SERVER)
def test_every_shared_column_exists(table: str) -> None:
    assert OF_THE_SERVER[table][1] <= {column.name for column in TABLES[table].columns}


def test_a_beginning_names_those_that_have_it_and_an_end_those_for_which_it_is_over() -> None:
    ended = of("b", State.RESOLVED, resolved_at=NOW - 1)
    long_ago = of("c", State.RESOLVED, resolved_at=NOW - 1000)
    twins = Twins([ended, long_ago, of("d"), of("e", State.RECOVERING), of("f", State.PENDING)])
    assert twins.targets(of("a")) == ("a", "d", "e", "f")
    assert twins.targets(of("a", State.RESOLVED)) == ("a", "b", "e")
