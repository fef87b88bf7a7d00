"""The celery source against real workers on a real Redis: alive, busy, frozen, two under one name; a broker that hangs or refuses us."""

import base64
import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from pydantic import SecretStr

from tests.processes.cluster import Cluster
from tests.servers.certificates import make_certificates
from tests.servers.sentinels import Sentinels
from tests.servers.tls_proxy import TlsProxy
from tests.servers.valkey import valkey_server
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import HeldMessages, WorkerInspection
from watchdog.core.model.schedules.periodic import PeriodicTasks
from watchdog.core.model.servers.worker_queries import HeldByWorkers, InspectWorkers, PingWorkers, PlansOfWorkers, ScheduledByWorkers
from watchdog.demo.processes import LOOPBACK
from watchdog.sources.celery.amqp_address import is_amqp
from watchdog.sources.celery.broker import connection_arguments
from watchdog.sources.celery.mailbox import conversation
from watchdog.sources.celery.source import CelerySettings, CelerySource, share_brokers
from watchdog.sources.redis.settings import RedisSettings

PAGE = Path(__file__).parents[2] / "docs" / "flower.md"
FORKED, ALONE, THREADS = ("celery@forked", "celery@alone", "celery@threads")
ALL = (ALONE, FORKED, THREADS)
NOBODY = "celery@nobody"


def source_of(url: str, **more: Any) -> CelerySource:
    if is_amqp(url):
        return CelerySource(CelerySettings(url=SecretStr(url), **more))
    return CelerySource(CelerySettings().beside(RedisSettings(url=SecretStr(url), **more), None))


def ask(source: CelerySource, query: Query) -> Any:
    return source.ask([query]).replies[query]


def reason(source: CelerySource, query: Query) -> str:
    answer = ask(source, query)
    assert isinstance(answer, Gap), answer
    return answer.reason


def reachable(cluster: Cluster, count: int) -> redis.Redis:
    """A client, once so many workers can be asked."""
    client = redis.Redis(port=cluster.redis_port, decode_responses=True)
    everybody = source_of(cluster.redis_url)
    until(lambda: len(ask(everybody, PingWorkers())) == count, 60, "answers of all workers")
    return client


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("celery")) as cluster:
        cluster.start_redis()
        cluster.start_worker(FORKED, ["forked"], 2, "prefork", "--prefetch-multiplier=3")
        cluster.start_worker(ALONE, ["alone"], 1, "solo")
        cluster.start_worker(THREADS, ["threads"], 4, "threads")
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> redis.Redis:
    return reachable(cluster, 3)


@pytest.fixture
def source(cluster: Cluster, client: redis.Redis) -> CelerySource:
    return source_of(cluster.redis_url)


# --- what workers say -------------------------------------------------------------------------------------------------


def test_a_ping_is_answered_by_those_that_live(source: CelerySource) -> None:
    assert ask(source, PingWorkers((*ALL, NOBODY))) == frozenset(ALL)


def test_a_ping_to_nobody_in_particular_is_answered_by_all(source: CelerySource) -> None:
    assert ask(source, PingWorkers()) == frozenset(ALL)


@pytest.mark.parametrize("name", ['celery@"; FLUSHALL', "celery@\x06\x16\r\n*1", "celery@" + "x" * 5000, "celery@\ud7ff*"])
def test_a_hostile_name_is_a_name_that_nobody_has(source: CelerySource, name: str) -> None:
    assert ask(source, PingWorkers((FORKED, name))) == frozenset({FORKED})


@pytest.mark.parametrize(
    ("name", "told"),
    [(FORKED, ("prefork", 2, 6, ("forked",))), (ALONE, ("solo", 1, 1, ("alone",))), (THREADS, ("threads", 4, 4, ("threads",)))],
)
def test_a_worker_tells_its_pool_its_prefetch_count_and_its_queues(source: CelerySource, name: str, told: tuple[object, ...]) -> None:
    seen: WorkerInspection = ask(source, InspectWorkers((name,)))[name]
    assert (seen.pool, seen.pool_size, seen.prefetch, seen.queues) == told


