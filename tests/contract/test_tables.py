import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_conf, a_failure, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, a_look, a_self_seen, table_memory
from watchdog.core.judging.idleness import as_configured
from watchdog.core.model.queries import Inspected, InspectOne, Ping, Query, ReadEventCounters, ReadServer, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.replies import MessageHead, Replies, TaskMetaSeen
from watchdog.core.model.rows import Kind, Reading, Row, Table
from watchdog.core.model.self_seen import ReceiverSeen, RuleSeen, SilenceSeen
from watchdog.core.model.target import SELF
from watchdog.core.sql.conditions import MEANT_BY_SQL, ConditionError, check_condition, check_select
from watchdog.sources import SOURCES
from watchdog.tables import TABLES

DESIGN = {
    "workers": "name kind host state silent_s uptime_s active pool_size saturated processed processed_per_min reserved "
    "prefetch_count scheduled hoarded load1 load5 load15 "
    "cpu_ratio rss_max_bytes clock_drift_s pid restarts crashes duplicate replaced peers peers_before abandoned unserved served version "
    "queues returns",
    "queues": "name length unacked active priorities consumers oldest_s wait_avg_s growth_per_min arrived_per_min finished_per_min "
    "drain_s declared idle_with_backlog_s unserved last_consumer host kind last_consumer_state waits_for similar "
    "head_s stuck_s head_usual_s head_task head_origin saturated pressure bound off_steps",
    "tasks": "name received started succeeded failed retried revoked rejected expired expired_in_a_row expired_row_s "
    "expired_row_usual redelivered most_redelivered finished error_rate failure_odds over_odds suspect_runs suspect_failed "
    "error_rate_low error_rate_high failed_in_a_row has_succeeded usual_error_rate exception example "
    "retry_rate per_min runtime_avg runtime_p50 runtime_p95 runtime_p99 wait_p95 last_success_s last_seen_s",
    "errors": "task exception category queue count share duration_avg_s example fresh usual_count has_past run_share last_s novelty "
    "known_s error_rate_low",
    "running": "id name worker worker_state worker_active also_on queue running_s progress step meta progress_still_s peak_memory "
    "arguments",
    "schedulers": "name tasks entries not_understood example shortest_s silent_s missed sent_twice twice locked renewed_s lock_key",
    "rhythms": "task usual_s silent_s missed registered",
    "schedules": "task origin entries every_s grace_s last_success_s overdue_s registered sends",
    "objectives": "name what objective max_wait_s over_s watched_s runs missed share budget_left burn_5m burn_30m burn_1h burn_6h "
    "missed_1h missed_6h gone_in_s",
    "usual": "what name per_min usual_per_min least_per_min days length runs runtime_p95 usual_runs usual_runtime_p95",
    "broker": "latency_ms used_memory max_memory memory_ratio evicted eviction_policy clients client_ratio blocked_clients role "
    "replica_link_up last_save_ok unacked unacked_oldest_s lost_messages flushed unacked_ratio redelivered_in_s unacked_holders "
    "visibility_timeout_s lasting_keys alarms disk_free disk_limit nodes_down partitions scheduled unsaved_s clock_ahead_s",
    "sources": "name up error latency_ms stale_s version restarted_s hears tasks_heard_s per_s core_share core_allowed",
    "cluster": "workers_online workers_lost workers_left workers_unknown workers_known host workers_expected capacity active utilization "
    "backlog unacked per_min error_rate finished versions pressure",
    "blind": "cause reason rules hidden blind_s",
    "groups": "pattern online lost left unknown host kind minimum",
    "hosts": "host online lost workers all_workers mostly_lost unserved",
    "kinds": "kind online lost workers mostly_lost unserved deaths died_again life_s last_died",
    "flower": "before_2 reach_s",
    "conf": "worker pool transport acks_late acks_on_failure reject_on_worker_lost time_limit_s soft_time_limit_s "
    "visibility_timeout_s results result_expires_s prefetch_multiplier eta_limit max_tasks_per_child max_memory_per_child_bytes "
    "pool_restarts cancel_on_loss send_sent_event track_started",
    "receivers": "name pending oldest_s dead off last_ok_s",
    "rules": "name failed error took_ms trial",
    "silences": "id active matchers version hides remaining_s until comment author",
    "self": "cycle_s late_cycles config_rejected config_error database_bytes heartbeat_error engine_error engine_workers "
    "late_lately late_share",
}
BOUNDS = {"oldest_s"}
"""Columns whose value may be a lower bound, with the reason beside it."""
KEYS = {
    "errors": ("task", "exception"),
    "running": ("id",),
    "schedules": ("task",),
    "rhythms": ("task",),
    "blind": ("cause",),
    "silences": ("id",),
    "usual": ("what", "name"),
    "groups": ("pattern",),
    "hosts": ("host",),
    "kinds": ("kind",),
    "conf": ("worker",),
    "broker": (),
    "cluster": (),
    "flower": (),
    "self": (),
}
CLUSTERS = [name for name, table in TABLES.items() if not table.own]
OWN = [name for name, table in TABLES.items() if table.own]

