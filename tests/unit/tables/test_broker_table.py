import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_conf, a_server, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import HashSize, LowestScore, Ping, ReadServer
from watchdog.core.model.replies import KeysFound
from watchdog.core.model.rows import Cell, Reading


def first_look(cluster: Cluster, **target: object) -> Reading:
    return Watch(cluster, a_target(**target)).look(0)["broker"]


def shown(column: str, **server: object) -> Cell:
    cluster = healthy()
    cluster.server = a_server(**server)
    return cell(first_look(cluster), "", column)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("latency_ms", 0.5),
        ("used_memory", 5e7),
        ("max_memory", 1e8),
        ("memory_ratio", 0.5),
        ("eviction_policy", "noeviction"),
        ("clients", 20.0),
        ("client_ratio", 0.002),
        ("blocked_clients", 2.0),
        ("role", "master"),
        ("replica_link_up", True),
        ("last_save_ok", True),
        ("unacked", 0.0),
        ("unacked_oldest_s", 0.0),
        ("unacked_ratio", 0.0),
    ],
)
def test_a_healthy_broker_shows(column: str, value: object) -> None:
    assert shown(column) == value


def test_without_a_memory_limit_the_ratio_is_0() -> None:
    assert shown("memory_ratio", max_memory=0) == 0.0


@pytest.mark.parametrize(
    ("column", "missing"),
    [
        ("memory_ratio", {"max_memory": None}),
        ("memory_ratio", {"used_memory": None}),
        ("client_ratio", {"clients": None}),
        ("client_ratio", {"max_clients": None}),
        ("role", {"role": None}),
        ("replica_link_up", {"role": "slave"}),
        ("last_save_ok", {"last_save_ok": None}),
    ],
)
def test_what_info_does_not_say_is_a_gap_not_a_healthy_value(column: str, missing: dict[str, object]) -> None:
    assert shown(column, **missing) is None


def test_a_replica_whose_link_is_down_says_so() -> None:
    assert shown("replica_link_up", role="slave", replica_link_up=False) is False


def test_a_broker_that_does_not_answer_is_a_row_of_gaps() -> None:
    cluster = healthy()
    cluster.gaps["redis"] = "redis: connection refused"
    reading = first_look(cluster)
    assert {gap(reading, "", c) for c in reading.rows[0].cells} == {"redis: connection refused"}


def test_a_denied_info_costs_its_own_columns_alone() -> None:
    cluster = healthy()
    cluster.gaps[ReadServer] = "redis: NOPERM"
    reading = first_look(cluster)
    assert (gap(reading, "", "used_memory"), cell(reading, "", "latency_ms"), cell(reading, "", "unacked")) == ("redis: NOPERM", 0.5, 0.0)


def test_evictions_need_a_second_look() -> None:
    assert first_look(healthy()).idle["evicted"] == "evicted needs a second poll"


def test_evictions_are_counted_within_the_window() -> None:
    watch = Watch(healthy())
    watch.look(0)
    watch.cluster.server = a_server(evicted_keys=7)
    counts = [cell(watch.look(window_s=60.0)["broker"], "", "evicted") for _ in range(9)]
    assert (counts[0], counts[-1]) == (7.0, 0.0)


def test_evictions_over_a_restart_are_those_of_the_new_process() -> None:
    watch = Watch(healthy())
    watch.cluster.server = a_server(evicted_keys=100)
    watch.look(0)
    watch.cluster.server = a_server(evicted_keys=2, run_id="run-2", uptime_s=3.0)
    assert cell(watch.look()["broker"], "", "evicted") == 2.0


def test_unacked_messages_and_the_age_of_the_oldest_are_shown() -> None:
    cluster = healthy()
    cluster.hashes["unacked"] = 3
    cluster.scores["unacked_index"] = NOW - 1800
    reading = first_look(cluster)
    assert [cell(reading, "", c) for c in ("unacked", "unacked_oldest_s", "unacked_ratio")] == [3.0, 1800.0, 0.5]


def test_the_visibility_timeout_comes_from_the_conf() -> None:
    cluster = healthy()
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=a_conf(visibility_timeout_s=7200.0))
    cluster.scores["unacked_index"] = NOW - 1800
    assert cell(first_look(cluster), "", "unacked_ratio") == 0.25


def test_the_visibility_timeout_is_remembered_when_no_worker_is_left() -> None:
    cluster = healthy()
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=a_conf(visibility_timeout_s=7200.0))
    watch = Watch(cluster, a_target(forget_after_s=60.0))
    watch.look(0)
    cluster.restarts_flower()
    cluster.answering.clear()
    for _ in range(20):
        reading = watch.look()["broker"]
    cluster.scores["unacked_index"] = cluster.now - 1790
    reading = watch.look()["broker"]
    assert cell(reading, "", "unacked_ratio") == 0.25