def test_a_worker_tells_what_its_process_uses_and_executes(source: CelerySource) -> None:
    seen: WorkerInspection = ask(source, InspectWorkers((FORKED,)))[FORKED]
    assert (seen.active, (seen.cpu_s or 0) > 0, (seen.max_rss or 0) > 0, seen.conf is not None) == ((), True, True, True)


def test_a_worker_tells_its_rate_limits(cluster: Cluster, source: CelerySource) -> None:
    """Without them, a queue that waits for one by design seems to stand still behind idle workers."""
    with Celery(broker=cluster.redis_url) as app:
        try:
            app.control.rate_limit("demo.ok", "6/h", destination=[ALONE])
            until(lambda: ask(source, InspectWorkers((ALONE,)))[ALONE].rate_limited == ("demo.ok, 6/h",), 20, "the rate limit")
        finally:
            app.control.rate_limit("demo.ok", 0, destination=[ALONE])


def test_a_worker_tells_which_tasks_it_registers_and_that_beat_sends_none(source: CelerySource) -> None:
    plans = ask(source, PlansOfWorkers((FORKED, NOBODY)))
    told = [(name, plan.beat, plan.zone, "demo.ok" in (plan.registered or ())) for name, plan in plans.items()]
    assert told == [(FORKED, PeriodicTasks(), "UTC", True)]


def test_an_answer_is_dated_by_our_clock(cluster: Cluster, client: redis.Redis) -> None:
    settings = CelerySettings().beside(RedisSettings(url=SecretStr(cluster.redis_url)), None)
    source = CelerySource(settings, now=lambda: 1234.5)
    assert ask(source, InspectWorkers((FORKED,)))[FORKED].at == 1234.5


def test_messages_that_wait_for_their_eta_are_told_apart_from_those_that_only_wait(cluster: Cluster, source: CelerySource) -> None:
    task = cluster.app.signature("demo.ok", kwargs={"delay": 8.0}, queue="forked")
    for _ in range(5):
        task.apply_async(countdown=600)
        task.apply_async()
    until(lambda: ask(source, ScheduledByWorkers((FORKED,))) == {FORKED: 5}, 10, "five with an ETA")
    held: HeldMessages = ask(source, HeldByWorkers((FORKED,)))[FORKED]
    assert held.reserved == {"forked": 3}
    assert ask(source, InspectWorkers((FORKED,)))[FORKED].prefetch == 6 + 5


def test_a_busy_solo_worker_does_not_answer(cluster: Cluster, source: CelerySource) -> None:
    cluster.flood("alone", 1, delay=4.0)
    until(lambda: ask(source, PingWorkers((ALONE,))) == frozenset(), 10, "a busy solo worker")
    until(lambda: ask(source, PingWorkers((ALONE,))) == frozenset({ALONE}), 10, "the end of its task")


def test_a_frozen_worker_does_not_answer(cluster: Cluster, source: CelerySource) -> None:
    process = cluster.workers[THREADS]
    process.send(signal.SIGSTOP)
    try:
        assert ask(source, PingWorkers(ALL)) == frozenset({ALONE, FORKED})
    finally:
        process.send(signal.SIGCONT)


def test_two_under_one_name_hide_no_third_worker(cluster: Cluster, tmp_path: Path, source: CelerySource) -> None:
    twin = Cluster(tmp_path)  # its own list of workers, on the same broker
    twin.redis_port = cluster.redis_port
    try:
        log = twin.start_worker(FORKED, ["forked"], 1, "threads").log
        until(lambda: " ready." in log.read_text(), 60, "the twin")
        assert [ask(source, PingWorkers((FORKED, ALONE))) for _ in range(5)] == [frozenset({FORKED, ALONE})] * 5
    finally:
        twin.close()


# --- what stays in the broker -----------------------------------------------------------------------------------------


def keys_of(client: redis.Redis) -> list[str]:
    """All keys but those of tasks, which come and go by themselves."""
    of_tasks = re.compile("celery-task-meta-.*|unacked.*|forked|alone|threads")
    return sorted(key for key in client.scan_iter() if not of_tasks.fullmatch(key))


@pytest.mark.parametrize("names", [ALL, (NOBODY,), ()])
def test_no_key_is_left_in_the_broker(source: CelerySource, client: redis.Redis, names: tuple[str, ...]) -> None:
    before = keys_of(client)
    source.ask([PingWorkers(names), InspectWorkers(names), HeldByWorkers(names)])
    assert keys_of(client) == before


