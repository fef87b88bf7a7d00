"""Answers of a real Flower 2.2.0 (Celery 5.7.0), recorded from a cluster of three workers, decode to exactly what they said."""

import json
from pathlib import Path

import pytest

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import EventCounters, WorkerBeat, WorkerConf, WorkerInspection
from watchdog.core.model.servers.worker_replies import WorkerSettings
from watchdog.sources.flower.answers import worker_beats, worker_status
from watchdog.sources.flower.inspections import inspections
from watchdog.sources.flower.metrics import event_counters

RECORDED = Path(__file__).parent.parent / "answers" / "flower22"


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def test_status_is_worker_to_whether_it_is_online() -> None:
    assert worker_status(recorded("status.json")) == {"one@shop": True, "three@shop": True, "two@shop": True}


def test_heartbeats_hold_what_the_events_said() -> None:
    beats = worker_beats(recorded("heartbeats.json"))
    assert isinstance(beats, dict)
    assert beats["two@shop"] == WorkerBeat(
        name="two@shop",
        online=True,
        heartbeats=(1795380597.2418015, 1795380599.2440834, 1795380601.2455013, 1795380603.246943),
        freq_s=2.0,
        active=0,
        processed=4,
        load=(0.04, 0.03, 0.01),
        pid=5780,
        version="5.7.0",
        hellos=0,
        goodbyes=0,
        pulses=28,
        system="Linux",
    )


def test_an_inspection_holds_stats_queues_and_conf() -> None:
    found = inspections(recorded("inspect_one.json"))
    assert found == {
        "one@shop": WorkerInspection(
            name="one@shop",
            at=1795380603.9961998,
            queues=("indexing", "payments"),
            pool="prefork",
            pool_size=2,
            pid=5778,
            uptime_s=57.0,
            prefetch=8,
            reserved=0,
            processed=4,
            conf=WorkerConf(
                queues=("indexing", "payments"),
                default_queue="indexing",
                routed_queues=("payments", "mails"),
                key_prefix="prod:",
                priority_steps=(0, 3, 6, 9),
                separator="\x06\x16",
                visibility_timeout_s=43200.0,
                result_backend="redis://***@127.0.0.1:26379/1",
                results_db=1,
                transport="redis",
                broker_db=0,
                broker_vhost="0",
                settings=WorkerSettings(),
            ),
            active=(),
            cpu_s=1.11354,
            max_rss=59044,
        )
    }


def test_pools_have_the_names_that_users_give_them() -> None:
    found = inspections(recorded("workers.json"))
    assert isinstance(found, dict)
    pools = {name: (entry.pool, entry.pool_size) for name, entry in found.items()}
    assert pools == {"one@shop": ("prefork", 2), "two@shop": ("solo", 1), "three@shop": ("threads", 4)}


def test_a_worker_without_declared_queues_has_none_declared() -> None:
    found = inspections(recorded("workers.json"))
    assert isinstance(found, dict)
    conf = found["two@shop"].conf
    assert conf is not None
    assert conf.queues == ()


def test_the_key_prefix_is_not_the_stars_that_conf_shows() -> None:
    body = b'{"w": {"timestamp": 1, "stats": {}, "conf": {"broker_transport_options": {"global_keyprefix": "********"}}}}'
    found = inspections(body)
    assert isinstance(found, dict)
    assert found["w"].conf == WorkerConf(settings=WorkerSettings())


def test_counters_are_per_worker_task_and_step_with_escapes_undone() -> None:
    counters = event_counters(recorded("metrics.txt"))
    assert isinstance(counters, EventCounters)
    assert counters.started_at == 1795380545.51
    assert len(list(counters.each())) == 15
    assert counters.counts["two@shop"]['shop.say"it"\\now']["received"] == 3.0
    assert counters.counts["two@shop"]["shop.fail"]["failed"] == 1.0


def metrics(*lines: str) -> bytes:
    head = ["# HELP flower_events_total Number of events", "# TYPE flower_events_total counter"]
    return "\n".join([*head, *lines, "# HELP next n", "# TYPE next gauge", "next 1", ""]).encode()


def counts(*lines: str) -> object:
    counters = event_counters(metrics(*lines))
    return counters if isinstance(counters, Gap) else {(worker, task, event): count for worker, task, event, count in counters.each()}


def test_a_flower_that_has_just_started_has_counted_nothing() -> None:
    assert counts() == {}


