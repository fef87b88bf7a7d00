"""Why a real Redis takes no looks, as the log and EngineSilent say it: what was found where, and what to do for one of the engine's own."""

from collections.abc import Iterator

import pytest
import redis
from redis.sentinel import MasterNotFoundError

from tests.processes.cluster import Cluster
from watchdog.config.sections.engine import EngineSettings
from watchdog.daemon.engine.celery_app import LOOK, engine_app
from watchdog.daemon.engine.publishing import CeleryBroker, Look
from watchdog.daemon.engine.reasons import reason_of

PASSWORD = "correct-horse-battery"
USER = "looks"


@pytest.fixture
def server(redis_server: Cluster) -> Iterator[redis.Redis]:
    """A Redis, on which one user is not allowed anything yet."""
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", "~*", "&*", "+ping")
        yield client
        client.execute_command("ACL", "DELUSER", USER)
        client.config_set("maxmemory", 0)


def published(url: str, **more: object) -> str:
    """Publish a look after emptying the queue. Returns why that was not possible; empty if it was."""
    settings = EngineSettings.model_validate({"broker": {"url": url, **more}})
    app = engine_app(settings)
    broker = CeleryBroker(app, LOOK, app.conf["broker_url"])
    try:
        broker.empty()
        broker.send(Look("prod", 10.0, "f1", 0.0))
    except Exception as error:  # noqa: BLE001 - as the publisher does
        return reason_of(error, settings.broker)
    finally:
        broker.close()
    return ""


def with_login(cluster: Cluster, login: str) -> str:
    return cluster.redis_url.replace("redis://", f"redis://{login}@")


def test_a_user_that_may_do_too_little_is_told_what_it_needs_and_that_is_enough(redis_server: Cluster, server: redis.Redis) -> None:
    said = published(with_login(redis_server, f"{USER}:{PASSWORD}"))
    assert said.startswith(
        f"engine.broker: the ACL of this user denies a command or a key that Celery needs at redis://***@127.0.0.1:{redis_server.redis_port}/0"
    )
    assert PASSWORD not in said
    line = said.partition("ACL SETUSER name ")[2]
    server.execute_command("ACL", "SETUSER", USER, *line.split())  # type: ignore[no-untyped-call]
    assert published(with_login(redis_server, f"{USER}:{PASSWORD}")) == ""


def test_a_full_one_is_called_that(redis_server: Cluster, server: redis.Redis) -> None:
    server.config_set("maxmemory", 1)
    assert "is full (OOM): expected a Redis of its own" in published(redis_server.redis_url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://looks:not-it@{place}/0", "does not accept the user name or password of the URL (WRONGPASS)"),
        ("redis://{place}/99", "has no database of that number (its `databases` setting is smaller); leave the number out"),
        ("rediss://{place}/0", "does that port speak TLS, or should it be redis://?"),
        ("redis://nobody.invalid:6379/0", "the host name in redis://nobody.invalid:6379/0 cannot be resolved (DNS)"),
        ("redis://127.0.0.1:1/0", "connection refused by redis://127.0.0.1:1/0"),
        ("sentinel://{place}/main/0", "is no sentinel (those listen on 26379, usually)"),
    ],
)
def test_what_is_wrong_is_said_with_the_place(redis_server: Cluster, server: redis.Redis, url: str, expected: str) -> None:
    said = published(url.format(place=f"127.0.0.1:{redis_server.redis_port}"), timeout="0.2s", connect_timeout="0.2s")
    assert said.startswith("engine.broker: ")
    assert expected in said
    assert "not-it" not in said


def test_a_master_that_is_down_is_named_and_not_the_sentinel_that_named_it() -> None:
    settings = EngineSettings.model_validate({"broker": "sentinel://:pw@one:26379/main/0"})
    error = redis.ConnectionError("Error 111 connecting to 10.0.0.7:6379. Connection refused.")
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    place = 'redis://***@10.0.0.7:6379/0 (the master "main", according to its sentinels)'
    assert reason_of(error, settings.broker).startswith(f"engine.broker: connection refused by {place}")


def test_a_master_that_no_sentinel_names_is_named() -> None:
    settings = EngineSettings.model_validate({"broker": "sentinel://one:26379,two:26379/main/0"})
    said = reason_of(MasterNotFoundError("No master found for 'main'"), settings.broker)
    assert said.startswith('engine.broker: no sentinel of sentinel://one:26379,two:26379/main/0 names a master "main" that is up')
