"""What this process lacks is not the other side's fault. The limit of open files is a real one, for the length of one question."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.processes.cluster import Cluster
from tests.servers.receiver import RecordingReceiver
from watchdog.core.model.queries import Ping, WorkerStatus
from watchdog.demo.processes import free_port
from watchdog.net.descriptor_limits import NotAskedError, own_limit
from watchdog.sources.flower.source import FlowerSettings, FlowerSource
from watchdog.sources.redis.source import RedisSettings, RedisSource


@contextmanager
def no_more_files() -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def test_a_redis_that_could_not_be_asked_for_want_of_a_socket_is_not_called_down(redis_server: Cluster) -> None:
    source = RedisSource(RedisSettings.model_validate({"url": redis_server.redis_url}))
    source.ask([Ping()])  # what is imported is imported
    source.close()
    with no_more_files(), pytest.raises(NotAskedError, match="may open no more files; raise the limit"):
        source.ask([Ping()])
    assert source.ask([Ping()]).latency_ms is not None
    source.close()


def test_sentinels_that_could_not_be_asked_for_want_of_a_socket_are_not_called_down() -> None:
    source = RedisSource(RedisSettings.model_validate({"url": f"sentinel://127.0.0.1:{free_port()}/0", "master": "mymaster"}))
    source.ask([Ping()])
    with no_more_files(), pytest.raises(NotAskedError, match="may open no more files; raise the limit"):
        source.ask([Ping()])
    source.close()


def test_a_flower_that_could_not_be_asked_for_want_of_a_socket_is_not_called_down(receiver: RecordingReceiver) -> None:
    source = FlowerSource(FlowerSettings.model_validate({"url": f"http://127.0.0.1:{receiver.port}"}))
    source.ask([WorkerStatus()])
    source.close()
    with no_more_files(), pytest.raises(NotAskedError, match="may open no more files; raise the limit"):
        source.ask([WorkerStatus()])
    source.close()


def test_a_lack_is_found_behind_what_a_library_made_of_it() -> None:
    outer = ConnectionError("a library's words")
    outer.__cause__ = OSError(errno.ENFILE, "Too many open files in system")
    assert "this machine can open no more files" in (own_limit(outer) or "")


def test_the_other_sides_faults_are_not_ours() -> None:
    assert own_limit(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")) is None
