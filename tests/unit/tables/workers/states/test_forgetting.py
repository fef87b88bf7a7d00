from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.cluster import healthy
from tests.builders.looks import cell, names
from tests.builders.worker_states import GPU, WEB, refreshed, state, watching, workers


def test_a_lost_worker_is_forgotten_after_forget_after() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    seen = [WEB in names(workers(watch)) for _ in range(9)]
    assert seen == [True] * 6 + [False] * 3


def test_a_forgotten_worker_is_named_as_such() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    forgotten = [workers(watch).forgotten for _ in range(9)]
    assert (forgotten[5], forgotten[6], forgotten[8]) == (frozenset(), frozenset({(WEB,)}), frozenset({(WEB,)}))


def test_a_forgotten_worker_is_not_resurrected_while_flower_still_lists_it() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    assert not any(WEB in names(reading) for reading in [workers(watch) for _ in range(60)][7:])


def test_a_forgotten_worker_is_not_asked() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    for number in range(20):
        workers(watch)
        assert number < 7 or WEB not in refreshed(watch)


def test_a_forgotten_worker_that_comes_back_is_online() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    for _ in range(9):
        workers(watch)
    watch.cluster.online[WEB] = True
    assert state(watch) == "online"


def test_an_expected_worker_is_never_forgotten() -> None:
    watch = watching(forget_after_s=60.0, expected_workers=(WEB,))
    watch.cluster.dies(WEB)
    assert [state(watch) for _ in range(20)][-1] == "lost"


def test_an_expected_worker_never_seen_is_lost() -> None:
    assert state(watching(expected_workers=("celery@backup-1",)), "celery@backup-1") == "lost"


def test_a_glob_of_expected_workers_makes_no_row_by_itself() -> None:
    assert names(workers(watching(expected_workers=("celery@backup-*",)))) == [GPU, WEB]


def test_workers_dead_for_days_are_not_seen_on_a_first_look() -> None:
    cluster = healthy()
    cluster.add("celery@old-1")
    cluster.dies("celery@old-1")
    cluster.beats["celery@old-1"] = replace(cluster.beats["celery@old-1"], heartbeats=(NOW - 2 * 86400,))
    cluster.cache["celery@old-1"] = replace(cluster.cache["celery@old-1"], at=NOW - 2 * 86400)
    assert names(workers(watching(cluster, 0), 0)) == [GPU, WEB]


def test_nothing_is_forgotten_while_the_broker_is_away() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    workers(watch)
    watch.cluster.gaps["redis"] = "redis: connection refused"
    assert WEB in [names(workers(watch)) for _ in range(20)][-1]


def test_a_worker_that_died_while_nobody_looked_for_an_hour_is_lost_not_forgotten() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    watch.cluster.beating(3700)
    assert [state(watch), state(watch), state(watch)] == ["lost"] * 3


def test_a_worker_last_online_days_ago_is_forgotten_when_watching_goes_on() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    watch.cluster.beating(3 * 86400)
    assert WEB not in names(workers(watch))


def test_with_purge_offline_workers_a_killed_worker_is_lost_with_its_last_values() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    del watch.cluster.beats[WEB]
    reading = workers(watch)
    assert (cell(reading, WEB, "state"), cell(reading, WEB, "processed")) == ("lost", 100.0)


def test_with_purge_offline_workers_one_that_was_purged_before_the_first_look_is_not_seen() -> None:
    cluster = healthy()
    cluster.online["celery@purged-1"] = False
    assert names(workers(watching(cluster, 0), 0)) == [GPU, WEB]


def test_with_purge_offline_workers_a_worker_that_left_stays_left() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    del watch.cluster.beats[WEB]
    assert state(watch) == "left"


def test_other_apps_workers_are_not_ours() -> None:
    assert names(workers(watching(workers=("celery@web-*",)))) == [WEB]
