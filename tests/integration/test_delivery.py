import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.builders.outbox import T0, FakeReceiver, commit, message, notice, opened, plan
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.outcome import Delivered, Later, Refused
from watchdog.daemon.delivery import Delivery
from watchdog.receivers.pace import Pace
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.store import Store, StoreError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def three(store: Store) -> None:
    commit(store, plan(*(message(name, notice(name)) for name in "ABC")))


def logged(run: Callable[[], object]) -> list[dict[str, object]]:
    with capture_logs() as logs:
        run()
    return [dict(log) for log in logs]


# --- one receiver, step by step -----------------------------------------------------------------------------------------


def test_what_is_due_is_sent_in_order(store: Store, clock: Clock) -> None:
    three(store)
    receiver = FakeReceiver()
    assert Delivery(store, [receiver], clock=clock).drain_once("ops") == 3
    assert receiver.ids == ["01MESSAGEA", "01MESSAGEB", "01MESSAGEC"]


def test_what_was_delivered_is_not_sent_again(store: Store, clock: Clock) -> None:
    three(store)
    delivery = Delivery(store, [FakeReceiver()], clock=clock)
    assert [delivery.drain_once("ops"), delivery.drain_once("ops")] == [3, 0]


def test_what_failed_is_sent_again_later_with_the_same_id_and_body(store: Store, clock: Clock) -> None:
    commit(store, plan(message("A")))
    receiver = FakeReceiver(then=[Later("503")])
    delivery = Delivery(store, [receiver], clock=clock)
    delivery.drain_once("ops")
    clock.now += 2
    delivery.drain_once("ops")
    first, second = receiver.sent
    assert first == second


def test_a_pause_that_the_receiver_asks_for_holds_for_all_its_messages(store: Store, clock: Clock) -> None:
    three(store)
    receiver = FakeReceiver(then=[Later("429", retry_after_s=60, never_arrived=True)])
    delivery = Delivery(store, [receiver], clock=clock, pace=Pace(clock))
    assert delivery.drain_once("ops") == 1
    clock.now += 59
    assert delivery.drain_once("ops") == 0
    clock.now += 1
    assert delivery.drain_once("ops") == 3


def test_a_pause_is_not_measured_by_a_clock_that_may_be_set(store: Store, clock: Clock) -> None:
    three(store)
    stopwatch = Clock()
    delivery = Delivery(store, [FakeReceiver(then=[Later("429", retry_after_s=60, never_arrived=True)])], clock=clock, pace=Pace(stopwatch))
    delivery.drain_once("ops")
    clock.now -= 86400
    stopwatch.now += 60
    assert delivery.drain_once("ops") == 3


def test_one_refused_message_does_not_hold_up_the_next(store: Store, clock: Clock) -> None:
    three(store)
    receiver = FakeReceiver(then=[Refused("404")])
    assert Delivery(store, [receiver], clock=clock).drain_once("ops") == 3


def test_a_receiver_that_raises_is_tried_again(store: Store, clock: Clock) -> None:
    commit(store, plan(message("A")))
    receiver = FakeReceiver(then=[RuntimeError("https://hooks/s3cret")])
    delivery = Delivery(store, [receiver], clock=clock)
    [log] = logged(lambda: delivery.drain_once("ops"))
    assert (log["event"], log["reason"]) == ("message_deferred", "the receiver failed (RuntimeError)")
    clock.now += 2
    assert delivery.drain_once("ops") == 1


@pytest.mark.parametrize(
    ("outcome", "event", "reason"),
    [
        (Delivered("200"), "message_delivered", None),
        (Later("h answered 503"), "message_deferred", "h answered 503"),
        (Refused("h answered 404"), "message_refused", "h answered 404"),
    ],
)
def test_each_attempt_is_one_line(store: Store, clock: Clock, outcome: Delivered | Later | Refused, event: str, reason: str | None) -> None:
    commit(store, plan(message("A", notice("A"), notice("B"))))
    [log] = logged(lambda: Delivery(store, [FakeReceiver(then=[outcome])], clock=clock).drain_once("ops"))
    assert {**log, "log_level": None} == {
        "event": event,
        "receiver": "ops",
        "message": "01MESSAGEA",
        "incidents": 2,
        "attempt": 1,
        "log_level": None,
        **({"reason": reason} if reason else {}),
    }