@pytest.mark.parametrize(
    ("written", "means"), [(r"a\"b", 'a"b'), (r"a\\b", "a\\b"), (r"a\nb", "a\nb"), (r"a\\nb", "a\\nb"), ("a}b", "a}b")]
)
def test_escaped_labels_are_read(written: str, means: str) -> None:
    assert counts(f'flower_events_total{{worker="w",task="{written}",type="task-failed"}} 2') == {("w", means, "failed"): 2.0}


@pytest.mark.parametrize("kind", ["task-sent", "task-progress", "worker-heartbeat"])
def test_events_that_are_no_step_of_a_task_are_left_out(kind: str) -> None:
    assert counts(f'flower_events_total{{task="t",type="{kind}",worker="w"}} 7.0') == {}


@pytest.mark.parametrize("line", ["garbage", 'flower_events_total{task="t"} 1', 'flower_events_total{task="t",type="x",worker="w"} many'])
def test_a_line_that_is_not_understood_is_a_gap_not_a_missing_count(line: str) -> None:
    assert isinstance(counts(line), Gap)


def test_metrics_that_break_off_are_a_gap() -> None:
    assert isinstance(event_counters(metrics()[:-1]), Gap)


def test_a_worker_that_answered_only_some_of_the_inspect_is_still_read() -> None:
    found = inspections(b'{"w": {"timestamp": 12.5, "active_queues": [{"name": "a"}], "stats": {"pool": "odd", "total": [1]}, "conf": 3}}')
    assert found == {
        "w": WorkerInspection(
            name="w",
            at=12.5,
            queues=("a",),
            pool=None,
            pool_size=None,
            pid=None,
            uptime_s=None,
            prefetch=None,
            reserved=None,
            processed=None,
            conf=None,
        )
    }


def test_a_beat_with_odd_fields_keeps_the_others() -> None:
    beats = worker_beats(b'{"data": [{"hostname": "w", "status": false, "heartbeats": null, "active": "many", "pid": 3, "loadavg": [1]}]}')
    assert isinstance(beats, dict)
    assert beats["w"] == WorkerBeat(
        "w",
        online=False,
        heartbeats=(),
        freq_s=None,
        active=None,
        processed=None,
        load=None,
        pid=3,
        version=None,
        hellos=0,
        goodbyes=0,
        pulses=0,
    )


def test_a_beat_that_does_not_say_whether_it_is_online_is_a_gap_not_offline() -> None:
    assert isinstance(worker_beats(b'{"data": [{"hostname": "w"}]}'), Gap)


def test_the_password_of_the_result_backend_is_masked_however_it_is_written() -> None:
    body = rb'{"w": {"timestamp": 1, "conf": {"result_backend": "redis://u:hun/ter@2@h:1/0"}}}'
    found = inspections(body)
    assert isinstance(found, dict)
    conf = found["w"].conf
    assert conf is not None
    assert conf.result_backend == "redis://***@h:1/0"


@pytest.mark.parametrize(
    ("registered", "limited"),
    [
        (["shop.report [rate_limit=6/h]", "shop.pay"], ("shop.report, 6/h",)),
        (["b [routing_key=x rate_limit=2/m]", "a [exchange=e rate_limit=10/s routing_key=k]"], ("a, 10/s", "b, 2/m")),
        (["send the mails [rate_limit=6/h]", "a [b] c [rate_limit=1/s]"], ("a [b] c, 1/s", "send the mails, 6/h")),
        (["shop.report [rate_limit=None]", "shop.pay [rate_limit=0]"], ()),
        ([3, None, "shop.report [rate_limit=]", "[rate_limit=6/h]"], ()),
        ("shop.report [rate_limit=6/h]", ()),
    ],
)
def test_tasks_with_a_rate_limit_are_read_from_what_a_worker_registers(registered: object, limited: tuple[str, ...]) -> None:
    found = inspections(json.dumps({"w": {"timestamp": 12.5, "registered": registered}}).encode())
    assert not isinstance(found, Gap)
    assert found["w"].rate_limited == limited


@pytest.mark.parametrize(("said", "limit"), [(5, 5), (None, None), ("many", None), (True, None)])
def test_the_limit_on_eta_tasks_is_read_from_a_workers_conf(said: object, limit: int | None) -> None:
    found = inspections(json.dumps({"w": {"timestamp": 12.5, "conf": {"worker_eta_task_limit": said}}}).encode())
    assert not isinstance(found, Gap)
    assert found["w"].conf is not None
    assert found["w"].conf.eta_task_limit == limit
