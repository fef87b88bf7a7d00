"""Which incidents are told together, and when."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_message, a_notice, a_told, an_incident
from watchdog.core.incidents.explain.decisions import decisions_made
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import DROPPED, Event, Message, Notified
from watchdog.core.incidents.notify import decide_notifications, final_notification, held_for_group
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.reasons import NOT_QUIET
from watchdog.core.incidents.routing import NO_ROUTES, Recipient, Route, Routing, Terms
from watchdog.core.incidents.wanted import JudgedIncident
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity
from watchdog.receivers.slack.blocks import LARGEST_BODY, slack_body

B = Verdict.BREACH


def fire(name: str, *, rule: str = "QueueBacklogHigh", fired_ago_s: float = 0.0, severity: Severity = Severity.WARNING) -> Incident:
    return an_incident(id=f"01{rule}{name}", rule=rule, key={"name": name}, fired_at=NOW - fired_ago_s, severity=severity)


def over(incident: Incident) -> Incident:
    return replace(incident, state=State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW)


def told(incident: Incident, group: str = "g") -> Notified:
    return a_told(incident=incident.id, severity=incident.severity, group_id=group)


def messages(
    *incidents: Incident,
    told: tuple[Notified, ...] = (),
    said_ago_s: float | None = None,
    waiting: tuple[Message, ...] = (),
    **terms: object,
) -> tuple[Message, ...]:
    said_at = {} if said_ago_s is None else {("ops", "g"): NOW - said_ago_s}
    loaded = Loaded(notified={(one.incident, one.receiver): one for one in told}, said_at=said_at, waiting=waiting)
    to = Recipient("ops", terms=Terms(**terms))  # type: ignore[arg-type]  # the terms that a test is about
    return decide_notifications([JudgedIncident(one, B) for one in incidents], loaded, [to], "prod", NOW, "watchdog")[0]


def names(found: tuple[Message, ...]) -> list[list[str]]:
    return [[notice.incident for notice in message.notices] for message in found]


A, Z = fire("a"), fire("z")
OTHER = fire("a", rule="Other")


def test_incidents_of_one_rule_are_one_message_and_those_of_another_rule_another() -> None:
    assert names(messages(A, OTHER, Z)) == [[A.id, Z.id], [OTHER.id]]


def test_five_hundred_failing_tasks_are_one_message_that_slack_takes() -> None:
    failing = [an_incident(id=f"01TASK{n:03}", rule="TaskFailing", key={"name": f"shop.task_{n}"}, fired_at=NOW) for n in range(500)]
    judged = [JudgedIncident(one, B) for one in failing]
    [message] = decide_notifications(judged, Loaded(), [Recipient("slack", human=True)], "prod", NOW, "watchdog")[0]
    body = slack_body(message)
    assert (len(message.notices), len(body["attachments"][0]["blocks"]) <= 50) == (500, True)
    assert len(json.dumps(body).encode()) <= LARGEST_BODY
    assert "and 480 more" in json.dumps(body)


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ((), [[A.id, OTHER.id, Z.id]]),
        (("name",), [[A.id, OTHER.id], [Z.id]]),
        (("rule", "name"), [[A.id], [OTHER.id], [Z.id]]),
        (("no_such_label",), [[A.id, OTHER.id, Z.id]]),
    ],
)
def test_labels_to_group_by_can_be_chosen(group_by: tuple[str, ...], expected: list[list[str]]) -> None:
    assert sorted(sorted(one) for one in names(messages(A, OTHER, Z, group_by=group_by))) == sorted(sorted(one) for one in expected)


def test_a_group_keeps_its_id_while_one_of_its_members_is_told() -> None:
    [begun] = messages(A)
    [joined] = messages(A, Z, told=(told(A, begun.group_id),))
    [ended] = messages(over(A), Z, told=(told(A, begun.group_id), told(Z, begun.group_id)))
    assert {begun.group_id, joined.group_id, ended.group_id} == {begun.group_id}


def test_another_group_of_the_same_labels_has_another_id() -> None:
    [before], [after] = messages(A), messages(replace(A, id="01LATER"))
    assert before.group_id != after.group_id


def test_two_rules_of_one_cycle_are_two_groups() -> None:
    assert len({message.group_id for message in messages(A, OTHER)}) == 2


# --- when -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fired_ago_s", "count"), [(0.0, 0), (29.0, 0), (30.0, 1), (400.0, 1)])
def test_the_first_message_of_a_group_waits_for_more(fired_ago_s: float, count: int) -> None:
    assert len(messages(fire("a", fired_ago_s=fired_ago_s), group_wait_s=30.0)) == count


def test_who_fired_first_decides_how_long_all_wait() -> None:
    assert names(messages(fire("a", fired_ago_s=30.0), fire("z"), group_wait_s=30.0)) == [[A.id, Z.id]]


def test_what_fired_before_the_clock_was_set_back_does_not_wait() -> None:
    assert len(messages(fire("a", fired_ago_s=-3600.0), group_wait_s=30.0)) == 1


@pytest.mark.parametrize(("said_ago_s", "count"), [(0.0, 0), (59.0, 0), (60.0, 1), (-1.0, 1), (None, 1)])
def test_one_that_joins_waits_since_the_last_message(said_ago_s: float | None, count: int) -> None:
    assert len(messages(A, Z, told=(told(A),), said_ago_s=said_ago_s)) == count


def test_one_that_ends_while_others_burn_waits() -> None:
    assert messages(over(A), Z, told=(told(A), told(Z)), said_ago_s=59.0) == ()
    assert names(messages(over(A), Z, told=(told(A), told(Z)), said_ago_s=60.0)) == [[A.id]]


def test_the_last_end_never_waits() -> None:
    assert names(messages(over(A), told=(told(A),), said_ago_s=1.0)) == [[A.id]]
    assert names(messages(over(A), over(Z), told=(told(A), told(Z)), said_ago_s=1.0)) == [[A.id, Z.id]]


def test_a_critical_one_never_waits_and_takes_the_others_along() -> None:
    critical = fire("c", severity=Severity.CRITICAL)
    assert names(messages(A, Z, critical, told=(told(A),), said_ago_s=1.0)) == [[critical.id, Z.id]]
    assert names(messages(over(critical), A, told=(told(critical), told(A)), said_ago_s=1.0)) == [[critical.id]]


def test_an_escalation_never_waits() -> None:
    worse = replace(A, severity=Severity.ERROR)
    assert [n.event for m in messages(worse, Z, told=(told(A), told(Z)), said_ago_s=1.0) for n in m.notices] == [Event.ESCALATED]


def test_another_group_does_not_wait() -> None:
    assert names(messages(A, OTHER, told=(told(A),), said_ago_s=1.0)) == [[OTHER.id]]


def test_what_joins_a_message_that_has_not_left_goes_with_it() -> None:
    waiting = a_message(a_notice(A), created_at=NOW - 1)
    assert names(messages(A, Z, waiting=(waiting,), said_ago_s=1.0)) == [[A.id, Z.id]]


def test_what_waits_to_be_told_and_ends_is_never_told() -> None:
    assert messages(A, over(Z), told=(told(A),), said_ago_s=1.0) == ()


# --- from an earlier version ------------------------------------------------------------------------------------------


def test_what_an_earlier_version_told_without_a_group_ends_as_one() -> None:
    assert names(messages(over(A), over(Z), told=(told(A, ""), told(Z, "")))) == [[A.id, Z.id]]


@pytest.mark.parametrize("fired_ago_s", [0.0, 29.0, 30.0, 31.0])
@pytest.mark.parametrize("said_ago_s", [None, 0.0, 59.0, 60.0])
def test_what_is_not_told_now_says_until_when_it_waits(fired_ago_s: float, said_ago_s: float | None) -> None:
    new = fire("z", fired_ago_s=fired_ago_s)
    known = (told(A),) if said_ago_s is not None else ()
    judged = [JudgedIncident(one, B) for one in (A, new)] if known else [JudgedIncident(new, B)]
    said_at = {} if said_ago_s is None else {("ops", "g"): NOW - said_ago_s}
    loaded = Loaded(notified={(one.incident, one.receiver): one for one in known}, said_at=said_at)
    to = Recipient("ops", terms=Terms(group_wait_s=30.0))
    held = held_for_group(judged, loaded, to, NOW, quiet=NOT_QUIET, routing=NO_ROUTES)
    now_told = [one for part in names(decide_notifications(judged, loaded, [to], "prod", NOW, "watchdog")[0]) for one in part]
    assert (new.id in held) is not (new.id in now_told)
    due_at = NOW - fired_ago_s + 30.0 if said_ago_s is None else NOW - said_ago_s + 60.0
    assert held == ({new.id: due_at} if due_at > NOW else {})


def test_a_member_for_which_another_route_waits_less_takes_its_group_along() -> None:
    """One rule has incidents of several severities, and what is critical must not wait for what is not."""
    critical = fire("b", severity=Severity.CRITICAL)
    routing = Routing(
        [
            Route({"ops": Terms(group_interval_s=0.0)}, min_severity=Severity.ERROR),
            Route({"ops": Terms(group_wait_s=600.0, group_interval_s=600.0)}),
        ]
    )

    def said(*incidents: Incident, told: tuple[Notified, ...] = ()) -> list[list[str]]:
        loaded = Loaded(notified={(one.incident, one.receiver): one for one in told}, said_at={("ops", "g"): NOW - 1})
        judged = [JudgedIncident(one, B) for one in incidents]
        return names(decide_notifications(judged, loaded, [Recipient("ops")], "prod", NOW, "watchdog", routing=routing)[0])

    assert (said(A), said(A, critical)) == ([], [[A.id, critical.id]])
    joins = fire("c", severity=Severity.ERROR)
    assert (said(A, Z, told=(told(Z),)), said(A, Z, joins, told=(told(Z),))) == ([], [[A.id, joins.id]])


def test_a_group_does_not_wait_for_an_end_that_was_refused_nor_live_on_for_it() -> None:
    refused = replace(told(A), refused=Event.RESOLVED, settings=DROPPED)
    assert names(messages(over(A), over(Z), told=(refused, told(Z)), said_ago_s=1.0)) == [[Z.id]]
    [began] = messages(over(A), Z, told=(refused,), said_ago_s=1.0)
    assert (names((began,)), began.group_id != "g") == ([[Z.id]], True)


def test_a_receiver_that_is_removed_hears_the_ends_of_a_group_in_which_it_refused_one() -> None:
    """There is no later cycle for it."""
    refused = replace(told(A), refused=Event.RESOLVED, settings="s1")
    loaded = Loaded(
        open=(Z,),
        unsettled=(over(A),),
        notified={(one.incident, "ops"): one for one in (refused, told(Z))},
        said_at={("ops", "g"): NOW - 1},
    )
    said, _ = final_notification(loaded, Recipient("ops", settings="s1"), "prod", NOW, "watchdog")
    assert names(said) == [[Z.id]]


# --- reminders of a group -----------------------------------------------------------------------------------------------

HOURLY: dict[str, Any] = {"repeat_s": 3600.0}


def told_ago(incident: Incident, ago_s: float, group: str = "g", event: Event = Event.FIRST, sequence: int = 1) -> Notified:
    return replace(told(incident, group), at=NOW - ago_s, event=event, sequence=sequence)


def test_a_reminder_takes_along_those_of_its_group_that_would_come_soon() -> None:
    """Ten workers that were lost within a quarter of an hour are not ten reminders."""
    found = messages(A, Z, told=(told_ago(A, 3600.0), told_ago(Z, 1800.0)), **HOURLY)
    assert [(notice.incident, notice.event) for notice in found[0].notices] == [(A.id, Event.REMINDER), (Z.id, Event.REMINDER)]


def test_a_reminder_that_is_more_than_half_its_time_away_or_of_another_group_comes_by_itself() -> None:
    assert names(messages(A, Z, told=(told_ago(A, 3600.0), told_ago(Z, 1799.0)), **HOURLY)) == [[A.id]]
    assert names(messages(A, OTHER, told=(told_ago(A, 3600.0), told_ago(OTHER, 1800.0, "h")), **HOURLY)) == [[A.id]]
    last = told_ago(Z, 90_000.0, sequence=11)
    assert names(messages(A, Z, told=(told_ago(A, 3600.0), last), **HOURLY)) == [[A.id]]


def test_a_reminder_takes_along_nothing_that_does_not_fire() -> None:
    recovering = replace(Z, state=State.RECOVERING)
    assert names(messages(A, recovering, told=(told_ago(A, 3600.0), told_ago(Z, 1800.0)), **HOURLY)) == [[A.id]]


def test_nothing_is_taken_along_before_a_reminder_is_due() -> None:
    assert messages(A, Z, told=(told_ago(A, 3599.0), told_ago(Z, 1800.0)), **HOURLY) == ()


def test_reminders_that_were_taken_along_wait_together_unchanged() -> None:
    heard = (told_ago(A, 3600.0), told_ago(Z, 1800.0))
    waiting = messages(A, Z, told=heard, **HOURLY)
    assert messages(A, Z, told=heard, waiting=waiting, **HOURLY) == ()


def test_the_log_of_decisions_has_the_reminders_that_were_taken_along() -> None:
    judged = [JudgedIncident(one, B) for one in (A, Z)]
    loaded = Loaded(notified={(one.incident, "ops"): one for one in (told_ago(A, 3600.0), told_ago(Z, 1800.0))})
    to = Recipient("ops", terms=Terms(repeat_s=3600.0))
    made, _ = decide_notifications(judged, loaded, [to], "prod", NOW, "watchdog")
    logged = decisions_made(judged, loaded, [to], made, NOW, quiet=NOT_QUIET, routing=NO_ROUTES)
    assert [one.explained.said for one in logged] == [Event.REMINDER, Event.REMINDER]