def test_outcomes_are_reported(store: Store, clock: Clock) -> None:
    commit(store, plan(message("A")))
    heard: list[tuple[str, str]] = []
    delivery = Delivery(
        store,
        [FakeReceiver()],
        clock=clock,
        on_outcome=lambda claimed, _, settled: heard.append((claimed.message.id, settled.state if settled else "")),
    )
    delivery.drain_once("ops")
    assert heard == [("01MESSAGEA", "delivered")]


# --- threads ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def started() -> Iterator[Callable[..., Delivery]]:
    running: list[Delivery] = []

    def start(store: Store, *receivers: object) -> Delivery:
        delivery = Delivery(store, receivers)  # type: ignore[arg-type]  # they have what a Receiver has
        running.append(delivery)
        delivery.start()
        return delivery

    yield start
    for delivery in running:
        assert delivery.stop(10)


Start = Callable[..., Delivery]


def test_a_wake_sends_what_was_committed(store: Store, started: Start) -> None:
    receiver = FakeReceiver()
    delivery = started(store, receiver)
    commit(store, plan(message("A")))
    delivery.wake()
    until(lambda: receiver.ids == ["01MESSAGEA"], 5, "the message")


def test_a_slow_receiver_delays_no_other(store: Store, started: Start) -> None:
    go_on = threading.Event()
    slow, quick = FakeReceiver("slow", before=lambda: go_on.wait(10)), FakeReceiver("quick")
    commit(store, plan(message("A", receiver="slow"), message("B", receiver="quick")))
    started(store, slow, quick)
    until(lambda: quick.ids == ["01MESSAGEB"], 5, "the quick one")
    assert slow.ids == []
    go_on.set()


def test_an_attempt_that_failed_is_made_again_by_itself(store: Store, started: Start) -> None:
    receiver = FakeReceiver(then=[Later("refused", never_arrived=True)])
    commit(store, plan(message("A")))
    started(store, receiver)
    until(lambda: receiver.ids == ["01MESSAGEA"] * 2, 5, "the second attempt")


def held(in_hand: threading.Event, go_on: threading.Event) -> None:
    in_hand.set()
    go_on.wait(10)


def test_stopping_finishes_the_delivery_in_hand_and_begins_no_other(store: Store) -> None:
    in_hand, go_on = threading.Event(), threading.Event()
    receiver = FakeReceiver(before=lambda: held(in_hand, go_on))
    three(store)
    delivery = Delivery(store, [receiver])
    delivery.start()
    assert in_hand.wait(5)
    threading.Timer(0.2, go_on.set).start()
    assert delivery.stop(5)
    assert receiver.ids == ["01MESSAGEA"]
    assert store.recover() == 0


def test_stopping_does_not_wait_longer_than_its_grace(store: Store) -> None:
    in_hand, go_on = threading.Event(), threading.Event()
    receiver = FakeReceiver(before=lambda: held(in_hand, go_on))
    three(store)
    delivery = Delivery(store, [receiver])
    delivery.start()
    assert in_hand.wait(5)
    assert not delivery.stop(0.1)
    go_on.set()
    assert delivery.stop(5)


def test_stopping_what_never_started_is_at_once(store: Store) -> None:
    assert Delivery(store, [FakeReceiver()]).stop(0)


