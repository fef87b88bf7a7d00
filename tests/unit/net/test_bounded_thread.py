import threading

import pytest

from tests.servers.waiting import until
from watchdog.net import bounded_thread
from watchdog.net.bounded_thread import MOST_LEFT_ALONE, BoundedThread


def named(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_one_thread_does_one_piece_of_work_after_the_other() -> None:
    did = list[int | None]()
    thread = BoundedThread("one-thread")
    assert [thread.ends_within(5.0, lambda: did.append(threading.get_ident())) for _ in range(3)] == [True] * 3
    assert len(set(did)) == 1
    assert did[0] != threading.get_ident()
    thread.close()
    until(lambda: named("one-thread") == 0, 5, "its end")


def test_what_hangs_is_left_alone_and_the_next_work_is_done_by_another() -> None:
    free, did = threading.Event(), list[bool]()
    thread = BoundedThread("one-hangs")
    assert not thread.ends_within(0.01, free.wait)
    assert thread.ends_within(5.0, lambda: did.append(True))
    assert did == [True]
    free.set()
    thread.close()
    until(lambda: named("one-hangs") == 0, 5, "their end")


def test_beyond_a_limit_of_what_hangs_it_is_full_until_something_ends() -> None:
    free = threading.Event()
    thread = BoundedThread("all-hang")
    for _ in range(MOST_LEFT_ALONE):
        assert not thread.full
        thread.ends_within(0.01, free.wait)
    assert thread.full
    free.set()
    until(lambda: not thread.full, 5, "an end")


def test_without_work_it_ends_and_begins_again_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_thread, "IDLE_S", 0.01)
    thread = BoundedThread("idle")
    assert thread.ends_within(5.0, lambda: None)
    until(lambda: named("idle") == 0, 5, "its end")
    assert thread.ends_within(5.0, lambda: None)
    thread.close()
