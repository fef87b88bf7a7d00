from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import InspectAll, InspectOne
from watchdog.core.model.servers.worker_queries import PingWorkers

WEB, GPU = "celery@web-1", "celery@gpu-1"
BOTH = frozenset({"flower", "redis", "celery"})


def watching(cluster: Cluster | None = None, sources: frozenset[str] = BOTH) -> Watch:
    watch = Watch(cluster or healthy(), a_target(sources=sources))
    watch.look(0)
    watch.look(10)
    return watch


def state(watch: Watch, name: str = WEB) -> object:
    reading = watch.look(10)["workers"]
    return cell(reading, name, "state") or f"unknown: {gap(reading, name, 'state')}"


def pinged(watch: Watch) -> list[tuple[str, ...]]:
    return [query.workers for query in watch.cluster.asked if isinstance(query, PingWorkers)]


def refreshed(watch: Watch) -> list[str]:
    return [q.worker if isinstance(q, InspectOne) else "*" for q in watch.cluster.asked if isinstance(q, InspectOne | InspectAll)]


def falls_silent(cluster: Cluster, *names: str) -> None:
    """Flower no longer hears them; they live, and answer."""
    for name in names:
        cluster.online[name] = False


def test_while_all_is_well_nobody_is_pinged() -> None:
    watch = watching()
    watch.look(10)
    assert pinged(watch) == []


def test_a_worker_that_answers_a_ping_is_online_whatever_flower_says() -> None:
    watch = watching()
    falls_silent(watch.cluster, WEB)
    assert state(watch) == "online"


def test_flower_is_not_asked_about_a_worker_that_answered() -> None:
    watch = watching()
    falls_silent(watch.cluster, WEB)
    watch.look(10)
    assert (pinged(watch), refreshed(watch)) == ([(WEB,)], [])


def test_all_silent_workers_are_asked_with_one_ping() -> None:
    watch = watching()
    falls_silent(watch.cluster, WEB, GPU)
    watch.look(10)
    assert pinged(watch) == [(GPU, WEB)]


def test_of_a_worker_that_does_not_answer_flower_is_asked_as_before() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"
    assert (pinged(watch), refreshed(watch)) == ([(WEB,)], [WEB])


def test_where_nobody_may_ask_the_workers_flower_decides() -> None:
    watch = watching()
    watch.cluster.gaps["celery"] = "celery: the broker denied it"
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def test_a_worker_that_answered_is_asked_again_only_before_its_answer_gets_old() -> None:
    watch = watching()
    falls_silent(watch.cluster, WEB)
    looks = []
    for _ in range(7):
        watch.look(10)
        looks.append(bool(pinged(watch)))
    assert looks == [True, False, False, True, False, False, True]


def test_a_worker_that_dies_after_it_answered_is_lost() -> None:
    watch = watching()
    falls_silent(watch.cluster, WEB)
    watch.look(10)
    watch.cluster.dies(WEB)
    assert [state(watch) for _ in range(4)][-1] == "lost"


def test_a_goodbye_is_believed_without_a_ping() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    assert (state(watch), pinged(watch)) == ("left", [])


def test_a_solo_worker_that_is_busy_does_not_answer_and_is_not_lost() -> None:
    cluster = healthy()
    cluster.add("celery@solo-1", queues=("solo",), pool="solo", pool_size=1)
    watch = watching(cluster)
    watch.cluster.dies("celery@solo-1")
    assert state(watch, "celery@solo-1") == "online"


def test_no_worker_is_asked_while_the_broker_is_down() -> None:
    watch = watching()
    falls_silent(watch.cluster, WEB)
    watch.cluster.gaps["redis"] = "redis: no answer"
    watch.look(10)
    assert pinged(watch) == []


def test_a_ping_goes_to_the_key_prefix_that_the_workers_report() -> None:
    cluster = healthy()
    for name, seen in cluster.cache.items():
        assert seen.conf is not None
        cluster.cache[name] = replace(seen, conf=replace(seen.conf, key_prefix="shop:"))
    watch = watching(cluster)
    falls_silent(watch.cluster, WEB)
    watch.look(10)
    assert [query.key_prefix for query in watch.cluster.asked if isinstance(query, PingWorkers)] == ["shop:"]


def test_without_the_source_nobody_is_pinged() -> None:
    watch = watching(sources=frozenset({"flower", "redis"}))
    watch.cluster.dies(WEB)
    watch.look(10)
    assert pinged(watch) == []