def test_a_locked_database_delays_and_loses_nothing(store: Store, tmp_path: Path, started: Start) -> None:
    other = sqlite3.connect(tmp_path / "watchdog.db", isolation_level=None, check_same_thread=False)
    receiver = FakeReceiver(before=lambda: other.execute("BEGIN IMMEDIATE"))
    commit(store, plan(message("A")))
    with capture_logs() as logs:
        started(store, receiver)
        until(lambda: any(log["event"] == "outcome_not_written" for log in logs), 10, "a failed settlement")
        other.execute("ROLLBACK")
        until(lambda: any(log["event"] == "message_delivered" for log in logs), 10, "the settlement")
    other.close()
    assert receiver.ids == ["01MESSAGEA"]
    assert store.recover() == 0


def test_a_failing_store_ends_no_thread(store: Store, tmp_path: Path, started: Start) -> None:
    other = sqlite3.connect(tmp_path / "watchdog.db", isolation_level=None)
    commit(store, plan(message("A")))
    other.execute("BEGIN IMMEDIATE")
    receiver = FakeReceiver()
    with capture_logs() as logs:
        started(store, receiver)
        until(lambda: any(log["event"] == "outbox_failed" for log in logs), 10, "a failed claim")
        other.close()
        until(lambda: receiver.ids == ["01MESSAGEA"], 10, "the message")


@pytest.fixture
def locking(store: Store, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(tmp_path / "watchdog.db", isolation_level=None, check_same_thread=False)
    yield other
    other.close()


def test_what_could_not_be_settled_before_the_end_is_settled_when_it_can_be(store: Store, locking: sqlite3.Connection) -> None:
    receiver = FakeReceiver(before=lambda: locking.execute("BEGIN IMMEDIATE"))
    commit(store, plan(message("A")))
    delivery = Delivery(store, [receiver])
    with capture_logs() as logs:
        delivery.start()
        until(lambda: any(log["event"] == "outcome_not_written" for log in logs), 10, "a failed settlement")
        assert delivery.stop(10)
        with pytest.raises(StoreError):
            delivery.tidied()
        locking.execute("ROLLBACK")
        assert delivery.tidied()
    assert logs[-1]["event"] == "message_delivered"
    assert store.recover() == 0


def test_what_a_living_thread_has_in_hand_is_left_to_it(store: Store) -> None:
    in_hand, go_on = threading.Event(), threading.Event()
    commit(store, plan(message("A")))
    delivery = Delivery(store, [FakeReceiver(before=lambda: held(in_hand, go_on), then=[Refused("404")])])
    delivery.start()
    assert in_hand.wait(5)
    assert not delivery.stop(0.0)
    assert not delivery.tidied()
    go_on.set()
    until(delivery.tidied, 5, "its end")
    assert store.recover() == 0


class FailingLog:
    """Raises what it is given."""

    def bind(self, **_: object) -> "FailingLog":
        return self

    def info(self, event: str, **_: object) -> None:
        raise OSError(event)

    warning = error = info


def test_a_log_that_fails_ends_no_thread(store: Store) -> None:
    receiver = FakeReceiver()
    three(store)
    delivery = Delivery(store, [receiver], log=FailingLog())
    delivery.start()
    until(lambda: len(receiver.sent) == 3, 10, "all three")
    assert delivery.alive()
    assert delivery.stop(10)
    assert not delivery.alive()


# --- over the wire ------------------------------------------------------------------------------------------------------


def test_a_webhook_that_comes_back_gets_the_same_message_once_more(store: Store, clock: Clock, receiver: RecordingReceiver) -> None:
    receiver.then(Answer(503), Answer(hang_up=True))
    commit(store, plan(message("A")))
    webhook = WebhookReceiver(WebhookSettings.model_validate({"type": "webhook", "name": "ops", "url": receiver.url}))
    delivery = Delivery(store, [webhook], clock=clock)
    for _ in range(4):
        delivery.drain_once("ops")
        clock.now += 10
    webhook.close()
    assert [request.headers["webhook-id"] for request in receiver.requests] == ["01MESSAGEA"] * 3
    assert len({request.body for request in receiver.requests}) == 1
