"""Who looks: workers while they do, the daemon where they do not. The publisher is a list; time is set."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from watchdog.core.model.self_seen import LookerSeen, SelfSeen
from watchdog.daemon.engine.carrying import Carrying
from watchdog.daemon.engine.publishing import Look, Publisher
from watchdog.store import Progress

REFUSED = "engine: connection refused"


@dataclass
class Published:
    """A publisher that keeps what it is given."""

    looks: list[Look] = field(default_factory=list)
    tries: list[Look] = field(default_factory=list)

    def start(self, said: Callable[[str], None]) -> None:
        """It needs no thread."""

    def publish(self, look: Look, *, alone: bool = False) -> None:
        (self.tries if alone else self.looks).append(look)


class World:
    """Two targets, every 10 and every 60 seconds, and what is committed of them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.published = Published()
        self.committed = {"quick": 1000.0, "slow": 1000.0, "watchdog": 1000.0}
        publisher = cast("Publisher", self.published)
        self.carrying = Carrying({"quick": 10.0, "slow": 60.0}, publisher, "f1", lambda: self.now, lambda: self.now)
        self.notice()

    def notice(self) -> dict[str, bool]:
        return dict(self.carrying.notice(Progress(self.committed)).looked)

    def worker_looks(self, target: str = "quick") -> None:
        self.committed = {**self.committed, target: self.now}

    def daemon_looks(self, target: str = "quick") -> None:
        assert not self.carrying.takes(target)
        self.committed = {**self.committed, target: self.now}
        self.carrying.looked(target, self.now)

    def silence(self) -> None:
        self.now += 15.1
        self.notice()
        assert self.carrying.silent


@pytest.fixture
def world() -> World:
    return World()


def test_a_look_that_is_due_is_published_and_expires_with_its_interval(world: World) -> None:
    assert world.carrying.takes("quick")
    assert world.published.looks == [Look("quick", 10.0, "f1", 1000.0)]


def test_a_target_that_the_engine_does_not_carry_is_the_daemons(world: World) -> None:
    assert not world.carrying.takes("watchdog")


def test_a_look_of_a_worker_is_noticed_once(world: World) -> None:
    world.now += 10
    world.worker_looks()
    assert world.notice() == {"quick": False}
    assert world.notice() == {}


def test_a_look_after_more_than_two_intervals_is_late(world: World) -> None:
    world.worker_looks("slow")
    world.now += 10
    world.worker_looks("slow")
    world.notice()
    world.now += 20.1
    world.worker_looks()
    assert world.notice() == {"quick": True}


def test_a_target_is_the_daemons_once_its_last_look_is_older_than_two_intervals(world: World) -> None:
    for _ in range(3):
        world.now += 10.1
        world.worker_looks("slow")  # so that workers are not silent
        world.notice()
    assert world.carrying.overdue() == ("quick",)
    assert not world.carrying.takes("quick")
    assert world.carrying.takes("slow")


def test_a_target_at_which_the_daemon_looks_is_not_overdue(world: World) -> None:
    world.now += 25
    assert not world.carrying.takes("quick")
    assert world.carrying.overdue() == ()


def test_what_the_daemon_commits_is_no_look_of_a_worker_even_before_it_says_so(world: World) -> None:
    world.silence()
    assert not world.carrying.takes("quick")
    world.committed = {**world.committed, "quick": world.now}
    assert world.notice() == {}
    world.carrying.looked("quick", world.now)
    assert world.notice() == {}
    assert world.carrying.silent


def test_what_was_read_before_the_daemon_committed_is_no_look_of_a_worker(world: World) -> None:
    world.silence()
    before = Progress(world.committed)
    world.daemon_looks()
    assert dict(world.carrying.notice(before).looked) == {}


def test_a_worker_that_was_faster_than_the_daemon_is_noticed(world: World) -> None:
    world.silence()
    assert not world.carrying.takes("quick")
    world.worker_looks()
    world.carrying.looked("quick", None)
    assert world.notice() == {"quick": False}


def test_workers_are_not_silent_for_the_time_before_they_were_asked(world: World) -> None:
    world.now += 15.1
    world.carrying.start()
    world.notice()
    assert not world.carrying.silent


def test_while_workers_are_silent_each_look_is_the_daemons(world: World) -> None:
    world.silence()
    assert not world.carrying.takes("slow")
    assert world.published.looks == []


def test_a_broker_that_fails_makes_workers_silent_at_once(world: World) -> None:
    world.carrying.broker(REFUSED)
    assert not world.carrying.takes("quick")
    assert world.carrying.silent == REFUSED


def test_a_look_that_ends_after_the_broker_failed_does_not_end_the_silence(world: World) -> None:
    world.carrying.broker(REFUSED)
    world.worker_looks()
    world.now += 1
    world.worker_looks()
    assert world.notice() == {"quick": False}
    assert world.carrying.silent == REFUSED


def test_workers_look_again_once_the_broker_does(world: World) -> None:
    world.carrying.broker(REFUSED)
    world.carrying.broker("")
    world.now += 1.1
    world.worker_looks()
    world.notice()
    assert not world.carrying.silent


def test_a_look_of_the_daemon_that_fails_is_tried_again_after_its_interval(world: World) -> None:
    world.silence()
    assert not world.carrying.takes("quick")
    world.carrying.looked("quick", None)
    world.now += 9
    assert world.carrying.overdue() == ()
    world.now += 1.1
    assert world.carrying.overdue() == ("quick",)


def test_silent_workers_are_tried_with_one_look_a_second_after_the_daemons_own(world: World) -> None:
    world.silence()
    for _ in range(4):
        world.now += 0.5
        world.daemon_looks()
    assert [look.target for look in world.published.tries] == ["quick", "quick"]


def test_one_look_of_a_worker_ends_the_silence(world: World) -> None:
    world.silence()
    world.worker_looks()
    world.notice()
    assert not world.carrying.silent
    assert world.carrying.takes("quick")


@pytest.mark.parametrize(
    ("lookers", "said"),
    [
        ([], REFUSED),
        ([LookerSeen("one")], REFUSED),
        ([LookerSeen("one", refuses="another version")], "another version"),
    ],
)
def test_why_workers_are_silent_is_what_they_say_or_what_the_daemon_sees(world: World, lookers: list[LookerSeen], said: str) -> None:
    world.carrying.broker(REFUSED)
    assert world.carrying.completed(SelfSeen(), lookers).engine_error == said


def test_one_worker_that_refuses_is_no_error_while_others_look(world: World) -> None:
    assert not world.carrying.completed(SelfSeen(), [LookerSeen("one", refuses="another version")]).engine_error