AS_KEPT = {
    "sources": {"name", "up", "error", "stale_s", "version", "hears", "tasks_heard_s", "per_s", "core_share", "core_allowed"},
    "queues": {"name", "declared"},
    "workers": {"name", "kind", "host"},
    "groups": {"pattern", "minimum"},
    "hosts": {"host"},
    "kinds": {"kind"},
    "cluster": {"workers_expected"},
    "tasks": {"name"},
    "running": {"id", "name", "worker"},
    "usual": {"what", "name"},
    "errors": {"task", "exception", "category"},
    "broker": set(),
    "flower": set(),
}
"""What a table knows of itself, by configuration or by name, while no source answers."""


def busy() -> Cluster:
    """A cluster of which every table has something to show: a backlog, tasks, one worker each lost, left, new, solo."""
    cluster = healthy()
    cluster.add("celery@web-2", queues=("indexing", "training"))
    cluster.add("celery@lost-1")
    cluster.add("other@lost-1")
    cluster.add("celery@left-1")
    cluster.add("celery@new-1")
    del cluster.cache["celery@new-1"]
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=a_conf(queues=("indexing", "declared")))
    cluster.dies("celery@lost-1")
    cluster.leaves("celery@left-1")
    cluster.lists |= {"indexing": 7, "ghost": 2, "ghost\x06\x163": 1}
    cluster.heads |= {"indexing": MessageHead("a", NOW - 60), "ghost": MessageHead("b", None)}
    cluster.sets["_kombu.binding.ghost"] = frozenset({"ghost\x06\x16\x06\x16ghost"})
    cluster.hashes["unacked"] = 2
    cluster.scores["unacked_index"] = NOW - 100
    cluster.counts = {("celery@web-1", "shop.pay", "succeeded"): 10.0, ("celery@web-1", "shop.pay", "failed"): 1.0}
    done = a_task("s1", "SUCCESS", succeeded=NOW - 20, runtime=3.0)
    cluster.tasks = [a_task("r1"), a_task("r2", worker="celery@lost-1", name=None, routing_key=None), a_failure("f1"), done]
    cluster.metas["r1"] = TaskMetaSeen("PROGRESS", 0.4, "half", '{"progress":0.4}')
    return cluster


def later(cluster: Cluster) -> None:
    """Between two looks: tasks are done, messages are taken."""
    for key in cluster.counts:
        cluster.counts[key] += 3.0
    cluster.lists["indexing"] = max(cluster.lists["indexing"] - 1, 1)
    beat = cluster.beats["celery@web-1"]
    cluster.beats["celery@web-1"] = replace(beat, processed=(beat.processed or 0) + 3, active=2)


def watched(looks: int) -> Watch:
    watch = Watch(busy(), a_target(min_workers=2, min_workers_by_name={"celery@web-*": 2}, expected_workers=("celery@backup-1",)))
    for number in range(looks):
        watch.look(10 if number else 0)
        later(watch.cluster)
    return watch


def own_readings() -> dict[str, Reading]:
    seen = a_self_seen(
        receivers=(ReceiverSeen("ops"), ReceiverSeen("dev", 2, NOW - 60, 1, last_ok_at=NOW - 90)),
        rules=(RuleSeen("A"), RuleSeen("B", "stopped", 3.0)),
        config_error="no",
        silences=(
            SilenceSeen("01S", active=True, matchers='rule="WorkerLost"', starts_at=NOW - 60, ends_at=NOW + 60, hides=2),
            SilenceSeen(
                "01T", active=False, matchers="deploy v512 of prod*", starts_at=NOW - 90, ends_at=NOW - 30, author="ann", version="v512"
            ),
        ),
    )
    return {name: TABLES[name].read(replace(a_look(), target=a_target(name=SELF), self_seen=seen)) for name in OWN}


