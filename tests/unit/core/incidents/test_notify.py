import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_message, a_notice, a_told, an_incident
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import DROPPED, Event, Message, Notified
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.reasons import NOT_QUIET
from watchdog.core.incidents.routing import NO_ROUTES, Recipient
from watchdog.core.incidents.wanted import JudgedIncident, about_receiver, decision
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity

OPS = Recipient("ops", settings="s1")
FIRING = an_incident(State.FIRING)
OVER = an_incident(State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW)
B, C, U, N = Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN, Verdict.NONE
FIRST, ESCALATED, RESOLVED = Event.FIRST, Event.ESCALATED, Event.RESOLVED


def needed_event(one: JudgedIncident, told: Notified | None, recipient: Recipient, now: float = NOW) -> Event | None:
    return decision(one, told, recipient, now, routing=NO_ROUTES, quiet=NOT_QUIET).event


def worse(incident: Incident = FIRING) -> Incident:
    return replace(incident, severity=Severity.CRITICAL)


@pytest.mark.parametrize(
    ("incident", "verdict", "told", "event"),
    [
        (FIRING, B, None, FIRST),
        (FIRING, B, a_told(None), FIRST),
        (FIRING, U, None, None),
        (FIRING, N, None, None),
        (FIRING, B, a_told(FIRST), None),
        (worse(), B, a_told(FIRST), ESCALATED),
        (worse(), U, a_told(FIRST), None),
        (worse(), B, a_told(ESCALATED, severity=Severity.CRITICAL), None),
        (worse(), B, None, FIRST),
        (an_incident(State.PENDING), B, None, None),
        (an_incident(State.RECOVERING), C, None, None),
        (an_incident(State.RECOVERING), C, a_told(FIRST), None),
        (OVER, N, None, None),
        (OVER, N, a_told(None), None),
        (OVER, N, a_told(FIRST), RESOLVED),
        (OVER, N, a_told(ESCALATED), RESOLVED),
        (OVER, N, a_told(Event.REMINDER), RESOLVED),
        (OVER, N, a_told(RESOLVED), None),
        (FIRING, B, a_told(None, refused=FIRST, settings="s1"), None),
        (FIRING, B, a_told(None, refused=FIRST, settings="s0"), FIRST),
        (worse(), B, a_told(FIRST, refused=ESCALATED, settings="s1"), None),
        (worse(), B, a_told(FIRST, refused=ESCALATED, settings="s0"), ESCALATED),
        (OVER, N, a_told(FIRST, refused=ESCALATED, settings="s1"), RESOLVED),
        (OVER, N, a_told(FIRST, refused=RESOLVED, settings="s1"), None),
        (OVER, N, a_told(FIRST, refused=RESOLVED, settings="s0"), RESOLVED),
        (OVER, N, a_told(None, refused=FIRST, settings="s0"), None),
    ],
)
def test_what_is_wanted_follows_from_what_is_true_and_what_was_told(
    incident: Incident, verdict: Verdict, told: Notified | None, event: Event | None
) -> None:
    assert needed_event(JudgedIncident(incident, verdict), told, OPS) is event


@pytest.mark.parametrize(("after_s", "settings", "event"), [(3599.0, "s1", None), (3600.0, "s1", FIRST), (7200.0, DROPPED, None)])
def test_what_was_refused_and_still_burns_is_tried_again_after_an_hour(after_s: float, settings: str, event: Event | None) -> None:
    told = replace(a_told(None, refused=FIRST, settings=settings), at=NOW)
    assert needed_event(JudgedIncident(FIRING, B), told, OPS, NOW + after_s) is event


def test_a_receiver_is_never_told_of_its_own_failure() -> None:
    assert needed_event(JudgedIncident(FIRING, B, about="ops"), None, OPS) is None


def test_another_receiver_is_told_of_it() -> None:
    assert needed_event(JudgedIncident(FIRING, B, about="ops"), None, Recipient("dev")) is FIRST


def test_whose_failure_it_is_stands_in_the_key_of_a_rule_on_receivers() -> None:
    incident = an_incident(target="watchdog", key={"name": "ops"})
    assert (about_receiver(incident, frozenset({"receivers"})), about_receiver(incident, frozenset({"rules"}))) == ("ops", "")


