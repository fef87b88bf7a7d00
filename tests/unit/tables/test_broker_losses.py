import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.cluster import healthy
from tests.builders.looks import Watch
from watchdog.core.model.queries import Ping
from watchdog.tables.broker.losses import Holdings, holdings_after

HELD = Holdings("run-1", 190.0)


@pytest.mark.parametrize(
    ("run_id", "held", "lost"),
    [
        ("run-2", 0.0, 190.0),
        ("run-2", 10.0, 180.0),
        ("run-2", 170.0, 0.0),  # it kept them, and some were taken
        ("run-1", 0.0, 0.0),  # the same process: they were taken, or purged
        (None, 0.0, 0.0),
        ("run-2", None, 0.0),
    ],
)
def test_what_is_gone_with_the_process_is_lost(run_id: str | None, held: float | None, lost: float) -> None:
    assert holdings_after(HELD, run_id, held, NOW).lost_lately(NOW) == lost


def test_a_few_messages_may_have_been_taken_meanwhile() -> None:
    assert holdings_after(Holdings("run-1", 19.0), "run-2", 0.0, NOW).lost_lately(NOW) == 0.0


@pytest.mark.parametrize(
    ("before", "after", "held", "lost"),
    [
        (0, 1, 0.0, 190.0),
        (3, 5, 5.0, 185.0),
        (0, 1, 190.0, 0.0),  # another database was flushed
        (1, 1, 0.0, 0.0),
        (4, 0, 0.0, 0.0),  # CONFIG RESETSTAT
        (None, 1, 0.0, 0.0),  # who knows when
        (0, None, 0.0, 0.0),
    ],
)
def test_what_is_gone_with_a_flush_is_lost(before: int | None, after: int | None, held: float, lost: float) -> None:
    known = holdings_after(replace(HELD, flushes=before), "run-1", held, NOW, after)
    assert (known.lost_lately(NOW), known.flushed) == (lost, lost > 0)


def test_a_restart_after_a_flush_was_a_restart() -> None:
    assert not holdings_after(replace(HELD, flushes=1), "run-2", 0.0, NOW, 2).flushed


def test_a_redis_that_somebody_flushed_has_lost_what_waited() -> None:
    watch = Watch(healthy(), a_target())
    watch.cluster.lists["indexing"] = 190
    for after in (0, 10):
        watch.look(after)
    watch.cluster.lists.clear()
    watch.cluster.flushes = 1
    cells = watch.look(10)["broker"].rows[0].cells
    assert (cells["lost_messages"], cells["flushed"]) == (190.0, True)


def test_it_is_told_for_ten_minutes() -> None:
    after = holdings_after(HELD, "run-2", 0.0, NOW)
    assert (after.lost_lately(NOW + 599), after.lost_lately(NOW + 601)) == (190.0, 0.0)


def test_a_redis_that_comes_back_empty_has_lost_what_waited() -> None:
    watch = Watch(healthy(), a_target())
    watch.cluster.lists["indexing"] = 190
    for after in (0, 10):
        watch.look(after)
    watch.cluster.gaps[Ping] = "redis: connection refused"
    watch.look(10)
    watch.cluster.gaps.clear()
    watch.cluster.lists.clear()
    watch.cluster.server = replace(watch.cluster.server, run_id="run-2", uptime_s=2.0)
    assert watch.look(10)["broker"].rows[0].cells["lost_messages"] == 190.0
