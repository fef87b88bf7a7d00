"""Actions from the first look to the audit log: nothing without a confirmation, everything once, whatever fails under way."""

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.servers.waiting import until
from watchdog.core.actions.outcome import Answer, Outcome, Word
from watchdog.core.actions.record import ActionRecord
from watchdog.core.actions.request import Cluster, Foreseen, QueueKnown, Request
from watchdog.store import Store, StoreError
from watchdog.web.acting.attempts import CONFIRMED_WITHIN_S, MOST_KEPT, MOST_UNDER_WAY, Attempt, Attempts, BusyError, Stage

PURGE = Request(kind="purge", target="prod", queue="q")
SEEN = Cluster(queues={"q": QueueKnown("q", {"q": 3})})
DONE = Outcome(Word.DONE, {"q": Answer(worked=True, text="3 deleted")})


class FakeActor:
    """Sees this cluster, and does what it is asked at once, unless told to wait or to fail."""

    def __init__(self, cluster: Cluster = SEEN, *, fails: str = "", waits: threading.Event | None = None) -> None:
        self.cluster, self.fails, self.waits = cluster, fails, waits
        self.performed = 0

    def look(self, _: Request, progress: Callable[[str], None]) -> Cluster:
        progress("the queues")
        if self.waits is not None:
            self.waits.wait(30)
        if self.fails == "look":
            raise RuntimeError("amqp://user:secret@broker")
        return self.cluster

    def perform(self, _: Request, __: Foreseen, ___: Cluster, progress: Callable[[str], None]) -> Outcome:
        self.performed += 1
        progress("3 deleted")
        if self.fails == "perform":
            raise RuntimeError("amqp://user:secret@broker")
        return DONE


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Scene(Struct):
    attempts: Attempts
    store: Store
    clock: Clock

    def begun(self, actor: FakeActor, request: Request = PURGE) -> Attempt:
        """An attempt of ada that was looked at."""
        attempt = self.attempts.begin("ada", request, actor)
        return self.settled(attempt)

    def settled(self, attempt: Attempt) -> Attempt:
        until(lambda: not self.now(attempt).under_way, 20, "its end", every=0.002)
        return self.now(attempt)

    def now(self, attempt: Attempt) -> Attempt:
        found = self.attempts.of(attempt.id, "ada")
        assert found is not None
        return found

    def logged(self) -> tuple[ActionRecord, ...]:
        return self.store.actions(0.0)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    store, clock = Store.open(tmp_path / "watchdog.db"), Clock()
    return Scene(Attempts(store, clock), store, clock)


def test_it_says_what_it_will_touch_and_does_nothing(scene: Scene) -> None:
    actor = FakeActor()
    attempt = scene.begun(actor)
    assert (attempt.stage, attempt.foreseen.touches, actor.performed) == (Stage.READY, ("q: 3 messages deleted for good",), 0)


def test_a_look_alone_is_not_in_the_audit_log(scene: Scene) -> None:
    scene.begun(FakeActor())
    assert scene.logged() == ()


def test_what_was_confirmed_is_done_and_written_down_with_who_and_what(scene: Scene) -> None:
    attempt = scene.begun(FakeActor())
    scene.attempts.confirm(attempt)
    assert scene.settled(attempt).outcome == DONE
    [record] = scene.logged()
    assert (record.author, record.action, record.arguments, record.outcome) == ("ada (page)", "purge", {"queue": "q"}, Word.DONE)
    assert (record.at, record.ended_at, record.text) == (scene.clock.now, scene.clock.now, "q: 3 deleted")


def test_what_is_confirmed_often_is_done_once(scene: Scene) -> None:
    actor = FakeActor()
    attempt = scene.begun(actor)
    for _ in range(5):
        scene.attempts.confirm(attempt)
    scene.settled(attempt)
    scene.attempts.confirm(attempt)
    assert (scene.settled(attempt).stage, actor.performed, len(scene.logged())) == (Stage.OVER, 1, 1)


def test_what_was_left_cannot_be_confirmed(scene: Scene) -> None:
    actor = FakeActor()
    attempt = scene.begun(actor)
    scene.attempts.leave(attempt)
    scene.attempts.confirm(attempt)
    assert (scene.now(attempt).stage, actor.performed, [one.outcome for one in scene.logged()]) == (Stage.LEFT, 0, [Word.DECLINED])


def test_what_was_confirmed_cannot_be_left(scene: Scene) -> None:
    attempt = scene.begun(FakeActor())
    scene.attempts.confirm(attempt)
    scene.attempts.leave(attempt)
    assert scene.settled(attempt).stage is Stage.OVER