def every_question() -> list[Query]:
    watch = watched(1)
    asked = dict.fromkeys(watch.cluster.asked)
    watch.look()
    return list({**asked, **dict.fromkeys(watch.cluster.asked)})


QUESTIONS = every_question()


def rows_of(readings: dict[str, Reading]) -> Iterator[tuple[Table, Reading, Row]]:
    for name, reading in readings.items():
        for row in reading.rows:
            yield TABLES[name], reading, row


def assert_lawful(readings: dict[str, Reading]) -> None:
    """What holds of every reading whatever was answered."""
    for table, reading, row in rows_of(readings):
        where = f"{table.name} {row.cells}"
        columns = {c.name: c for c in table.columns}
        later_ones = {c.name for c in table.columns if c.later}
        assert set(row.cells) == columns.keys() - reading.idle.keys(), where
        assert later_ones <= reading.idle.keys(), where
        empty = {name for name, cell in row.cells.items() if cell is None}
        assert empty <= set(row.gaps) <= empty | BOUNDS, where
        assert all(row.gaps.values()), where
        for name, cell in row.cells.items():
            assert cell is None or _fits(columns[name].kind, cell), f"{where}: {name} = {cell!r}"
            assert not columns[name].allowed or cell is None or cell in columns[name].allowed, f"{where}: {name} = {cell!r}"
        assert all(row.cells[name] is not None for name in table.key), where
    for name, reading in readings.items():
        keys = [row.key(TABLES[name].key) for row in reading.rows]
        assert len(keys) == len(set(keys)), name
        assert set(reading.idle) <= {c.name for c in TABLES[name].columns}, name
        assert all(reading.idle.values()), name
        assert reading.unread != ""
        assert reading.partial != ""


def _fits(kind: Kind, cell: object) -> bool:
    if kind is Kind.NUMBER:
        return isinstance(cell, float) and not math.isnan(cell)
    return isinstance(cell, bool if kind is Kind.BOOLEAN else str)


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_design() -> None:
    assert set(TABLES) == set(DESIGN)


@pytest.mark.parametrize("name", DESIGN)
def test_a_table_has_the_columns_of_the_design_in_its_order(name: str) -> None:
    assert [c.name for c in TABLES[name].columns] == DESIGN[name].split()


@pytest.mark.parametrize("name", DESIGN)
def test_a_table_has_the_key_of_the_design(name: str) -> None:
    assert TABLES[name].key == KEYS.get(name, ("name",))


@pytest.mark.parametrize("name", DESIGN)
def test_every_column_says_what_it_means(name: str) -> None:
    assert [c.name for c in TABLES[name].columns if not c.meaning] == []


@pytest.mark.parametrize("name", DESIGN)
def test_sql_takes_every_column_for_the_column_that_it_is(name: str) -> None:
    assert [column.name for column in TABLES[name].columns if not _named_in_sql(TABLES[name], column.name)] == []


@pytest.mark.parametrize("word", ["exists", "group", "true", "current_time", "case", "in", "select"])
def test_a_column_that_is_called_like_a_word_of_sql_would_be_found(word: str) -> None:
    table = TABLES["queues"]
    named = replace(table, columns=(*table.columns, replace(table.columns[-1], name=word)))
    assert not _named_in_sql(named, word)


def _named_in_sql(table: Table, column: str) -> bool:
    """Whether a rule, and a query beside other columns, reads just this column when it writes its name."""
    if column.lower() in MEANT_BY_SQL:
        return False
    try:
        alone = check_condition({table.name: table}, table.name, f"{column} IS NOT NULL", {})
        shape = check_select({table.name: table}, f"SELECT {column} AS it FROM {table.name} WHERE NOT {column} IS NULL")
    except ConditionError:
        return False
    return alone == {column} and shape.reads == {table.name: {column}}


@pytest.mark.parametrize("name", DESIGN)
def test_a_neutral_value_is_of_the_columns_kind(name: str) -> None:
    assert [c.name for c in TABLES[name].columns if c.neutral is not None and not _fits(c.kind, c.neutral)] == []


@pytest.mark.parametrize("name", DESIGN)
def test_a_table_is_read_after_those_it_needs(name: str) -> None:
    order = list(TABLES)
    assert all(order.index(needed) < order.index(name) for needed in TABLES[name].needs)


