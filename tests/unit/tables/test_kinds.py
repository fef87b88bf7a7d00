"""Crash loops under changing names, against deploys, as the daemon's looks see them."""

from collections.abc import Iterable
from copy import deepcopy
from functools import cache

import pytest
from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster
from tests.builders.looks import Watch, row
from watchdog.core.model.rows import Cell, Reading

PODS = [f"celery@web-7d9f8b6c5d-{suffix}" for suffix in ("bcdfg", "hjklm", "npqrs", "tvwxz", "zx9w7", "8b6c5")]
NEXT = [f"celery@web-5c6b7d8f94-{suffix}" for suffix in ("bcdfg", "hjklm", "npqrs", "tvwxz", "zx9w7", "8b6c5")]
THIRD = [f"celery@web-66d8c9b7f5-{suffix}" for suffix in ("bcdfg", "hjklm", "npqrs")]
CONTAINERS = [f"celery@{host}" for host in ("3f2a9c81d4e7", "a1b2c3d4e5f6", "0c9d8e7f6a5b", "9f8e7d6c5b4a", "1a2b3c4d5e6f")]
KIND = "celery@web-*"
WINDOW_S = 900.0

pytestmark = pytest.mark.xdist_group("kinds")  # they begin alike: with a cluster that was watched for 20 minutes


def watched(online: Iterable[str]) -> Watch:
    """A daemon that has watched these, and `celery@gpu-1`, for longer than the window."""
    return deepcopy(_watched(tuple(online)))


@cache
def _watched(online: tuple[str, ...]) -> Watch:
    cluster = Cluster()
    cluster.add("celery@gpu-1")
    for name in online:
        cluster.add(name)
    watch = Watch(cluster, a_target())
    passes(watch, 1200)
    return watch


def passes(watch: Watch, seconds: float) -> Reading:
    reading = watch.look(0, window_s=WINDOW_S)["kinds"]
    for _ in range(int(seconds / 10)):
        reading = watch.look(10, window_s=WINDOW_S)["kinds"]
    return reading


def starts(watch: Watch, name: str) -> None:
    watch.cluster.add(name, uptime_s=5)


def crashes_on(watch: Watch, lives: Iterable[str], after_s: float = 40) -> Reading:
    """Each dies a while after it began, and another one takes its place."""
    for name in lives:
        starts(watch, name)
        passes(watch, after_s)
        watch.cluster.dies(name)
        reading = passes(watch, 10)
    return reading


def cell(reading: Reading, kind: str, column: str) -> Cell:
    return row(reading, kind, table="kinds").cells[column]


def told(reading: Reading, kind: str = KIND) -> tuple[float, bool]:
    deaths, again = cell(reading, kind, "deaths"), cell(reading, kind, "died_again")
    return float(deaths or 0), float(again or 0) > 0


@pytest.mark.parametrize(("lives", "kind"), [(PODS[:4], KIND), (CONTAINERS[:4], "celery@*")])
def test_workers_that_die_under_new_names_are_counted_by_kind(lives: list[str], kind: str) -> None:
    watch = watched([])
    crashes_on(watch, lives)
    assert told(passes(watch, 60), kind) == (4.0, True)


def test_the_last_one_and_how_long_they_lived_are_named() -> None:
    watch = watched([])
    crashes_on(watch, PODS[:3])
    reading = passes(watch, 60)
    assert (cell(reading, KIND, "last_died"), 30 <= float(cell(reading, KIND, "life_s") or 0) <= 90) == (PODS[2], True)


def test_one_of_many_that_crashes_again_and_again_is_enough() -> None:
    watch = watched(NEXT)
    crashes_on(watch, PODS[:3])
    assert told(passes(watch, 60)) == (3.0, True)


def test_one_that_came_and_went_between_two_looks_died_too() -> None:
    watch = watched([])
    for name in PODS[:4]:
        starts(watch, name)
        watch.cluster.dies(name)
        passes(watch, 60)
    assert told(passes(watch, 60)) == (4.0, True)


def test_what_was_dead_at_the_first_look_did_not_die_young() -> None:
    cluster = Cluster()
    for name in PODS[:4]:
        cluster.add(name)
        cluster.dies(name)
    cluster.add(NEXT[0])
    assert told(passes(Watch(cluster, a_target()), 60)) == (0.0, False)


def rolled(watch: Watch, old: list[str], new: list[str], *, killed: bool) -> Reading:
    for gone, come in zip(old, new, strict=True):
        starts(watch, come)
        passes(watch, 20)
        watch.cluster.dies(gone) if killed else watch.cluster.leaves(gone)
        reading = passes(watch, 20)
    return reading


@pytest.mark.parametrize("killed", [False, True])
def test_a_rolling_deploy_tells_nothing(killed: bool) -> None:
    watch = watched(PODS)
    rolled(watch, PODS, NEXT, killed=killed)
    assert told(passes(watch, 120)) == (0.0, False)


@pytest.mark.parametrize("killed", [False, True])
def test_nor_does_a_second_one_minutes_later(killed: bool) -> None:
    watch = watched(PODS[:3])
    rolled(watch, PODS[:3], NEXT[:3], killed=killed)
    passes(watch, 120)
    rolled(watch, NEXT[:3], THIRD, killed=killed)
    assert told(passes(watch, 120))[1] is False


def test_workers_that_began_together_and_died_with_their_host_did_not_replace_each_other() -> None:
    watch = watched([])
    for name in PODS[:3]:
        watch.cluster.add(name)
        watch.cluster.cache[name] = replace(watch.cluster.cache[name], at=watch.cluster.now, uptime_s=0.0)
    watch.look(3, window_s=WINDOW_S)
    for name in PODS[:3]:
        watch.cluster.dies(name)
    assert told(passes(watch, 60)) == (3.0, False)


def test_a_scale_down_tells_nothing() -> None:
    watch = watched(PODS)
    for name in PODS[1:]:
        watch.cluster.leaves(name)
    assert told(passes(watch, 120)) == (0.0, False)


def test_young_workers_that_say_goodbye_do_not_die() -> None:
    watch = watched([])
    for name in PODS[:4]:
        starts(watch, name)
        passes(watch, 40)
        watch.cluster.leaves(name)
    assert told(passes(watch, 60)) == (0.0, False)


def test_deaths_age_out_with_the_window() -> None:
    watch = watched([])
    crashes_on(watch, PODS[:4])
    assert told(passes(watch, 1000)) == (0.0, False)


def test_workers_of_another_kind_are_another_row() -> None:
    watch = watched(PODS[:1])
    reading = passes(watch, 10)
    assert {r.cells["kind"]: r.cells["online"] for r in reading.rows} == {"celery@gpu-*": 1.0, KIND: 1.0}


def test_while_flower_is_down_kinds_are_rows_full_of_gaps() -> None:
    watch = watched(PODS[:1])
    watch.cluster.gaps["flower"] = "flower: connection refused"
    assert row(passes(watch, 10), KIND, table="kinds").gaps["deaths"] == "flower: connection refused"


def test_workers_that_match_a_pattern_are_one_row() -> None:
    cluster = Cluster()
    for name in ("celery@gpu-brave-otter", "celery@gpu-calm-heron", "celery@web-1"):
        cluster.add(name)
    watch = Watch(cluster, a_target(kinds=("celery@gpu-*",)))
    reading = passes(watch, 20)
    assert {row.cells["kind"]: row.cells["online"] for row in reading.rows} == {"celery@gpu-*": 2.0, "celery@web-*": 1.0}