@pytest.fixture
def asked(client: redis.Redis) -> Iterator[Callable[[], list[str]]]:
    """Which commands workers were sent since the test began."""
    with client.pubsub() as channel:  # type: ignore[no-untyped-call]
        channel.subscribe("/0.celery.pidbox")
        channel.get_message(timeout=5)
        yield lambda: [_command(heard["data"]) for heard in iter(lambda: channel.get_message(timeout=0.2), None)]


def _command(message: str) -> str:
    return str(json.loads(base64.b64decode(json.loads(message)["body"]))["method"])


@pytest.fixture
def left(source: CelerySource, client: redis.Redis, asked: Callable[[], list[str]]) -> list[str]:
    """The keys before a conversation that was cut off once it had asked. The worker's answer is in its reply queue."""
    before, place = keys_of(client), source._settings.place
    arguments = connection_arguments(place, timeout_s=2.0, connect_timeout_s=2.0, key_prefix="")
    with conversation(arguments, "celery", source._replies, 1.0) as talk:
        talk._mailbox._publish("ping", {}, destination=[FORKED], reply_ticket="of what was cut off")
        until(lambda: client.llen(f"{source._replies}.reply.celery.pidbox"), 20, "the answer")
    assert asked() == ["ping"]
    return before


def test_what_a_conversation_left_that_was_cut_off_is_no_answer_to_the_next_one(
    source: CelerySource, left: list[str], asked: Callable[[], list[str]]
) -> None:
    source.ask([PingWorkers((FORKED,)), HeldByWorkers((FORKED,))])
    assert asked() == ["ping", "reserved"]


def test_what_a_conversation_left_that_was_cut_off_is_removed_by_the_next_one(
    source: CelerySource, client: redis.Redis, left: list[str]
) -> None:
    ask(source, PingWorkers((FORKED,)))
    assert keys_of(client) == left


def test_what_a_worker_holds_for_longer_than_kombus_default_is_not_delivered_again(source: CelerySource, client: redis.Redis) -> None:
    client.zadd("unacked_index", {"tag": time.time() - 7200})  # two hours: workers with a visibility_timeout of a day hold it rightly
    client.hset("unacked", "tag", '[{"body": "", "headers": {}, "properties": {"delivery_info": {}}}, "", "orders"]')
    try:
        ask(source, PingWorkers((NOBODY,)))
        assert client.zscore("unacked_index", "tag") is not None
    finally:
        client.delete("unacked", "unacked_index", "orders")


# --- a broker that hangs, refuses, or is not there ----------------------------------------------------------------------


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "asking-workers"]


def test_a_broker_that_hangs_costs_no_more_than_the_limit_and_one_thread(cluster: Cluster, client: redis.Redis) -> None:
    source, before = source_of(cluster.redis_url), keys_of(client)
    cluster.stop_redis(signal.SIGSTOP)
    try:
        began = time.monotonic()
        reasons = [reason(source, PingWorkers((FORKED,))) for _ in range(3)]
        took_s = time.monotonic() - began
        left = threads()
    finally:
        cluster.resume_redis()
    assert all("hangs" in said for said in reasons)
    assert took_s < source.longest_s + 0.5
    assert len(left) <= 1
    until(lambda: not threads(), 20, "the end of the thread")
    assert keys_of(client) == before


def test_targets_on_one_broker_share_its_only_thread(cluster: Cluster, client: redis.Redis) -> None:
    sources = [source_of(cluster.redis_url) for _ in range(3)]
    share_brokers(sources)
    cluster.stop_redis(signal.SIGSTOP)
    try:
        askers = [threading.Thread(target=ask, args=(source, PingWorkers((FORKED,)))) for source in sources]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(2 * sources[0].longest_s)
        left = threads()
    finally:
        cluster.resume_redis()
    assert len(left) <= 1


def test_a_broker_that_is_not_there_is_told_with_its_place() -> None:
    assert reason(source_of("redis://:hunter2@127.0.0.1:1/0"), PingWorkers((FORKED,))) == (
        "celery: connection refused by redis://***@127.0.0.1:1/0: is Redis running there, on that port?"
    )


