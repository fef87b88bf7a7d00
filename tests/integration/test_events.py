"""Real workers behind a real Redis, heard by their events: who is there, who died, who left, and what happens when nothing can be heard."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis

from tests.integration.test_redis_source import ACL_SETUSER
from tests.processes.cluster import Cluster
from tests.servers.certificates import make_certificates
from tests.servers.many_workers import many_workers
from tests.servers.sentinels import Sentinels
from tests.servers.tls_proxy import TlsProxy
from tests.servers.waiting import until
from tests.unit.sources.events.test_messages import message
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import HearWorkers
from watchdog.core.model.replies import WorkerHeard, WorkersHeard
from watchdog.demo.processes import LOOPBACK
from watchdog.sources.events.heard import MOST_WORKERS
from watchdog.sources.events.source import EventsSource, SharedEars
from watchdog.sources.redis.settings import RedisSettings

CHANNEL = "/0.celeryev/worker.heartbeat"


class Listener:
    """The source of one target, asked for one prefix; `changes` are what its ear says of itself."""

    def __init__(self, settings: Mapping[str, str], prefix: str = "", ears: SharedEars | None = None, target: str = "prod") -> None:
        self.changes: list[str] = []
        self._query = HearWorkers(prefix)
        shared = ears or SharedEars(lambda _, reason: self.changes.append(reason))
        self.source: EventsSource = shared.source(target, RedisSettings.model_validate(dict(settings)))

    def heard(self) -> WorkersHeard | Gap:
        answer = self.source.ask([self._query]).replies[self._query]
        assert isinstance(answer, WorkersHeard | Gap)
        return answer

    def workers(self) -> dict[str, WorkerHeard]:
        heard = self.heard()
        return {} if isinstance(heard, Gap) else dict(heard.workers)

    def why(self) -> str:
        heard = self.heard()
        return heard.reason if isinstance(heard, Gap) else ""


@contextlib.contextmanager
def listening(url: str, prefix: str = "", **more: str) -> Iterator[Listener]:
    listener = Listener({"url": url, **more}, prefix)
    try:
        listener.heard()
        yield listener
    finally:
        listener.source.close()


# --- real workers ---------------------------------------------------------------------------------------------------------


def test_a_killed_worker_is_told_from_one_that_says_goodbye(redis_server: Cluster) -> None:
    names = ["celery@dies", "celery@leaves", "celery@stays"]
    with listening(redis_server.redis_url) as ear, many_workers(redis_server, {name: ["a"] for name in names}):
        until(lambda: sorted(ear.workers()) == names, 60, "three workers to be heard")
        before = ear.workers()
        os.kill(before["celery@dies"].beat.pid or 0, signal.SIGKILL)
        os.kill(before["celery@leaves"].beat.pid or 0, signal.SIGTERM)
        until(lambda: ear.workers()["celery@leaves"].gone, 20, "the goodbye")
        until(lambda: ear.workers()["celery@dies"].ago_s > 6, 20, "the silence")
        after = ear.workers()
        assert (after["celery@dies"].gone, after["celery@stays"].gone, after["celery@stays"].ago_s < 5) == (False, False, True)


def test_two_workers_under_one_name_are_heard_to_take_turns(redis_server: Cluster) -> None:
    twin = {"celery@twin": ["a"]}
    with listening(redis_server.redis_url) as ear, many_workers(redis_server, twin):
        until(ear.workers, 60, "the first")
        assert ear.workers()["celery@twin"].turned_s is None
        with many_workers(redis_server, twin):
            until(lambda: ear.workers()["celery@twin"].turned_s is not None, 60, "both")


def test_workers_are_heard_under_their_prefix_and_in_any_time_zone(tmp_path: Path) -> None:
    with Cluster(environment={"DEMO_KEY_PREFIX": "shop_"}) as cluster:
        cluster.start_redis()
        with listening(cluster.redis_url, "shop_") as ear, listening(cluster.redis_url) as elsewhere:
            cluster.start_worker("tokyo", ["a"], environment={"TZ": "Asia/Tokyo"})
            until(lambda: (one := ear.workers().get("celery@tokyo")) and one.ahead_s is not None, 60, "three heartbeats")
            assert abs(ear.workers()["celery@tokyo"].ahead_s or 0.0) < 4
            assert elsewhere.workers() == {}


# --- what can go wrong ----------------------------------------------------------------------------------------------------


def test_a_user_with_the_line_of_the_readme_may_listen_and_one_without_the_channel_is_told_so_once(redis_server: Cluster) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        for user, less in (("watchdog", ""), ("narrow", "resetchannels"), ("older", "-psubscribe")):
            line = ACL_SETUSER.replace("PASSWORD", "hunter2").replace("watchdog", user, 1)
            client.execute_command(*f"{line} {less}".split())
    url = redis_server.redis_url
    with listening(url.replace("//", "//watchdog:hunter2@")) as ear:
        assert isinstance(ear.heard(), WorkersHeard)
    for user, what in (("narrow", "the channel /0.celeryev/worker.*"), ("older", "the command PSUBSCRIBE")):
        with listening(url.replace("//", f"//{user}:hunter2@")) as refused:
            assert f"denies {what} (NOPERM)" in refused.why()
            assert "README" in refused.why()
            assert "hunter2" not in refused.why()
            assert refused.changes == [refused.why()]


def test_a_redis_that_restarts_is_a_gap_and_then_heard_again_from_the_beginning(redis_server: Cluster) -> None:
    with listening(redis_server.redis_url) as ear:
        say(redis_server, "celery@before")
        until(ear.workers, 10, "a heartbeat")
        redis_server.stop_redis(signal.SIGKILL)
        until(lambda: "refused" in ear.why(), 20, "the gap")
        redis_server.start_redis()
        until(lambda: isinstance(ear.heard(), WorkersHeard), 30, "the connection")
        assert ear.workers() == {}
        say(redis_server, "celery@after")
        until(lambda: list(ear.workers()) == ["celery@after"], 10, "a heartbeat")


def test_a_redis_that_hangs_is_a_gap(redis_server: Cluster) -> None:
    with listening(redis_server.redis_url, timeout="0.5s") as ear:
        redis_server.stop_redis(signal.SIGSTOP)
        try:
            until(lambda: "no answer" in ear.why(), 30, "the gap")
        finally:
            redis_server.resume_redis()
        until(lambda: isinstance(ear.heard(), WorkersHeard), 30, "the connection")


def test_it_follows_a_failover(tmp_path: Path) -> None:
    with Sentinels(tmp_path) as sentinels, listening(sentinels.url()) as ear:
        assert isinstance(ear.heard(), WorkersHeard)
        sentinels.kill_master()

        def heard() -> bool:
            with contextlib.suppress(redis.RedisError):
                sentinels.data(sentinels.master()).publish(CHANNEL, message())
            return bool(ear.workers())

        until(heard, 40, "a heartbeat from the new master", every=0.5)


def test_it_listens_over_tls(redis_server: Cluster, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    proxy = TlsProxy(redis_server.redis_port, certificates.server_context())
    with proxy, listening(f"rediss://{LOOPBACK}:{proxy.port}/0", ca_file=str(certificates.ca)) as ear:
        say(redis_server, *(f"celery@w{number}" for number in range(200)))
        until(lambda: len(ear.workers()) == 200, 10, "200 heartbeats")


def test_messages_that_are_no_json_say_why_nothing_is_known(redis_server: Cluster) -> None:
    with listening(redis_server.redis_url) as ear, redis.Redis.from_url(redis_server.redis_url) as client:
        client.publish(CHANNEL, b"\x80\x04pickled")
        until(lambda: "event_serializer" in ear.why(), 10, "the reason")


def test_a_flood_of_names_is_forgotten_from_its_beginning(redis_server: Cluster) -> None:
    with listening(redis_server.redis_url) as ear:
        say(redis_server, *(f"celery@{number}" for number in range(MOST_WORKERS + 500)))
        until(lambda: f"celery@{MOST_WORKERS + 499}" in ear.workers(), 30, "the last name")
        assert len(ear.workers()) == MOST_WORKERS


# --- threads and connections ----------------------------------------------------------------------------------------------


def test_targets_on_one_database_share_a_connection_which_the_last_one_closes(redis_server: Cluster) -> None:
    ears = SharedEars(lambda *_: None)
    one, two = (Listener({"url": redis_server.redis_url}, ears=ears, target=name) for name in ("one", "two"))
    with redis.Redis.from_url(redis_server.redis_url) as client:
        assert (isinstance(one.heard(), WorkersHeard), isinstance(two.heard(), WorkersHeard)) == (True, True)
        assert len(client.client_list("pubsub")) == 1
        one.source.close()
        assert isinstance(two.heard(), WorkersHeard)
        assert len(client.client_list("pubsub")) == 1
        two.source.close()
        until(lambda: not client.client_list("pubsub"), 5, "the end of the connection")


def test_closing_ends_the_thread() -> None:
    with Cluster() as cluster:
        cluster.start_redis()
        before = set(threading.enumerate())
        with listening(cluster.redis_url) as ear:
            assert isinstance(ear.heard(), WorkersHeard)
            assert len(set(threading.enumerate()) - before) == 1
        assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("denied", [False, True])
def test_closing_does_not_wait_for_the_next_attempt(redis_server: Cluster, *, denied: bool) -> None:
    before = set(threading.enumerate())
    url = redis_server.redis_url
    if denied:
        with redis.Redis.from_url(url) as client:
            client.execute_command("ACL", "SETUSER", "narrow", "on", ">hunter2", "+@all", "resetchannels")
        url = url.replace("//", "//narrow:hunter2@")
    else:
        redis_server.stop_redis(signal.SIGKILL)
    with listening(url) as ear:
        assert ear.why()
    assert set(threading.enumerate()) <= before


def say(cluster: Cluster, *names: str) -> None:
    """A heartbeat of each of these workers."""
    with redis.Redis.from_url(cluster.redis_url) as client, client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.publish(CHANNEL, message(hostname=name))
        pipeline.execute()
