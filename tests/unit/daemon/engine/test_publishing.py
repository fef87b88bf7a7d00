"""The thread that publishes: nobody waits for the broker, and what it does not take is forgotten."""

import threading
from collections.abc import Iterator

import pytest

from tests.servers.waiting import until
from watchdog.daemon.engine.publishing import Look, Publisher


def look(target: str) -> Look:
    return Look(target, 10.0, "f1", 0.0)


class Broker:
    """Takes looks, or hangs, or fails."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.fails = False
        self.free = threading.Event()
        self.free.set()

    def send(self, look: Look) -> None:
        self.free.wait(10)
        if self.fails:
            raise ConnectionError("refused")
        self.taken.append(look.target)

    def empty(self) -> None:
        self.taken.append("emptied")

    def close(self) -> None:
        self.taken.append("closed")


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def publisher(broker: Broker, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setattr("watchdog.daemon.engine.publishing.PAUSE_S", 0.05)
    one = Publisher(broker, lambda error: f"engine: {error}")
    one.start(said.append)
    yield one
    broker.free.set()
    one.stop(5)


def test_what_is_published_is_sent(publisher: Publisher, broker: Broker) -> None:
    publisher.publish(look("prod"))
    until(lambda: broker.taken == ["prod"], 5, "the look")


def test_a_broker_that_hangs_holds_up_nobody_and_gets_each_target_once(publisher: Publisher, broker: Broker) -> None:
    broker.free.clear()
    publisher.publish(look("first"))
    for _ in range(100):
        publisher.publish(look("prod"))
    broker.free.set()
    until(lambda: "prod" in broker.taken, 5, "the look")
    assert broker.taken.count("prod") <= 2  # one of them may have been taken with the first


def test_a_try_goes_out_after_everything_else_was_forgotten(publisher: Publisher, broker: Broker) -> None:
    publisher.publish(look("prod"), alone=True)
    until(lambda: broker.taken == ["emptied", "prod"], 5, "the look")


def test_a_failure_is_said_and_its_end_is(publisher: Publisher, broker: Broker, said: list[str]) -> None:
    broker.fails = True
    publisher.publish(look("lost"))
    until(lambda: said == ["engine: refused"], 5, "the reason")
    broker.fails = False

    def taken() -> bool:
        publisher.publish(look("prod"))
        return "prod" in broker.taken

    until(taken, 5, "the look")
    until(lambda: said[-1] == "", 5, "the end of the failure")
    assert "lost" not in broker.taken


def test_a_stop_waits_no_longer_than_it_is_to(publisher: Publisher, broker: Broker) -> None:
    broker.free.clear()
    publisher.publish(look("prod"))
    publisher.stop(0.05)
    assert "prod" not in broker.taken
