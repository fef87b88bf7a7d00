from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.cluster import healthy
from tests.builders.looks import Watch, cell
from tests.builders.worker_states import WEB, refreshed, watching, workers
from watchdog.core.model.queries import InspectOne


def test_nobody_is_asked_on_a_healthy_cluster() -> None:
    watch = watching(looks=0)
    workers(watch, 0)
    assert refreshed(watch) == []


def test_a_worker_online_but_not_in_the_cache_is_asked_once() -> None:
    cluster = healthy()
    del cluster.cache[WEB]
    watch = watching(cluster, 0)
    asked = []
    for number in range(3):
        workers(watch, 10 if number else 0)
        asked.append(refreshed(watch))
    assert asked == [[WEB], [], []]


def test_a_worker_that_does_not_answer_is_asked_again_later_and_later() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    asked_at = []
    for number in range(27):
        workers(watch)
        if refreshed(watch):
            asked_at.append(number * 10)
    assert asked_at == [0, 10, 30, 70, 150]


def test_after_a_404_all_are_asked_at_most_once_a_minute() -> None:
    cluster = healthy()
    del cluster.cache[WEB]
    cluster.answering.discard(WEB)
    watch = watching(cluster, 0)
    asked = []
    for number in range(12):
        workers(watch, 10 if number else 0)
        asked += [number * 10] if "*" in refreshed(watch) else []
    assert asked == [0, 70]


def test_everybody_is_asked_every_5_minutes() -> None:
    watch = watching(looks=0)
    asked = []
    for number in range(92):
        workers(watch, 10 if number else 0)
        asked += [number * 10] if "*" in refreshed(watch) else []
    assert asked == [300, 600, 900]


def test_a_clock_set_back_does_not_stop_the_asking() -> None:
    watch = watching()
    watch.skew = -7200.0
    workers(watch)
    assert refreshed(watch) == ["*"]


def test_an_old_inspection_is_asked_for_again_on_a_first_look() -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], at=NOW - 700)
    watch = watching(cluster, 0)
    workers(watch, 0)
    assert refreshed(watch) == [WEB]


def test_the_inspection_of_an_earlier_process_is_asked_for_again_at_once() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pid=99)
    workers(watch)
    assert refreshed(watch) == [WEB]


def test_a_worker_that_never_says_its_queues_is_asked_once_a_minute() -> None:
    cluster = healthy()
    cluster.cache[WEB] = cluster.inspections[WEB] = replace(cluster.cache[WEB], queues=None)
    watch = watching(cluster, 0)
    asked = []
    for number in range(14):
        workers(watch, 10 if number else 0)
        asked += [number * 10] if refreshed(watch) else []
    assert asked == [0, 60, 120]


def test_a_worker_whose_stats_flower_missed_is_asked_for_them_once() -> None:
    """Flower asks several questions at once, of which a worker that begins may answer some."""
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], pool=None, pool_size=None, pid=None, uptime_s=None)
    watch, asked = watching(cluster, 0), []
    for number in range(7):
        workers(watch, 10 if number else 0)
        asked += [number] if refreshed(watch) else []
    assert asked == [0]


def test_a_worker_that_was_asked_while_it_started_is_asked_again_soon() -> None:
    cluster = healthy()
    cluster.cache[WEB] = cluster.inspections[WEB] = replace(cluster.cache[WEB], queues=None, uptime_s=1.0)
    watch = watching(cluster, 0)
    workers(watch, 0)
    workers(watch, 10)
    assert refreshed(watch) == [WEB]


def test_a_flower_whose_clock_is_far_behind_does_not_make_every_inspection_old() -> None:
    watch = Watch(healthy())
    watch.skew = 900.0
    watch.look(0)
    asked = []
    for _ in range(5):
        workers(watch)
        asked += refreshed(watch)
    assert (asked, cell(workers(watch), WEB, "queues")) == ([], "indexing")


def test_an_inspection_that_is_asked_in_vain_is_backed_off() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    watch.cluster.gaps[InspectOne] = "flower: no answer within 5s"
    asked = 0
    for _ in range(27):
        workers(watch)
        asked += len(refreshed(watch))
    assert asked == 5
