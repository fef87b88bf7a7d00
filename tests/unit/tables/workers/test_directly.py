import pytest
from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, a_look, cell, gap, names
from watchdog.core.model.queries import WorkerStatus
from watchdog.core.model.servers.worker_queries import InspectWorkers, PingWorkers
from watchdog.tables import TABLES

WEB, GPU = "celery@web-1", "celery@gpu-1"
MAILBOXES = "_kombu.binding.celery.pidbox"
ON_REDIS = frozenset({"redis", "celery"})
ON_ANOTHER = frozenset({"celery"})
WITH_FLOWER = frozenset({"redis", "celery", "flower"})


def mailboxes(cluster: Cluster, *workers: str) -> None:
    cluster.sets[MAILBOXES] = frozenset(f"\x06\x16\x06\x16{name}.celery.pidbox" for name in workers)


def a_cluster() -> Cluster:
    cluster = healthy()
    mailboxes(cluster, WEB, GPU)
    return cluster


def watching(sources: frozenset[str] = ON_REDIS, cluster: Cluster | None = None, looks: int = 2) -> Watch:
    watch = Watch(cluster or a_cluster(), a_target(sources=sources))
    for number in range(looks):
        watch.look(10 if number else 0)
    return watch


def states(watch: Watch, looks: int = 1) -> dict[str, object]:
    for _ in range(looks):
        reading = watch.look(10)["workers"]
    return {str(row.cells["name"]): row.cells["state"] for row in reading.rows}


def killed(cluster: Cluster, name: str) -> None:
    """With SIGKILL: its mailbox stays."""
    cluster.dies(name)


def stopped(cluster: Cluster, name: str) -> None:
    """With SIGTERM: it removes its mailbox."""
    cluster.dies(name)
    mailboxes(cluster, *(other for other in (WEB, GPU) if other in cluster.answering))


@pytest.mark.parametrize("sources", [ON_REDIS, ON_ANOTHER])
def test_who_answers_is_online_from_the_first_look_on(sources: frozenset[str]) -> None:
    assert states(watching(sources, looks=0)) == {WEB: "online", GPU: "online"}


def test_what_they_say_of_themselves_fills_the_table() -> None:
    reading = watching().look(10)["workers"]
    told = [cell(reading, WEB, column) for column in ("pool_size", "queues", "prefetch_count", "processed", "pid")]
    assert told == [4, "indexing", 16, 100, 17]


def test_queues_have_their_consumers() -> None:
    assert cell(watching().look(10)["queues"], "indexing", "consumers") == 1


def test_their_settings_are_known_without_flower() -> None:
    found = watching().look(10)["conf"]
    assert [row.cells["worker"] for row in found.rows] == [GPU, WEB]


def test_what_only_heartbeats_say_is_idle() -> None:
    assert {"load1", "load5", "load15", "abandoned"} <= watching().look(10)["workers"].idle.keys()


def test_a_note_says_how_the_values_were_obtained() -> None:
    assert watching().look(10)["workers"].note == "workers were asked directly"


def test_one_missed_ping_is_no_loss() -> None:
    watch = watching()
    killed(watch.cluster, WEB)
    assert states(watch) == {WEB: "online", GPU: "online"}


@pytest.mark.parametrize("sources", [ON_REDIS, ON_ANOTHER])
def test_a_killed_worker_is_lost_after_two(sources: frozenset[str]) -> None:
    watch = watching(sources)
    killed(watch.cluster, WEB)
    assert states(watch, 2) == {WEB: "lost", GPU: "online"}


def test_a_stopped_worker_has_left() -> None:
    watch = watching()
    stopped(watch.cluster, WEB)
    assert states(watch, 2) == {WEB: "left", GPU: "online"}


def test_all_killed_are_lost() -> None:
    watch = watching()
    killed(watch.cluster, WEB)
    killed(watch.cluster, GPU)
    assert states(watch, 2) == {WEB: "lost", GPU: "lost"}


def test_a_worker_that_comes_back_is_online() -> None:
    watch = watching()
    stopped(watch.cluster, WEB)
    states(watch, 2)
    watch.cluster.answering.add(WEB)
    mailboxes(watch.cluster, WEB, GPU)
    assert states(watch) == {WEB: "online", GPU: "online"}


def test_a_lost_worker_stays_lost_when_its_mailbox_is_swept() -> None:
    watch = watching()
    killed(watch.cluster, WEB)
    states(watch, 2)
    mailboxes(watch.cluster, GPU)
    assert states(watch)[WEB] == "lost"


def test_a_mailbox_that_somebody_left_long_ago_is_no_worker() -> None:
    cluster = a_cluster()
    mailboxes(cluster, WEB, GPU, "celery@killed-last-week")
    assert names(watching(cluster=cluster).look(10)["workers"]) == [GPU, WEB]


def test_a_solo_worker_that_is_busy_is_not_lost() -> None:
    cluster = a_cluster()
    cluster.cache[WEB] = replace(cluster.cache[WEB], pool="solo")
    watch = watching(cluster=cluster)
    killed(watch.cluster, WEB)
    assert states(watch, 10)[WEB] == "online"