# --- messages ---------------------------------------------------------------------------------------------------------


def telling(
    *judged: JudgedIncident, told: tuple[Notified, ...] = (), waiting: tuple[Message, ...] = (), to: tuple[Recipient, ...] = (OPS,)
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    loaded = Loaded(notified={(t.incident, t.receiver): t for t in told}, waiting=waiting)
    return decide_notifications(judged, loaded, to, "prod", NOW, "watchdog")


def said(messages: tuple[Message, ...]) -> list[tuple[str, Event, int]]:
    return [(n.incident, n.event, n.sequence) for m in messages for n in m.notices]


def another(number: int) -> Incident:
    return an_incident(id=f"01OTHER{number:03}", started_at=NOW - 50 + number)


def test_a_new_fire_is_one_message() -> None:
    messages, withdrawn = telling(JudgedIncident(FIRING, B))
    assert (said(messages), withdrawn) == ([("01INCIDENT", FIRST, 1)], ())


def test_what_is_told_again_at_a_time_that_was_before_has_another_name() -> None:
    """The clock was set back to it, and the first telling was refused."""
    before, after = (
        decide_notifications([JudgedIncident(FIRING, B)], Loaded(last_message=last), [OPS], "prod", NOW, "watchdog")[0] for last in (0, 1)
    )
    assert before[0].id != after[0].id


def test_two_fires_of_one_cycle_are_one_message() -> None:
    messages, _ = telling(JudgedIncident(FIRING, B), JudgedIncident(another(1), B))
    assert [len(m.notices) for m in messages] == [2]


def test_each_receiver_gets_its_own_message_under_its_own_id() -> None:
    messages, _ = telling(JudgedIncident(FIRING, B), to=(OPS, Recipient("dev")))
    assert ([m.receiver for m in messages], len({m.id for m in messages})) == (["ops", "dev"], 2)


def test_nothing_new_is_no_message() -> None:
    assert telling(JudgedIncident(FIRING, B), told=(a_told(),)) == ((), ())


def test_the_sequence_counts_what_this_receiver_was_told() -> None:
    messages, _ = telling(JudgedIncident(OVER, N), told=(a_told(ESCALATED, sequence=4),))
    assert said(messages) == [("01INCIDENT", RESOLVED, 5)]


def test_a_message_says_what_was_true_when_it_was_made() -> None:
    notice = telling(JudgedIncident(FIRING, B))[0][0].notices[0]
    assert (notice.state, notice.severity, notice.values, notice.key) == (
        "firing",
        Severity.WARNING,
        {"length": 60.0},
        {"name": "indexing"},
    )


def test_an_end_says_why() -> None:
    notice = telling(JudgedIncident(OVER, N), told=(a_told(),))[0][0].notices[0]
    assert (notice.state, notice.ended, notice.resolved_at) == ("resolved", "recovered", NOW)


def test_a_machine_gets_everything_split_over_several_messages() -> None:
    messages, _ = telling(*(JudgedIncident(another(n), B) for n in range(250)))
    assert [len(m.notices) for m in messages] == [100, 100, 50]


def test_a_human_gets_one_message_to_be_cut_by_its_receiver() -> None:
    messages, _ = telling(*(JudgedIncident(another(n), B) for n in range(250)), to=(Recipient("ops", human=True),))
    assert [len(m.notices) for m in messages] == [250]


# --- merging with what waits ------------------------------------------------------------------------------------------


def test_what_waits_and_still_says_the_same_is_left_alone() -> None:
    assert telling(JudgedIncident(FIRING, B), waiting=(a_message(),)) == ((), ())


def test_a_new_fire_joins_what_never_left() -> None:
    messages, withdrawn = telling(JudgedIncident(FIRING, B), JudgedIncident(another(1), B), waiting=(a_message(),))
    assert ([i for i, _, _ in said(messages)], withdrawn) == (["01INCIDENT", "01OTHER001"], ("01MESSAGE",))


def test_a_merged_message_has_a_new_id() -> None:
    messages, _ = telling(JudgedIncident(FIRING, B), JudgedIncident(another(1), B), waiting=(a_message(),))
    assert messages[0].id != "01MESSAGE"


def test_a_merged_message_keeps_its_snapshots_its_back_off_and_its_age() -> None:
    old = a_message(a_notice(summary="as it was"), not_before=NOW + 30)
    messages, _ = telling(JudgedIncident(FIRING, B), JudgedIncident(another(1), B), waiting=(old,))
    assert (messages[0].notices[0].summary, messages[0].not_before, messages[0].since) == ("as it was", NOW + 30, NOW - 50)


def test_a_beginning_and_its_end_that_both_never_left_cancel_out() -> None:
    assert telling(JudgedIncident(OVER, N), waiting=(a_message(),)) == ((), ("01MESSAGE",))


def test_a_beginning_that_came_back_unsent_and_its_waiting_end_cancel_out() -> None:
    end = a_message(a_notice(OVER, RESOLVED, sequence=2), id="01END")
    assert telling(JudgedIncident(OVER, N), waiting=(a_message(), end)) == ((), ("01MESSAGE", "01END"))


def test_a_waiting_first_is_kept_while_the_cycle_cannot_look() -> None:
    assert telling(JudgedIncident(FIRING, U), waiting=(a_message(),)) == ((), ())


def test_a_waiting_first_is_kept_while_the_fire_is_going_out() -> None:
    assert telling(JudgedIncident(an_incident(State.RECOVERING), C), waiting=(a_message(),)) == ((), ())


def test_a_waiting_first_is_kept_when_another_message_is_merged_into_it_while_blind() -> None:
    messages, _ = telling(JudgedIncident(FIRING, U), JudgedIncident(another(1), B), waiting=(a_message(),))
    assert said(messages) == [("01INCIDENT", FIRST, 1), ("01OTHER001", FIRST, 1)]


def test_a_waiting_first_that_grew_worse_becomes_one_first_of_the_worse() -> None:
    messages, withdrawn = telling(JudgedIncident(worse(), B), waiting=(a_message(),))
    assert (said(messages), messages[0].notices[0].severity, withdrawn) == (
        [("01INCIDENT", FIRST, 1)],
        Severity.CRITICAL,
        ("01MESSAGE",),
    )


def test_a_first_that_came_back_unsent_and_its_waiting_escalation_become_a_first_even_while_blind() -> None:
    escalation = a_message(a_notice(worse(), ESCALATED, sequence=2), id="01ESCALATED")
    messages, withdrawn = telling(JudgedIncident(worse(), U), waiting=(a_message(), escalation))
    assert (said(messages), messages[0].notices[0].severity, withdrawn) == (
        [("01INCIDENT", FIRST, 1)],
        Severity.CRITICAL,
        ("01MESSAGE", "01ESCALATED"),
    )


def test_an_escalation_whose_beginning_was_refused_is_withdrawn() -> None:
    escalation = a_message(a_notice(worse(), ESCALATED, sequence=2), id="01ESCALATED")
    told = a_told(None, refused=FIRST, settings="s1")
    assert telling(JudgedIncident(worse(), B), told=(told,), waiting=(escalation,)) == ((), ("01ESCALATED",))


def test_a_waiting_escalation_gives_way_to_the_end() -> None:
    escalation = a_message(a_notice(worse(), ESCALATED, sequence=2), id="01ESCALATED")
    messages, withdrawn = telling(JudgedIncident(worse(OVER), N), told=(a_told(),), waiting=(escalation,))
    assert (said(messages), withdrawn) == ([("01INCIDENT", RESOLVED, 2)], ("01ESCALATED",))


def test_a_waiting_end_is_left_alone() -> None:
    end = a_message(a_notice(OVER, RESOLVED, sequence=2), id="01END")
    assert telling(JudgedIncident(OVER, N), told=(a_told(),), waiting=(end,)) == ((), ())


def test_what_waits_for_another_receiver_is_not_touched() -> None:
    _, withdrawn = telling(JudgedIncident(another(1), B), waiting=(a_message(receiver="dev"),))
    assert withdrawn == ()


def test_the_notices_stand_in_the_order_of_their_beginnings() -> None:
    messages, _ = telling(JudgedIncident(another(9), B), JudgedIncident(another(3), B), JudgedIncident(FIRING, B))
    assert [i for i, _, _ in said(messages)] == ["01INCIDENT", "01OTHER003", "01OTHER009"]