@pytest.mark.parametrize(("age_s", "in_s"), [(1800.0, 1800.0), (3600.0, 0.0), (9000.0, 0.0)])
def test_it_is_known_when_the_oldest_unacked_message_is_delivered_again(age_s: float, in_s: float) -> None:
    cluster = healthy()
    cluster.scores["unacked_index"] = NOW - age_s
    assert cell(first_look(cluster), "", "redelivered_in_s") == in_s


def busy(cluster: Cluster, name: str) -> None:
    cluster.beats[name] = replace(cluster.beats[name], active=1)


def test_those_who_are_busy_may_hold_what_is_unacked() -> None:
    cluster = healthy()
    busy(cluster, "celery@gpu-1")
    assert cell(first_look(cluster), "", "unacked_holders") == "celery@gpu-1"


def test_those_who_went_while_they_were_busy_come_first() -> None:
    cluster = healthy()
    for name in ("celery@gpu-1", "celery@web-1"):
        busy(cluster, name)
    watch = Watch(cluster)
    watch.look(0)
    cluster.dies("celery@web-1")
    readings = [watch.look() for _ in range(4)]
    assert cell(readings[-1]["broker"], "", "unacked_holders") == "celery@web-1,celery@gpu-1"


def test_many_holders_are_counted() -> None:
    cluster = healthy(*(f"celery@web-{n}" for n in range(8)))
    for name in cluster.beats:
        busy(cluster, name)
    assert str(cell(first_look(cluster), "", "unacked_holders")).endswith("celery@web-4,3 more")


@pytest.mark.parametrize("configured", [True, False])
def test_unacked_keys_carry_the_prefix(configured: bool) -> None:
    cluster = healthy()
    cluster.hashes = {"prod:unacked": 4}
    if not configured:
        for name, seen in cluster.cache.items():
            cluster.cache[name] = replace(seen, conf=a_conf(key_prefix="prod:"))
    assert cell(first_look(cluster, key_prefix="prod:" if configured else None), "", "unacked") == 4.0


def test_unacked_keys_carry_a_prefix_found_from_bindings_in_the_same_look() -> None:
    members = {"prod:_kombu.binding.a": frozenset({"a\x06\x16\x06\x16a"})}  # Redis keeps no set without any
    cluster = Cluster(hashes={"prod:unacked": 4}, scans={0: KeysFound(0, tuple(members))}, sets=members)
    assert cell(first_look(cluster, sources=frozenset({"redis"})), "", "unacked") == 4.0


@pytest.mark.parametrize(
    ("query", "columns"), [(HashSize, ["unacked"]), (LowestScore, ["redelivered_in_s", "unacked_oldest_s", "unacked_ratio"])]
)
def test_an_unacked_key_that_cannot_be_read_is_a_gap_of_its_columns(query: type, columns: list[str]) -> None:
    cluster = healthy()
    cluster.gaps[query] = "redis: WRONGTYPE"
    reading = first_look(cluster)
    assert sorted(reading.rows[0].gaps) == sorted(columns)


def test_without_redis_every_column_is_idle() -> None:
    reading = first_look(healthy(), sources=frozenset({"flower"}))
    assert (reading.rows, reading.idle["clients"]) == ((), "needs Redis or RabbitMQ, and this target has neither")


def test_ping_is_asked_first() -> None:
    watch = Watch(healthy())
    watch.look(0)
    assert watch.cluster.asked[0] == Ping()


@pytest.mark.parametrize(("keyspace", "db", "lasting"), [({0: (40, 30)}, 0, 10.0), ({0: (40, 30)}, 3, 0.0), ({}, None, 0.0)])
def test_keys_that_never_expire_are_those_of_its_database(keyspace: dict[int, tuple[int, int]], db: int | None, lasting: float) -> None:
    cluster = healthy()
    cluster.server = a_server(keyspace=keyspace)
    assert cell(first_look(cluster, redis_db=db), "", "lasting_keys") == lasting


def test_an_info_without_a_keyspace_is_a_gap() -> None:
    cluster = healthy()
    cluster.server = a_server(keyspace=None)
    assert gap(first_look(cluster), "", "lasting_keys") == "redis: INFO does not say"


def test_the_visibility_timeout_in_force_is_shown() -> None:
    assert cell(first_look(healthy(), visibility_timeout_s=7200.0), "", "visibility_timeout_s") == 7200.0