def test_between_two_pings_a_busy_solo_worker_is_not_unknown() -> None:
    cluster = a_cluster()
    cluster.cache[WEB] = replace(cluster.cache[WEB], pool="solo")
    watch = watching(cluster=cluster)
    killed(watch.cluster, WEB)
    found = {cell(watch.look(2)["workers"], WEB, "state") for _ in range(60)}
    assert found == {"online"}


def test_on_redis_one_ping_goes_to_those_with_a_mailbox() -> None:
    watch = watching()
    watch.look(10)
    assert [query.workers for query in watch.cluster.asked if isinstance(query, PingWorkers)] == [(GPU, WEB)]


def test_elsewhere_it_goes_to_all() -> None:
    watch = watching(ON_ANOTHER)
    watch.look(10)
    assert [query.workers for query in watch.cluster.asked if isinstance(query, PingWorkers)] == [()]


@pytest.mark.parametrize("sources", [ON_REDIS, ON_ANOTHER])
def test_where_nobody_is_all_are_pinged_every_10_s(sources: frozenset[str]) -> None:
    watch = watching(sources, Cluster())
    pinged = [any(isinstance(query, PingWorkers) for query in watch.cluster.asked) for _ in range(20) if watch.look(1)]
    assert pinged.count(True) == 2


@pytest.mark.parametrize("source", ["redis", "celery"])
def test_where_the_broker_does_not_answer_nothing_is_known(source: str) -> None:
    watch = watching()
    watch.cluster.gaps[source] = f"{source}: no answer"
    reading = watch.look(10)["workers"]
    assert (cell(reading, WEB, "state"), gap(reading, WEB, "state")) == (None, f"{source}: no answer")


def test_before_anybody_was_asked_what_they_say_is_unknown_not_idle() -> None:
    reading = TABLES["workers"].read(a_look(target=a_target(sources=ON_REDIS)))
    assert not {"pool_size", "queues", "hoarded"} & reading.idle.keys()


def test_where_nobody_may_ask_them_workers_are_idle_as_without_this_source() -> None:
    cluster = a_cluster()
    cluster.gaps["celery"] = "celery: denied"
    readings = watching(cluster=cluster).look(10)
    assert (readings["workers"].idle["state"], readings["workers"].rows) == ("celery: denied", ())
    assert {"consumers", "unserved"} <= readings["queues"].idle.keys()


@pytest.mark.parametrize(("waiting", "unserved"), [(7, None), (0, 0)])
def test_whether_a_queue_is_unserved_is_unknown_while_a_mailbox_does_not_answer(waiting: int, unserved: float | None) -> None:
    cluster = a_cluster()
    cluster.sets["_kombu.binding.solo"] = frozenset({"solo\x06\x16\x06\x16solo"})
    cluster.lists["solo"] = waiting
    mailboxes(cluster, WEB, GPU, "celery@busy-solo")
    queues = watching(cluster=cluster, looks=40).look(10)["queues"]
    assert cell(queues, "solo", "unserved") == unserved
    assert cell(queues, "indexing", "consumers") == 1


def test_a_mailbox_that_does_not_answer_for_an_hour_belongs_to_nobody() -> None:
    cluster = a_cluster()
    cluster.sets["_kombu.binding.solo"] = frozenset({"solo\x06\x16\x06\x16solo"})
    cluster.lists["solo"] = 7
    mailboxes(cluster, WEB, GPU, "celery@killed-last-week")
    watch = watching(cluster=cluster)
    watch.look(3700)
    assert cell(watch.look(10)["queues"], "solo", "consumers") == 0


# --- a Flower that does not answer ------------------------------------------------------------------------------------


def without_its_flower() -> Watch:
    watch = watching(WITH_FLOWER)
    watch.cluster.gaps["flower"] = "flower: 503"
    return watch


def test_workers_stay_online_while_flower_is_away() -> None:
    watch = without_its_flower()
    assert [states(watch) for _ in range(4)] == [{WEB: "online", GPU: "online"}] * 4


def test_the_note_says_why_they_were_asked() -> None:
    assert without_its_flower().look(10)["workers"].note == "workers were asked directly: flower: 503"


def test_a_worker_that_dies_while_flower_is_away_is_lost() -> None:
    watch = without_its_flower()
    states(watch)
    killed(watch.cluster, WEB)
    assert states(watch, 3) == {WEB: "lost", GPU: "online"}


def test_where_the_workers_cannot_be_asked_either_both_reasons_are_told() -> None:
    watch = without_its_flower()
    watch.cluster.gaps["celery"] = "celery: denied"
    watch.look(10)
    reading = watch.look(10)["workers"]
    assert gap(reading, WEB, "state") == "flower: 503; celery: denied"


def test_when_flower_is_back_its_word_counts() -> None:
    watch = without_its_flower()
    states(watch, 3)
    watch.cluster.gaps.clear()
    assert (states(watch, 2), watch.look(10)["workers"].note) == ({WEB: "online", GPU: "online"}, "")


def test_while_flower_answers_nobody_is_asked() -> None:
    watch = watching(WITH_FLOWER)
    watch.look(10)
    assert [query for query in watch.cluster.asked if isinstance(query, PingWorkers | InspectWorkers)] == []


def test_flower_is_asked_again_in_each_look() -> None:
    watch = without_its_flower()
    states(watch, 3)
    assert WorkerStatus() in watch.cluster.asked
