"""A process that does not keep up with its targets says so, once an hour."""

from structlog.testing import capture_logs

from watchdog.daemon.punctuality import Punctuality


def test_a_cycle_that_begins_when_it_is_due_is_not_late() -> None:
    cycles = Punctuality(1)
    assert [cycles.began("shop", at, 10.0) for at in (0.0, 10.0, 25.0)] == [False, False, False]


def test_one_that_begins_an_interval_after_it_was_due_is_late() -> None:
    cycles = Punctuality(1)
    assert [cycles.began("shop", at, 10.0) for at in (0.0, 21.0, 31.0)] == [False, True, False]


def test_one_that_waits_long_for_its_sources_does_not_make_the_next_one_late() -> None:
    cycles = Punctuality(1)
    cycles.began("shop", 0.0, 10.0)
    cycles.ended("shop", 45.0)
    assert not cycles.began("shop", 50.0, 10.0)


def test_a_short_interval_leaves_five_seconds() -> None:
    cycles = Punctuality(1)
    assert [cycles.began("shop", at, 0.2) for at in (0.0, 5.0, 10.5)] == [False, False, True]


def test_it_is_said_once_an_hour_with_what_to_do() -> None:
    cycles = Punctuality(1000)
    with capture_logs() as logs:
        for at in range(0, 7200, 30):
            cycles.began("shop", float(at), 10.0)
    assert [entry["event"] for entry in logs] == ["cycles_late"] * 2
    assert logs[0]["reason"] == "this process cannot poll 1000 targets every 10s; raise `interval`, or watch some with another watchdog"
    assert (logs[0]["target"], logs[0]["late"]) == ("shop", "20s")