def test_what_was_looked_at_long_ago_is_not_done(scene: Scene) -> None:
    actor = FakeActor()
    attempt = scene.begun(actor)
    scene.clock.now += CONFIRMED_WITHIN_S + 1
    scene.attempts.confirm(attempt)
    assert (scene.now(attempt).stage, scene.now(attempt).faults) == (Stage.REFUSED, ("looked at more than 5m ago; look again",))
    assert actor.performed == 0


def test_what_cannot_be_done_is_said_and_written_down(scene: Scene) -> None:
    attempt = scene.begun(FakeActor(Cluster(silence="redis: connection refused")))
    assert (attempt.stage, attempt.faults) == (Stage.REFUSED, ("redis: connection refused",))
    assert [(one.outcome, one.text) for one in scene.logged()] == [(Word.REFUSED, "redis: connection refused")]


def test_a_look_that_crashes_is_said_without_what_it_says(scene: Scene) -> None:
    assert scene.begun(FakeActor(fails="look")).faults == ("unexpected RuntimeError; please report it",)


def test_an_action_that_crashes_is_unknown(scene: Scene) -> None:
    attempt = scene.begun(FakeActor(fails="perform"))
    scene.attempts.confirm(attempt)
    scene.settled(attempt)
    assert [one.outcome for one in scene.logged()] == [Word.UNKNOWN]


def test_what_cannot_be_written_down_is_not_done(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: ActionRecord) -> None:
        raise StoreError("the disk is full")

    actor = FakeActor()
    attempt = scene.begun(actor)
    monkeypatch.setattr(scene.store, "add_action", full)
    scene.attempts.confirm(attempt)
    assert scene.settled(attempt).faults == ("the disk is full; nothing is done that cannot be written to the audit log",)
    assert actor.performed == 0


def test_an_attempt_is_that_of_its_person_alone(scene: Scene) -> None:
    assert scene.attempts.of(scene.begun(FakeActor()).id, "eve") is None


def test_nobody_waits_for_what_hangs_and_only_so_much_is_begun(scene: Scene) -> None:
    hanging = threading.Event()
    begun = [scene.attempts.begin("ada", PURGE, FakeActor(waits=hanging)) for _ in range(MOST_UNDER_WAY)]
    with pytest.raises(BusyError):
        scene.attempts.begin("ada", PURGE, FakeActor())
    hanging.set()
    assert {scene.settled(one).stage for one in begun} == {Stage.READY}


def test_old_attempts_are_forgotten(scene: Scene) -> None:
    first = scene.begun(FakeActor())
    for _ in range(MOST_KEPT + 1):
        scene.begun(FakeActor())
    assert scene.attempts.of(first.id, "ada") is None


def test_a_stop_waits_for_what_was_confirmed(scene: Scene) -> None:
    going_on = threading.Event()

    class Slow(FakeActor):
        def perform(self, *args: Any) -> Outcome:
            going_on.wait(30)
            return super().perform(*args)

    attempt = scene.begun(Slow())
    scene.attempts.confirm(attempt)
    threading.Timer(0.2, going_on.set).start()
    scene.attempts.finish(20)
    assert scene.logged()[0].outcome is Word.DONE


def test_a_stop_does_not_wait_for_a_look(scene: Scene) -> None:
    hanging = threading.Event()
    attempt = scene.attempts.begin("ada", PURGE, FakeActor(waits=hanging))
    scene.attempts.finish(20)
    assert scene.now(attempt).stage is Stage.LOOKING
    hanging.set()


def test_a_stop_waits_no_longer_than_it_is_told(scene: Scene) -> None:
    hanging = threading.Event()

    class Hanging(FakeActor):
        def perform(self, *args: Any) -> Outcome:
            hanging.wait(30)
            return super().perform(*args)

    attempt = scene.begun(Hanging())
    scene.attempts.confirm(attempt)
    until(scene.logged, 20, "the audit log", every=0.002)
    scene.attempts.finish(0.05)
    assert scene.logged()[0].outcome is Word.BEGUN
    hanging.set()
    scene.settled(attempt)


def test_what_was_never_confirmed_is_forgotten_with_the_cluster_that_it_saw(scene: Scene) -> None:
    actor = FakeActor()
    watched = weakref.ref(actor)
    attempt = scene.begun(actor)
    del actor
    scene.clock.now += CONFIRMED_WITHIN_S + 1
    scene.begun(FakeActor())
    gc.collect()
    assert (watched(), scene.now(attempt).stage) == (None, Stage.REFUSED)