@pytest.mark.parametrize("name", DESIGN)
def test_an_empty_memory_can_be_written_and_read(name: str) -> None:
    assert table_memory(name, TABLES[name].memory()) == TABLES[name].memory()


# --- what a look reads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_every_row_holds_exactly_what_is_not_idle_and_says_why_a_cell_is_missing(looks: int) -> None:
    watch = watched(looks - 1)
    assert_lawful(dict(watch.look(10)))


def test_watchdogs_own_tables_are_lawful_too() -> None:
    assert_lawful(own_readings())


def test_watchdogs_own_tables_have_no_gaps() -> None:
    assert [row.gaps for _, _, row in rows_of(own_readings()) if row.gaps] == []


def test_a_busy_cluster_fills_every_table_that_its_sources_can_fill() -> None:
    readings = watched(3).look()
    assert {n for n in CLUSTERS if readings[n].rows} == set(CLUSTERS) - {"schedulers", "schedules", "rhythms", "objectives", "blind"}


@pytest.mark.parametrize(
    "sources",
    [frozenset({"flower"}), frozenset({"redis"}), frozenset({"flower", "results"}), frozenset(SOURCES), frozenset({"redis", "events"})],
)
def test_with_whatever_sources_there_are_every_table_is_lawful(sources: frozenset[str]) -> None:
    watch = Watch(busy(), a_target(sources=sources))
    for _ in range(3):
        assert_lawful(dict(watch.look(10)))


@pytest.mark.parametrize(
    "sources",
    [
        frozenset({"flower"}),
        frozenset({"redis"}),
        frozenset({"flower", "results"}),
        frozenset({"flower", "redis"}),
        frozenset({"redis", "events"}),
    ],
)
def test_no_look_fills_what_its_configuration_is_said_never_to_fill(sources: frozenset[str]) -> None:
    target = a_target(sources=sources)
    watch = Watch(busy(), target)
    configured = as_configured(TABLES, target)
    for _ in range(3):
        for name, reading in watch.look(10).items():
            filled = {column for row in reading.rows for column in (*row.cells, *row.gaps)}
            assert filled.isdisjoint(configured[name].idle), name


def test_a_cluster_that_is_empty_is_lawful() -> None:
    watch = Watch(Cluster())
    for _ in range(3):
        assert_lawful(dict(watch.look(10)))


@pytest.mark.parametrize("window_s", [1.0, 60.0, 3600.0])
def test_every_window_is_lawful(window_s: float) -> None:
    watch = watched(3)
    assert_lawful(dict(watch.look(window_s=window_s)))


# --- gaps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [0, 3])
@pytest.mark.parametrize("query", QUESTIONS, ids=str)
def test_one_question_without_an_answer_is_lawful(query: Query, looks: int) -> None:
    watch = watched(looks)
    watch.cluster.gaps[query] = "no answer"
    assert_lawful(dict(watch.look(10)))
    assert_lawful(dict(watch.look(10)))


@pytest.mark.parametrize("looks", [0, 3])
@pytest.mark.parametrize("kind", sorted({type(q).__name__ for q in QUESTIONS}))
def test_one_kind_of_question_without_an_answer_invents_nothing(kind: str, looks: int) -> None:
    """A cell is what it is with all answers, or a gap; never a value that only the gap made."""
    blind, seeing = watched(looks), watched(looks)
    blind.cluster.gaps |= {type(query): "no answer" for query in QUESTIONS if type(query).__name__ == kind}
    after, truth = _cells(dict(blind.look(10))), _cells(dict(seeing.look(10)))
    invented = {
        place: (cell, truth.get(place))
        for place, cell in after.items()
        if cell is not None and cell != truth.get(place, cell) and not _may_differ(*place)
    }
    assert invented == {}


def _cells(readings: dict[str, Reading]) -> dict[tuple[str, str, str], object]:
    return {
        (table.name, "/".join(row.key(table.key)), column): cell
        for table, _, row in rows_of(readings)
        for column, cell in row.cells.items()
    }


def _may_differ(table: str, _key: str, column: str) -> bool:
    """What a gap itself changes: what `sources` says of it, how many states are unknown, the age of an inspection not renewed."""
    return table == "sources" or column in ("uptime_s", "unknown", "workers_unknown")


