"""History in the database: single looks, buckets, what is deleted when, and a clock that is set back or ahead."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.builders.outbox import opened
from watchdog.core.history.series import Fold, Keeping, Kept, Part, Series, Slice
from watchdog.core.model.last_look import LastLook, TableSeen
from watchdog.core.model.rows import Row
from watchdog.store import Looked, Store
from watchdog.store.looks.frames import FRAMES
from watchdog.store.looks.history import PUT
from watchdog.store.retention import OLD_FRAMES
from watchdog.store.sql import DatabasePlace

T0 = 1_800_000_000.0
KEPT = {"t": Kept("t", ("name",), (Series("count", Fold.SUM, ""), Series("most", Fold.MAX, "")), lambda _: None)}
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


class Watching:
    """Looks at a target, with a clock that is an argument."""

    def __init__(self, store: Store, keeping: Keeping | None = None, target: str = "prod") -> None:
        self.store, self.keeping, self.target = store, keeping or Keeping(KEPT), target
        self.before_at: float | None = None

    def look(self, at: float, value: float = 1.0) -> None:
        part = Part(at - 10.0, at, {("a",): (value, value)})
        seen = LastLook(at, 10.0, {"queues": TableSeen((Row({"name": "a", "length": None}, {"length": "redis: no answer"}),))})
        with self.store.cycle() as transaction:
            transaction.record(Looked(self.target, Slice(at, {"t": part}), seen, self.before_at), self.keeping)
        self.before_at = at

    def looks(self, begin: float, end: float, every: float = 10.0) -> None:
        at = begin
        while at < end:
            self.look(at)
            at += every

    def kept(self, now: float, since: float = 0.0, *, finest: bool = False) -> list[tuple[float, float]]:
        """(when, how many) of each slice."""
        slices = self.store.history(self.target, since, now, finest=finest)
        return [(one.at - T0, float(str(one.parts["t"].rows["a",][0]))) for one in slices]


def test_looks_come_back_as_they_were(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + 30)
    assert watching.kept(T0 + 30) == [(0.0, 1.0), (10.0, 1.0), (20.0, 1.0)]


def test_a_bucket_is_folded_once_it_is_over(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + 320)
    assert watching.kept(T0 + 320) == [(290.0, 30.0), (300.0, 1.0), (310.0, 1.0)]
    assert len(watching.kept(T0 + 320, finest=True)) == 32


def test_nothing_is_counted_twice_or_lost_across_many_buckets(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0 + 7, T0 + HOUR)
    assert sum(count for _, count in watching.kept(T0 + HOUR)) == len(range(7, 3600, 10))


def test_a_restart_goes_on_in_the_same_bucket(store: Store, place: DatabasePlace) -> None:
    Watching(store).looks(T0, T0 + 100)
    store.close()
    with opened(place) as again:
        watching = Watching(again)
        watching.looks(T0 + 200, T0 + 310)
        assert watching.kept(T0 + 310) == [(290.0, 20.0), (300.0, 1.0)]


def test_a_pause_of_hours_leaves_a_gap(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + 20)
    watching.looks(T0 + 5 * HOUR, T0 + 5 * HOUR + 20)
    assert [at for at, _ in watching.kept(T0 + 6 * HOUR)] == [10.0, 5 * HOUR, 5 * HOUR + 10]


def test_looks_and_buckets_are_kept_for_as_long_as_is_set(store: Store) -> None:
    watching = Watching(store, Keeping(KEPT, looks_s=HOUR, buckets_s=DAY))
    watching.looks(T0, T0 + 1.5 * DAY, every=150.0)
    now = 1.5 * DAY - 150
    assert watching.kept(T0 + now, finest=True)[0][0] == now - HOUR - 150
    assert now - DAY - 450 <= watching.kept(T0 + now)[0][0] <= now - DAY + 150


def test_the_bucket_that_is_open_is_whole_even_if_looks_are_kept_for_less(store: Store) -> None:
    watching = Watching(store, Keeping(KEPT, looks_s=30.0))
    watching.looks(T0, T0 + 310)
    assert watching.kept(T0 + 310)[0] == (290.0, 30.0)


@pytest.mark.parametrize("wrong", [0.0, T0 - 400 * DAY, T0 + 400 * DAY])
def test_a_clock_that_is_wrong_for_one_look_deletes_nothing(store: Store, wrong: float) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + HOUR)
    watching.look(wrong)
    watching.looks(T0 + HOUR, T0 + HOUR + 30)
    assert [count for _, count in watching.kept(T0 + HOUR + 20, since=T0)] == [30.0] * 12 + [1.0] * 3


def test_what_a_clock_that_ran_ahead_left_does_not_become_the_past(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0 + HOUR, T0 + HOUR + 400)
    watching.looks(T0, T0 + 700)
    assert watching.kept(T0 + 2 * HOUR)[-1][0] == 690.0


def test_targets_are_apart(store: Store) -> None:
    Watching(store, target="prod").look(T0, 1.0)
    Watching(store, target="lab").look(T0, 2.0)
    assert Watching(store, target="lab").kept(T0) == [(0.0, 2.0)]


def test_the_last_look_comes_back_with_its_gaps(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + 20)
    look = store.last_looks()["prod"]
    [row] = look.readings()["queues"].rows
    assert (look.at, row.cells["length"], row.gaps["length"]) == (T0 + 10, None, "redis: no answer")


def test_retention_forgets_targets_that_are_no_longer_watched(store: Store) -> None:
    Watching(store, target="gone").looks(T0, T0 + 310)
    Watching(store).look(T0 + 31 * DAY)
    store.retention(T0 + 31 * DAY)
    assert set(store.last_looks()) == {"prod"}
    assert Watching(store, target="gone").kept(T0 + 31 * DAY) == []


def test_a_damaged_row_loses_itself_alone(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + 30)
    with store._file.writing() as connection:
        connection.execute("UPDATE history SET body = ? WHERE at = ?", (b"\0", T0 + 10))
    with capture_logs() as logs:
        assert watching.kept(T0 + 30) == [(0.0, 1.0), (20.0, 1.0)]
    assert [entry["event"] for entry in logs] == ["history_dropped"]


def test_only_the_tables_that_are_wanted_are_decoded(store: Store) -> None:
    watching = Watching(store)
    watching.looks(T0, T0 + 20)
    assert [set(one.parts) for one in store.history("prod", T0, T0 + 20, {"t"})] == [{"t"}, {"t"}]
    assert [set(one.parts) for one in store.history("prod", T0, T0 + 20, {"other"})] == [set(), set()]


def test_old_frames_are_found_by_the_key(tmp_path: Path) -> None:
    """There are hundreds of thousands of rows; without the targets, all of them would be read."""
    with opened(tmp_path) as store:
        rows = store._file.connection().execute(f"EXPLAIN QUERY PLAN {OLD_FRAMES}", (FRAMES, T0)).fetchall()
    assert "(target=? AND folded=? AND at<?)" in rows[0]["detail"]


def test_frames_of_a_target_that_is_watched_are_forgotten_in_time(store: Store) -> None:
    Watching(store).look(T0 + 40 * DAY)
    for at in (T0, T0 + 35 * DAY):
        with store._file.writing() as connection:
            connection.execute(PUT, ("prod", FRAMES, at, b""))
    store.retention(T0 + 40 * DAY)
    kept = store._file.connection().execute("SELECT at FROM history WHERE folded = ?", (FRAMES,)).fetchall()
    assert [row["at"] for row in kept] == [T0 + 35 * DAY]
