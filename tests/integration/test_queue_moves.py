"""Queues of a real Redis, purged and moved, beside workers that take messages and senders that add some."""

import json
import threading
from collections.abc import Iterator

import pytest
import redis

from tests.processes.cluster import Cluster
from watchdog.sources.control.queues import STEP, QueuesOnRedis
from watchdog.sources.redis.settings import RedisSettings


@pytest.fixture
def client(redis_server: Cluster) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        yield client


@pytest.fixture
def queues(redis_server: Cluster) -> Iterator[QueuesOnRedis]:
    found = QueuesOnRedis(RedisSettings.model_validate({"url": redis_server.redis_url}))
    yield found
    found.close()


def fill(client: redis.Redis, key: str, count: int, *tasks: str) -> list[str]:
    """Messages as kombu writes them, sent in this order. Returns their ids."""
    ids = [f"{key}-{number}" for number in range(count)]
    for number, name in enumerate(ids):
        client.lpush(key, message(name, tasks[number % len(tasks)] if tasks else "demo.ok"))
    return ids


def message(name: str, task: str = "demo.ok") -> bytes:
    info = {"exchange": "", "routing_key": "src"}
    return json.dumps(
        {"body": "W10=", "headers": {"id": name, "task": task}, "properties": {"delivery_info": info, "delivery_tag": name}}
    ).encode()


def ids(client: redis.Redis, key: str) -> list[str]:
    """The ids in a list, the next one first."""
    return [json.loads(raw)["headers"]["id"] for raw in reversed(client.lrange(key, 0, -1))]


def moved(queues: QueuesOnRedis, most: int = 10_000, only: str | None = None) -> int:
    return sum(queues.move("src", "dst", "dst", most, only))


def test_all_messages_are_moved_in_their_order_behind_those_that_wait(client: redis.Redis, queues: QueuesOnRedis) -> None:
    before, sent = fill(client, "dst", 2), fill(client, "src", 3 * STEP + 1)
    assert moved(queues) == len(sent)
    assert (ids(client, "dst"), client.llen("src")) == (before + sent, 0)


def test_a_moved_message_is_addressed_to_its_new_queue(client: redis.Redis, queues: QueuesOnRedis) -> None:
    fill(client, "src", 1)
    moved(queues)
    [raw] = client.lrange("dst", 0, -1)
    assert json.loads(raw)["properties"]["delivery_info"] == {"exchange": "", "routing_key": "dst"}


def test_only_messages_of_one_task_are_moved(client: redis.Redis, queues: QueuesOnRedis) -> None:
    sent = fill(client, "src", 3 * STEP, "demo.ok", "demo.fail", "demo.burn")
    assert moved(queues, only="demo.fail") == STEP
    assert (ids(client, "dst"), ids(client, "src")) == (sent[1::3], [name for at, name in enumerate(sent) if at % 3 != 1])


def test_no_more_are_moved_than_asked_for(client: redis.Redis, queues: QueuesOnRedis) -> None:
    sent = fill(client, "src", STEP + 5)
    assert (moved(queues, STEP + 2), ids(client, "src")) == (STEP + 2, sent[STEP + 2 :])


def test_what_is_no_message_is_moved_as_it_is(client: redis.Redis, queues: QueuesOnRedis) -> None:
    client.lpush("src", b"\xff\x00 not json")
    assert (moved(queues), client.lrange("dst", 0, -1)) == (1, [b"\xff\x00 not json"])


def test_what_is_no_message_is_left_by_only(client: redis.Redis, queues: QueuesOnRedis) -> None:
    client.lpush("src", b"\xff\x00 not json")
    assert (moved(queues, only="demo.ok"), client.llen("src")) == (0, 1)


def test_equal_messages_are_moved_as_often_as_they_are_there(client: redis.Redis, queues: QueuesOnRedis) -> None:
    client.lpush("src", *[message("same")] * 5)
    assert (moved(queues), client.llen("src"), client.llen("dst")) == (5, 0, 5)


def test_messages_that_workers_take_meanwhile_are_nowhere_twice(redis_server: Cluster, client: redis.Redis, queues: QueuesOnRedis) -> None:
    sent = fill(client, "src", 2000, "demo.ok", "demo.fail")
    taken: list[str] = []
    over = threading.Event()

    def take() -> None:
        with redis.Redis.from_url(redis_server.redis_url) as own:
            while not over.is_set() and (raw := own.rpop("src")) is not None:
                taken.append(json.loads(raw)["headers"]["id"])

    worker = threading.Thread(target=take)
    worker.start()
    moved(queues, only="demo.fail")
    over.set()
    worker.join()
    assert sorted(taken + ids(client, "src") + ids(client, "dst")) == sorted(sent)


def test_what_is_left_holds_none_of_that_task_although_workers_took_some(
    redis_server: Cluster, client: redis.Redis, queues: QueuesOnRedis
) -> None:
    fill(client, "src", 5 * STEP, "demo.ok", "demo.fail")
    for _ in queues.move("src", "dst", "dst", 10_000, "demo.fail"):
        client.rpop("src")
    assert queues.matching(("src",), "demo.fail") == 0


def test_a_purge_deletes_every_list_and_counts_its_messages(client: redis.Redis, queues: QueuesOnRedis) -> None:
    fill(client, "src", 3)
    fill(client, "src\x06\x169", 4)
    fill(client, "dst", 1)
    assert (queues.purge(("src", "src\x06\x163", "src\x06\x169")), client.keys("*")) == (7, [b"dst"])
