import json
from typing import Any

import pytest

from watchdog.core.model.replies import WorkerConf
from watchdog.sources.celery_urls import CeleryPlace, celery_place
from watchdog.sources.flower.inspections import inspections


@pytest.mark.parametrize(
    ("url", "server", "db"),
    [
        ("redis://h", "h:6379", 0),
        ("redis://:********@h:6379//", "h:6379", 0),
        ("redis://u:********@h:6380/1", "h:6380", 1),
        ("rediss://h:6380/2?ssl_cert_reqs=required", "h:6380", 2),
        ("redis://:un@masked/one@h/3", "h:6379", 3),
        ("redis://[::1]:6379/4", "[::1]:6379", 4),
        ("redis:///5", "localhost:6379", 5),
        ("redis+socket:///run/redis.sock?virtual_host=6", "/run/redis.sock", 6),
        ("sentinel://:********@a:1/7;sentinel://:********@b:2/7", "a:1", 7),
        ("sentinel://a", "a:26379", 0),
    ],
)
def test_celerys_urls_name_a_server_and_a_database(url: str, server: str, db: int) -> None:
    assert celery_place(url) == CeleryPlace(server, db)


@pytest.mark.parametrize(
    "url", ["", "rpc://", "db+postgresql://h/results", "amqp://h//", "redis://h/prod", "redis://:pa;ss", "cache+memcached://h/"]
)
def test_what_is_no_redis_or_cannot_be_read_is_no_place(url: str) -> None:
    assert celery_place(url) is None


def conf(**settings: Any) -> WorkerConf:
    """What one worker's conf is read as."""
    found = inspections(json.dumps({"w@h": {"conf": settings, "timestamp": 1.0}}).encode())
    assert isinstance(found, dict)
    read = found["w@h"].conf
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("broker", "db"),
    [
        ({"hostname": "h", "virtual_host": "2"}, 2),
        ({"hostname": "h", "virtual_host": "/"}, 0),
        ({"hostname": "redis+socket://:p%40ss@/run/redis.sock?virtual_host=2", "virtual_host": "/"}, 2),
        ({"hostname": "redis+socket:///run/redis.sock", "virtual_host": "/"}, 0),
        ({"hostname": "amqp://h//", "virtual_host": "/"}, None),
        ({"hostname": 3, "virtual_host": "shop"}, None),
        ({}, None),
    ],
)
def test_the_database_of_the_broker_is_that_of_its_url_where_stats_show_that(broker: dict[str, Any], db: int | None) -> None:
    found = inspections(json.dumps({"w@h": {"conf": {}, "stats": {"broker": broker}, "timestamp": 1.0}}).encode())
    assert isinstance(found, dict)
    read = found["w@h"].conf
    assert read is not None
    assert read.broker_db == db


@pytest.mark.parametrize(
    ("broker", "backend", "db", "elsewhere"),
    [
        ("redis://:********@h:6379//", "redis://:********@h:6379/1", 1, False),
        ("redis://h/0", "rediss://h:6379", 0, False),
        ("redis://h/0", "redis://other/1", None, True),
        ("amqp://h//", "redis://h/1", None, False),
        ("redis://h/0", "db+postgresql://h/results", None, False),
        ("sentinel://:********@a:1/0", "sentinel://:********@a:1/1;sentinel://:********@b:2/1", 1, False),
    ],
)
def test_results_are_seen_beside_the_broker_or_elsewhere(broker: str, backend: str, db: int | None, *, elsewhere: bool) -> None:
    read = conf(broker_url=broker, result_backend=backend)
    assert (read.results_db, read.results_elsewhere) == (db, elsewhere)


def test_another_master_of_the_same_sentinels_is_another_server() -> None:
    url = "sentinel://a:1/0"
    options = {"broker_transport_options": {"master_name": "one"}, "result_backend_transport_options": {"master_name": "two"}}
    assert conf(broker_url=url, result_backend=url, **options).results_elsewhere


@pytest.mark.parametrize(
    ("options", "prefix"), [({}, ""), ({"global_keyprefix": "********"}, None), ({"global_keyprefix": "shop"}, "shop")]
)
def test_a_prefix_that_is_censored_is_there_and_not_known(options: dict[str, str], prefix: str | None) -> None:
    assert conf(result_backend="redis://h/0", result_backend_transport_options=options).results_prefix == prefix
