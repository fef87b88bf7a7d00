"""What an operator does about what waits and what was given up, and receivers whose address is gone."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.builders.outbox import T0, FakeReceiver, attempt, commit, incident, load, look, message, notice, opened, over, plan
from tests.servers.waiting import until
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import DROPPED, Event
from watchdog.core.incidents.outcome import Delivered, Later, Refused
from watchdog.core.incidents.routing import Recipient
from watchdog.core.incidents.wanted import REFUSED_AGAIN_S
from watchdog.daemon.delivery import Delivery
from watchdog.receivers.pace import Pace
from watchdog.store import Store, StoreError
from watchdog.store.sql import DatabasePlace

DAY = 86400.0
GONE = Refused("https://example.com answered 410", gone=True)
NEVER = Later("refused the connection", never_arrived=True)


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def cycle(store: Store, *incidents: Incident, now: float, settings: str = "s1") -> list[tuple[str, Event]]:
    """What waits for `ops` after one cycle."""
    look(store, [Recipient("ops", settings=settings)], *incidents, now=now)
    return [(n.incident, n.event) for m in load(store).waiting for n in m.notices]


def states(store: Store) -> dict[str, str]:
    return {entry.id: entry.state for entry in store.outbox_shown().messages}


def off(store: Store) -> list[str]:
    return [one.receiver for one in store.outbox_shown().off]


A, B = incident("A"), incident("B")
BIG = replace(A, values={"length": 999.0}, summary="A holds 999 messages")


# --- switched off -------------------------------------------------------------------------------------------------------


def test_an_address_that_is_gone_switches_its_receiver_off(store: Store) -> None:
    commit(store, plan(message("1", notice("A")), message("2", notice("B")), incidents=[A, B]))
    attempt(store, GONE)
    [seen] = store.receivers_seen()
    assert (off(store), seen.off, states(store)) == (["ops"], True, {"01MESSAGE1": "dead", "01MESSAGE2": "waiting"})


def test_nothing_is_attempted_while_it_is_off(store: Store) -> None:
    commit(store, plan(message("1", notice("A")), message("2", notice("B")), incidents=[A, B]))
    attempt(store, GONE)
    assert attempt(store, Delivered(), now=T0 + 3600) is None


def test_it_is_off_through_a_restart(store: Store, place: DatabasePlace) -> None:
    commit(store, plan(message("1"), message("2", notice("B")), incidents=[A, B]))
    attempt(store, GONE)
    store.close()
    with opened(place) as again:
        assert attempt(again, Delivered(), now=T0 + 60) is None


def test_other_settings_switch_it_on(store: Store) -> None:
    commit(store, plan(message("1"), message("2", notice("B")), incidents=[A, B]))
    attempt(store, GONE)
    with capture_logs() as logs:
        assert attempt(store, Delivered(), now=T0 + 60, settings="s2") == "01MESSAGE2"
    assert (off(store), [log["event"] for log in logs]) == ([], ["receiver_switched_on"])


def test_what_is_out_of_time_while_it_is_off_is_a_dead_letter_and_not_said_again(store: Store) -> None:
    commit(store, plan(message("1"), message("2", notice("B")), incidents=[A, B]))
    attempt(store, GONE)
    assert store.next_due("ops", T0, "s1") == T0 + DAY
    assert attempt(store, Delivered(), now=T0 + DAY) is None
    assert states(store) == {"01MESSAGE1": "dead", "01MESSAGE2": "dead"}
    assert store.next_due("ops", T0 + DAY, "s1") is None
    assert cycle(store, A, B, now=T0 + DAY + 10) == []


def test_once_on_again_it_hears_first_of_what_burns_then_and_nothing_else(store: Store) -> None:
    burning = incident("C")
    cycle(store, A, now=T0)
    attempt(store, GONE, now=T0)  # A's beginning is refused
    cycle(store, A, B, now=T0 + 10)
    cycle(store, A, over(B), burning, now=T0 + 20)  # B came and went meanwhile
    assert attempt(store, Delivered(), now=T0 + 30) is None
    told = cycle(store, BIG, burning, now=T0 + 40, settings="s2")
    assert told == [(A.id, Event.FIRST), (burning.id, Event.FIRST)]
    assert attempt(store, Delivered(), now=T0 + 50, settings="s2") is not None
    assert attempt(store, Delivered(), now=T0 + 50, settings="s2") is None


def test_a_delivery_says_that_it_is_off_and_why(store: Store) -> None:
    commit(store, plan(message("1"), message("2", notice("B")), incidents=[A, B]))
    with capture_logs() as logs:
        assert Delivery(store, [FakeReceiver(then=[GONE])], clock=lambda: T0).drain_once("ops") == 1
    assert [(log["event"], log["log_level"]) for log in logs] == [("message_refused", "warning"), ("receiver_switched_off", "error")]
    assert logs[-1]["reason"] == GONE.reason


# --- retry --------------------------------------------------------------------------------------------------------------


def test_a_retried_beginning_is_told_as_the_fire_is_now(store: Store) -> None:
    cycle(store, A, now=T0)
    name = attempt(store, Refused("404"))
    assert cycle(store, A, now=T0 + 10) == []
    [retried] = store.retry([str(name)], T0 + 20)
    assert (retried.anew, retried.ends, retried.over) == (1, 0, 0)
    assert cycle(store, BIG, now=T0 + 30) == [(A.id, Event.FIRST)]
    assert load(store).waiting[0].notices[0].summary == "A holds 999 messages"


def test_a_retried_beginning_of_what_is_over_comes_to_nothing(store: Store) -> None:
    cycle(store, A, now=T0)
    name = attempt(store, Refused("404"))
    cycle(store, over(A), now=T0 + 10)
    [retried] = store.retry([str(name)], T0 + 20)
    assert (retried.anew, retried.ends, retried.over) == (0, 0, 1)
    assert cycle(store, now=T0 + 30) == []


def test_a_retried_end_is_sent_without_waiting_for_a_cycle(store: Store) -> None:
    cycle(store, A, now=T0)
    attempt(store, Delivered())
    cycle(store, over(A), now=T0 + 10)
    name = attempt(store, Refused("404"), now=T0 + 10)
    [retried] = store.retry([str(name)], T0 + 20)
    assert (retried.anew, retried.ends, retried.over) == (0, 1, 0)
    again = attempt(store, Delivered(), now=T0 + 20)
    assert again not in (None, name)
    assert cycle(store, now=T0 + 30) == []


def test_a_retried_end_is_not_said_twice_by_the_next_cycle(store: Store) -> None:
    cycle(store, A, now=T0)
    attempt(store, Delivered())
    cycle(store, over(A), now=T0 + 10)
    store.retry([str(attempt(store, Refused("404"), now=T0 + 10))], T0 + 20)
    assert cycle(store, now=T0 + 30) == [(A.id, Event.RESOLVED)]


def test_a_retried_end_that_a_cycle_has_queued_again_is_said_once(store: Store) -> None:
    cycle(store, A, now=T0)
    attempt(store, Delivered())
    cycle(store, over(A), now=T0 + 10)
    name = attempt(store, Refused("404"), now=T0 + 10)
    assert cycle(store, now=T0 + 10 + REFUSED_AGAIN_S) == [(A.id, Event.RESOLVED)]
    [retried] = store.retry([str(name)], T0 + 20 + REFUSED_AGAIN_S)
    assert (retried.anew, retried.ends, retried.over) == (0, 1, 0)
    assert len(load(store).waiting) == 1


def test_what_waits_is_due_at_once_when_retried(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[A]))
    attempt(store, Later("503", retry_after_s=600))
    assert store.retry(["01MESSAGE1"], T0 + 1)[0].at_once
    assert attempt(store, Delivered(), now=T0 + 1) == "01MESSAGE1"


def test_a_retry_switches_on(store: Store) -> None:
    commit(store, plan(message("1"), message("2", notice("B")), incidents=[A, B]))
    attempt(store, GONE)
    store.retry(["01MESSAGE2"], T0 + 1)
    assert off(store) == []
    assert attempt(store, Delivered(), now=T0 + 1) == "01MESSAGE2"


def test_a_retried_letter_is_no_longer_listed_but_stays_in_the_incidents_story(store: Store) -> None:
    cycle(store, A, now=T0)
    name = attempt(store, Refused("404"))
    store.retry([str(name)], T0 + 20)
    assert states(store) == {}
    assert [m.state for m in store.show(A.id).messages] == ["retried"]
    assert store.receivers_seen() == () or store.receivers_seen()[0].dead == 0


def test_a_letter_is_retried_once(store: Store) -> None:
    cycle(store, A, now=T0)
    name = str(attempt(store, Refused("404")))
    assert len(store.retry([name], T0 + 20)) == 1
    assert store.retry([name], T0 + 21) == []


def test_what_is_in_hand_is_left_alone(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[A]))
    store.claim("ops", T0, "s1", lambda _: b"body")
    assert (store.retry(["01MESSAGE1"], T0), store.drop(["01MESSAGE1"], T0)) == ([], [])


def test_a_retry_is_noticed_by_its_number(store: Store, place: DatabasePlace) -> None:
    before = store.retried()
    with opened(place) as beside:
        beside.switch_on("ops")
    assert store.retried() != before


def test_a_retry_ends_the_pause_that_a_receiver_asked_for(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[A]))
    receiver = FakeReceiver(then=[Later("429", retry_after_s=600, never_arrived=True)])
    delivery = Delivery(store, [receiver], clock=lambda: T0, pace=Pace(lambda: 0.0))
    delivery.drain_once("ops")
    store.retry(["01MESSAGE1"], T0)
    assert delivery.drain_once("ops") == 0
    delivery.wake(["ops"])
    assert delivery.drain_once("ops") == 1


# --- drop ---------------------------------------------------------------------------------------------------------------


def test_a_dropped_dead_letter_is_not_told_again_whatever_the_settings(store: Store) -> None:
    cycle(store, A, now=T0)
    name = str(attempt(store, Refused("404")))
    assert store.drop([name], T0 + 10) == [name]
    assert states(store) == {}
    assert cycle(store, A, now=T0 + 20, settings="s2") == []


def test_a_dropped_message_that_waited_is_not_sent_nor_made_anew(store: Store) -> None:
    cycle(store, A, now=T0)
    [entry] = store.outbox_shown().messages
    store.drop([entry.id], T0 + 1)
    assert attempt(store, Delivered(), now=T0 + 2) is None
    assert cycle(store, A, now=T0 + 10) == []


def test_of_a_dropped_message_that_may_have_arrived_the_end_is_told(store: Store) -> None:
    cycle(store, A, now=T0)
    name = str(attempt(store, Later("no answer")))
    store.drop([name], T0 + 1)
    assert cycle(store, over(A), now=T0 + 10) == [(A.id, Event.RESOLVED)]


def test_of_a_dropped_message_that_never_left_no_end_is_told(store: Store) -> None:
    cycle(store, A, now=T0)
    name = str(attempt(store, NEVER))
    store.drop([name], T0 + 1)
    assert cycle(store, over(A), now=T0 + 10) == []


def test_what_was_dropped_counts_as_the_latest_although_what_came_before_it_arrives_later(store: Store) -> None:
    commit(store, plan(message("1"), message("2", notice(A, Event.ESCALATED, 2)), incidents=[A]))
    store.drop(["01MESSAGE2"], T0 + 1)
    assert attempt(store, Delivered(), now=T0 + 2) == "01MESSAGE1"
    [known] = load(store).notified.values()
    assert (known.event, known.refused, known.settings) == (Event.FIRST, Event.ESCALATED, DROPPED)


def test_what_follows_a_dropped_message_is_not_held_up(store: Store) -> None:
    cycle(store, A, now=T0)
    name = str(attempt(store, Later("no answer")))
    cycle(store, over(A), now=T0 + 10)
    assert attempt(store, Delivered(), now=T0 + 0.5) is None
    store.drop([name], T0 + 10)
    assert attempt(store, Delivered(), now=T0 + 10) is not None


def test_retention_removes_letters_that_were_handled(store: Store) -> None:
    cycle(store, A, now=T0)
    store.drop([str(attempt(store, Refused("404")))], T0 + 1)
    cycle(store, over(A), now=T0 + 10)
    store.retention(T0 + 40 * DAY)
    assert store._file.connection().execute("SELECT count(*) FROM messages").fetchone()[0] == 0


def test_to_write_to_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file"):
        Store.open(tmp_path / "nowhere.db", create=False, write=True)
    assert not (tmp_path / "nowhere.db").exists()


def test_what_is_due_is_what_would_be_claimed(store: Store) -> None:
    assert not store.is_due("ops", T0, "s1")
    commit(store, plan(message("1"), message("2", notice("B")), incidents=[A, B]))
    assert store.is_due("ops", T0, "s1")
    attempt(store, GONE)
    assert not store.is_due("ops", T0, "s1")
    assert store.is_due("ops", T0, "s2")
    assert store.is_due("ops", T0 + DAY, "s1")  # to be given up


# --- an older file ------------------------------------------------------------------------------------------------------


def test_a_file_of_version_1_keeps_what_waits_and_what_was_told(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "watchdog.db")
    raw.executescript((Path(__file__).parents[1] / "databases" / "v1.sql").read_text())
    raw.close()
    with opened(tmp_path) as store:
        assert states(store) == {"01MESSAGEB": "dead", "01MESSAGEC": "waiting", "01MESSAGED": "waiting"}
        assert {one.link for one in store.incidents()} == {""}
        told = {key[0][-1]: (t.event, t.refused) for key, t in load(store).notified.items()}
        assert told == {"A": (Event.FIRST, None), "B": (None, Event.FIRST), "C": (Event.FIRST, None)}
        assert [attempt(store, Delivered(), now=T0 + 60) for _ in range(3)] == ["01MESSAGEC", "01MESSAGED", None]
        store.retry(["01MESSAGEB"], T0 + 60)
        assert cycle(store, B, now=T0 + 70) == [(B.id, Event.FIRST)]
    assert (tmp_path / "watchdog.db.v1").exists()


def test_a_thread_takes_up_what_a_retry_made_due(store: Store) -> None:
    receiver = FakeReceiver(then=[Later("503", retry_after_s=600)])
    commit(store, plan(message("1"), incidents=[A]))
    delivery = Delivery(store, [receiver])
    delivery.start()
    until(lambda: states(store) == {"01MESSAGE1": "waiting"} and receiver.sent, 10, "the first attempt")
    store.retry(["01MESSAGE1"], T0)
    delivery.wake(["ops"])
    until(lambda: len(receiver.sent) == 2, 10, "the second")
    assert delivery.stop(10)