@pytest.mark.parametrize("looks", [0, 3])
@pytest.mark.parametrize("source", ["flower", "redis"])
def test_a_source_that_does_not_answer_leaves_only_gaps_in_what_it_fills(source: str, looks: int) -> None:
    watch = watched(looks)
    watch.cluster.gaps[source] = "no answer"
    readings = dict(watch.look(10))
    assert_lawful(readings)
    for name in {"flower": ["workers", "groups", "tasks", "running", "errors"], "redis": ["queues", "broker"]}[source]:
        for row in readings[name].rows:
            assert set(row.cells) - set(row.gaps) <= AS_KEPT[name], name


@pytest.mark.parametrize("looks", [0, 3])
def test_with_no_answer_at_all_nothing_is_known_but_that(looks: int) -> None:
    watch = watched(looks)
    watch.cluster.gaps |= {"flower": "no answer", "redis": "no answer"}
    readings = dict(watch.look(10))
    assert_lawful(readings)
    for table, _, row in rows_of(readings):
        assert set(row.cells) - set(row.gaps) - {"latency_ms"} <= AS_KEPT[table.name], table.name


def test_with_no_answer_at_all_for_an_hour_nothing_known_is_let_go() -> None:
    watch = watched(3)
    known = [len(watch.look()["workers"].rows), len(watch.at_once()["queues"].rows)]
    watch.cluster.gaps |= {"flower": "no answer", "redis": "no answer"}
    for _ in range(400):
        readings = watch.look()
    assert [len(readings["workers"].rows), len(readings["queues"].rows)] == known


@pytest.mark.parametrize("query", [WorkerStatus, WorkerHeartbeats, Inspected, InspectOne, ReadEventCounters, Ping, ReadServer])
def test_a_gap_that_comes_and_goes_is_lawful_all_the_way(query: type[Query]) -> None:
    watch = watched(2)
    for number in range(12):
        watch.cluster.gaps = {query: "no answer"} if number % 3 else {}
        assert_lawful(dict(watch.look(10)))


def test_nothing_asked_at_all_is_read_without_an_error() -> None:
    seen = read_tables(TABLES, a_target(), Past(), watched(0)._ask(NOW).__class__(), NOW)
    assert_lawful(dict(seen.windows[300.0]))


# --- memory -----------------------------------------------------------------------------------------------------------


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _numbers(inner)


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_memory_of_several_looks_comes_back_from_the_store_as_it_was(name: str) -> None:
    memory = watched(4).past.memories.get(name)
    kind = type(TABLES[name].memory())
    assert memory is None or msgspec.json.decode(msgspec.json.encode(memory), type=kind) == memory


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_memory_holds_neither_infinity_nor_nan(name: str) -> None:
    memory = watched(4).past.memories.get(name)
    assert all(math.isfinite(number) for number in _numbers(msgspec.to_builtins(memory)))


def test_samples_hold_neither_infinity_nor_nan() -> None:
    samples = watched(4).past.samples
    assert all(math.isfinite(n) for seen in samples.values() for s in seen for n in _numbers(list(s.values.values())))


def test_a_daemon_that_restarts_between_two_looks_reads_what_one_that_did_not_reads() -> None:
    through_the_store, straight = watched(4), watched(4)
    memories = {n: table_memory(n, m) for n, m in through_the_store.past.memories.items()}
    through_the_store.past = replace(through_the_store.past, memories=memories)
    assert _cells(dict(through_the_store.look())) == _cells(dict(straight.look()))


def test_a_conclusion_looks_at_no_other_queries_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    once, drawn = Replies.once, set[str]()

    def verified(replies: Replies, conclude: Any, *arguments: Any, of: frozenset[type[Query]] | None = None) -> object:
        found = once(replies, conclude, *arguments, of=of)
        if of is not None:
            only = Replies({query: answer for query, answer in replies.answers.items() if type(query) in of})
            again = conclude(only, *arguments)
            assert getattr(again, "__dict__", again) == getattr(found, "__dict__", found), conclude
            drawn.add(conclude.__name__)
        return found

    monkeypatch.setattr(Replies, "once", verified)
    watch = watched(2)
    watch.cluster.dies("celery@web-1")
    watch.look()
    watch.look()
    assert drawn >= {"_inspections", "_heard_of", "_beats_of", "_own_events", "_held", "_queue_keys", "after", "_Due", "_lists"}
