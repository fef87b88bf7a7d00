"""Acknowledgements, and incidents closed by hand, in a real file beside cycles that commit."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, attempt, commit, incident, load, look, opened, over, plan
from watchdog.core.incidents.lifecycle import Ended, State
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.routing import Recipient
from watchdog.core.model.severity import Severity
from watchdog.store import NotFoundError, Store, StoreError
from watchdog.store.sql import DatabasePlace

OPS = [Recipient("ops")]
A, B = incident("A"), incident("B")
QUIET_NOW = replace(A, state=State.RECOVERING, verdict="clear")


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        commit(one, plan(incidents=[A, B]))
        yield one


# --- acknowledgements -----------------------------------------------------------------------------------------------------


def test_an_acknowledgement_is_read_by_every_cycle_until_it_is_taken_back(store: Store) -> None:
    store.acknowledge(["01incidenta"], "on it", "ada", T0 + 5)
    (given,) = load(store).acknowledged.values()
    assert (given.incident, given.at, given.severity, given.comment, given.author) == (A.id, T0 + 5, Severity.WARNING, "on it", "ada")

    assert store.take_back_acknowledgements([A.id], "bob", T0 + 9) == [A]
    assert load(store).acknowledged == store.acknowledged() == {}
    assert [(one.until, one.why) for one in store.show(A.id).acknowledgements] == [(T0 + 9, "taken back by bob")]


def test_a_second_one_replaces_the_first_which_stays_in_the_history(store: Store) -> None:
    store.acknowledge([A.id], "on it", "ada", T0 + 5)
    store.acknowledge([A.id, A.fingerprint], "the disk is on its way", "bob", T0 + 6)
    assert store.acknowledged()[A.id].comment == "the disk is on its way"
    history = store.show(A.id).acknowledgements
    assert [(one.author, one.until, one.why) for one in history] == [("ada", T0 + 6, "acknowledged again"), ("bob", None, "")]


def test_one_that_is_overtaken_does_not_come_back(store: Store) -> None:
    store.acknowledge([A.id], "on it", "ada", T0 + 5)
    commit(store, replace(plan(incidents=[replace(A, severity=Severity.CRITICAL)], at=T0 + 10), overtaken=(A.id,)))
    commit(store, plan(incidents=[A], at=T0 + 20))
    assert load(store).acknowledged == {}
    assert [(one.until, one.why) for one in store.show(A.id).acknowledgements] == [(T0 + 10, "the incident got worse")]


def test_what_ends_needs_no_acknowledgement_any_more(store: Store) -> None:
    store.acknowledge([A.id], "", "", T0)
    commit(store, plan(incidents=[over(A)]))
    assert store.acknowledged() == {}
    with pytest.raises(StoreError, match=r"01INCIDENTA \(QueueBacklogHigh\) cannot be acknowledged: it has ended, recovered at 2026-"):
        store.acknowledge([A.id], "", "", T0)


def test_of_several_either_all_are_acknowledged_or_none(store: Store) -> None:
    with pytest.raises(NotFoundError, match='no incident "nope"'):
        store.acknowledge([A.id, "nope"], "", "", T0)
    with pytest.raises(NotFoundError, match="several incidents begin"):
        store.acknowledge(["01"], "", "", T0)
    assert store.acknowledged() == {}
    store.acknowledge([A.id, B.id], "", "", T0)
    assert set(store.acknowledged()) == {A.id, B.id}


def test_what_nobody_acknowledged_cannot_be_taken_back(store: Store) -> None:
    store.acknowledge([A.id], "", "", T0)
    with pytest.raises(StoreError, match=r"01INCIDENTB .* is not acknowledged"):
        store.take_back_acknowledgements([A.id, B.id], "", T0)
    assert set(store.acknowledged()) == {A.id}


def test_a_pending_one_can_be_acknowledged(store: Store) -> None:
    commit(store, plan(incidents=[incident("C", state=State.PENDING)]))
    store.acknowledge(["01INCIDENTC"], "", "", T0)
    assert "01INCIDENTC" in load(store).acknowledged


# --- who knows ------------------------------------------------------------------------------------------------------------


def test_a_receiver_counts_as_notified_once_a_message_may_have_arrived(store: Store) -> None:
    look(store, [Recipient("ops"), Recipient("chat")], A)
    assert store.notified() == {}
    assert attempt(store, Delivered(), receiver="ops")
    assert store.notified() == {A.id: ("ops",)}
    assert attempt(store, Delivered(), receiver="chat")
    assert store.notified() == {A.id: ("chat", "ops")}
    commit(store, plan(incidents=[over(A)]))
    assert store.notified() == {}


# --- closed by hand -------------------------------------------------------------------------------------------------------


def test_what_is_closed_has_ended_for_a_reason_that_stays(store: Store) -> None:
    commit(store, plan(incidents=[QUIET_NOW]))
    (closed,) = store.close_incidents([A.id], "retired", "ada", T0 + 60)
    shown = store.show(A.id)
    assert shown.incident == closed
    assert (closed.state, closed.ended, closed.closed_by, closed.closed_because) == (State.RESOLVED, Ended.CLOSED, "ada", "retired")
    assert shown.transitions[-1].reason == "closed by hand by ada: retired"
    assert load(store).open == (B,)


def test_those_who_were_told_hear_the_end_in_the_next_cycle_and_once(store: Store) -> None:
    look(store, OPS, A)
    assert attempt(store, Delivered()) is not None
    commit(store, plan(incidents=[QUIET_NOW]))
    store.close_incidents([A.id], "retired", "ada", T0 + 60)
    look(store, OPS, now=T0 + 70)
    (entry,) = store.outbox_shown().messages
    assert [(n.incident, n.ended, n.closed_by, n.closed_because) for n in entry.notices] == [(A.id, "closed by hand", "ada", "retired")]
    assert attempt(store, Delivered(), now=T0 + 70) == entry.id
    look(store, OPS, now=T0 + 80)
    assert store.outbox_shown().messages == ()


def test_a_message_that_was_never_sent_is_withdrawn(store: Store) -> None:
    look(store, OPS, A)
    assert len(store.outbox_shown().messages) == 1
    commit(store, plan(incidents=[QUIET_NOW]))
    store.close_incidents([A.id], "retired", "ada", T0 + 60)
    look(store, OPS, now=T0 + 70)
    assert store.outbox_shown().messages == ()


@pytest.mark.parametrize("breaching", [A, replace(A, verdict="breach"), replace(QUIET_NOW, verdict="breach")])
def test_what_is_in_breach_is_not_closed_and_the_refusal_says_what_to_do_instead(store: Store, breaching: object) -> None:
    commit(store, plan(incidents=[breaching]))  # type: ignore[list-item]
    with pytest.raises(StoreError) as refused:
        store.close_incidents([A.id], "retired", "ada", T0)
    assert "`watchdog ack 01INCIDENTA" in str(refused.value)
    assert "`watchdog silence add rule=QueueBacklogHigh 'name=\"A\"' --for 2h`" in str(refused.value)
    assert store.show(A.id).incident == breaching


def test_what_cannot_be_seen_any_more_can_be_closed(store: Store) -> None:
    commit(store, plan(incidents=[replace(A, verdict="unknown")]))
    assert store.close_incidents([A.id], "host is gone", "", T0)[0].ended is Ended.CLOSED


def test_of_several_one_that_is_in_breach_keeps_all_open(store: Store) -> None:
    commit(store, plan(incidents=[QUIET_NOW]))
    with pytest.raises(StoreError, match="01INCIDENTB"):
        store.close_incidents([A.id, B.id], "retired", "ada", T0)
    assert load(store).open == (QUIET_NOW, B)


def test_what_has_ended_is_not_closed_again(store: Store) -> None:
    commit(store, plan(incidents=[over(A)]))
    with pytest.raises(StoreError, match="cannot be closed: it has ended, recovered at 2026-"):
        store.close_incidents([A.id], "retired", "ada", T0)


def test_it_waits_for_a_cycle_that_is_about_to_commit_and_then_sees_its_verdict(place: DatabasePlace, store: Store) -> None:
    commit(store, plan(incidents=[QUIET_NOW]))
    with opened(place) as by_hand:
        with store.cycle() as transaction:
            transaction.load("prod")
            with pytest.raises(StoreError, match=r"locked by another process|writes for too long"):
                by_hand.close_incidents([A.id], "retired", "ada", T0)
            transaction.commit(plan(incidents=[replace(QUIET_NOW, state=State.FIRING, verdict="breach")]))
        with pytest.raises(StoreError, match="it was in breach"):
            by_hand.close_incidents([A.id], "retired", "ada", T0)