def test_an_amqp_broker_that_is_not_there_is_told_with_its_place() -> None:
    assert "connection refused by amqp://***@127.0.0.1:1/shop" in reason(source_of("amqp://me:hunter2@127.0.0.1:1/shop"), PingWorkers())


def acl(client: redis.Redis, *lines: str) -> None:
    for line in lines:
        client.execute_command(*_words(line.replace("PASSWORD", "hunter2")))  # type: ignore[no-untyped-call]


def _words(line: str) -> list[str]:
    """As redis-cli splits it: what is in quotes is one word."""
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def lines_of(page: Path) -> list[str]:
    return re.findall(r"^ACL SETUSER watchdog .*$", page.read_text(), re.MULTILINE)


README = PAGE.parents[1] / "README.md"


def test_a_user_that_may_only_read_is_told_what_to_allow_and_not_tried_again(cluster: Cluster, client: redis.Redis) -> None:
    acl(client, lines_of(README)[0])
    source = source_of(f"redis://watchdog:hunter2@{LOOPBACK}:{cluster.redis_port}/0")
    first = reason(source, PingWorkers((FORKED,)))
    assert "docs/flower.md" in first
    assert "hunter2" not in first
    client.acl_log_reset()
    assert reason(source, PingWorkers((FORKED,))) == first
    assert client.acl_log() == []


@pytest.mark.parametrize("page", [README, PAGE])
def test_the_last_line_of_a_page_lets_a_user_ask(cluster: Cluster, client: redis.Redis, page: Path) -> None:
    acl(client, lines_of(README)[0], lines_of(page)[-1])
    source = source_of(f"redis://watchdog:hunter2@{LOOPBACK}:{cluster.redis_port}/0")
    assert ask(source, PingWorkers((FORKED, NOBODY))) == frozenset({FORKED})
    assert ask(source, InspectWorkers((FORKED,)))[FORKED].queues == ("forked",)


def test_the_line_for_redis_7_lets_a_user_ask_and_touch_nothing_else(tmp_path: Path) -> None:
    with Cluster(tmp_path, redis_program=valkey_server()) as cluster:
        cluster.start_redis()
        cluster.start_worker(FORKED, ["forked"], 1, "threads")
        client = reachable(cluster, 1)
        acl(client, lines_of(README)[0], lines_of(PAGE)[0])
        url = f"redis://watchdog:hunter2@{LOOPBACK}:{cluster.redis_port}/0"
        assert ask(source_of(url), PingWorkers((FORKED, NOBODY))) == frozenset({FORKED})
        with pytest.raises(redis.exceptions.NoPermissionError):
            redis.Redis.from_url(url).delete("forked")


# --- other ways to a broker -------------------------------------------------------------------------------------------


def test_workers_are_asked_through_tls(cluster: Cluster, client: redis.Redis, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    with TlsProxy(cluster.redis_port, certificates.server_context()) as proxy:
        good = source_of(f"rediss://{LOOPBACK}:{proxy.port}/0", ca_file=str(certificates.ca))
        bad = source_of(f"rediss://{LOOPBACK}:{proxy.port}/0")
        assert ask(good, PingWorkers((FORKED,))) == frozenset({FORKED})
        assert "is not trusted" in reason(bad, PingWorkers((FORKED,)))


def test_workers_are_asked_through_sentinels(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with (
        Sentinels(tmp_path / "redis", password="hunter2", sentinel_password="other") as sentinels,
        Cluster(tmp_path / "workers") as cluster,
    ):
        cluster.redis_port = sentinels.master()
        cluster._more["DEMO_BROKER_URL"] = f"redis://:hunter2@{LOOPBACK}:{cluster.redis_port}/0"
        cluster.start_worker(FORKED, ["forked"], 1, "threads")
        source = source_of(sentinels.url(":hunter2@"), sentinel_password="other")
        until(lambda: ask(source, PingWorkers((FORKED,))) == frozenset({FORKED}), 40, "an answer")


def test_workers_under_a_key_prefix_are_found_by_the_prefix_that_they_report(cluster: Cluster, client: redis.Redis) -> None:
    source = source_of(cluster.redis_url)
    assert ask(source, PingWorkers((FORKED,), key_prefix="shop:")) == frozenset()
