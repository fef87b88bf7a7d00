import re
from collections.abc import Mapping
from math import inf
from time import perf_counter

import pytest
from msgspec.structs import replace

from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.judging.texts import plain, resolved_text, texts_of
from watchdog.core.model.rows import Cell, Column, Kind, Reading, Row
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule
from watchdog.tables import TABLES

FILES = shipped_rule_files()
RULES, FAULTS, WARNINGS = read_once(FILES, TABLES)
PACK: Mapping[str, Rule] = {rule.name: replace(rule, enabled=True) for rule in RULES}
ON_ROWS = [name for name, rule in PACK.items() if rule.table]
"""All but those with a query of their own, which test_shipped_queries.py judges."""

HEALTHY: Mapping[str, Mapping[str, Cell]] = {
    "sources": {"name": "redis", "up": True},
    "cluster": {"workers_online": 3.0, "backlog": 60.0, "workers_expected": 2.0},
    "groups": {"pattern": "*", "online": 3.0, "minimum": 3.0},
    "hosts": {"host": "node2", "online": 4.0, "lost": 1.0, "workers": 5.0, "all_workers": 8.0},
    "kinds": {
        "kind": "celery@web-*",
        "online": 2.0,
        "workers": 2.0,
        "deaths": 1.0,
        "life_s": 300.0,
        "last_died": "celery@web-7d9f8b6c5d-bcdfg",
    },
    "workers": {"name": "celery@web-1", "host": "web-1", "state": "online"},
    "queues": {"name": "indexing", "length": 40.0, "consumers": 2.0, "drain_s": inf, "finished_per_min": 30.0},
    "broker": {"eviction_policy": "noeviction", "used_memory": 1e6, "last_save_ok": True, "latency_ms": 1.0},
    "tasks": {"name": "shop.pay", "finished": 1000.0, "failed": 3.0, "error_rate": 0.003, "has_succeeded": True},
    "errors": {
        "task": "shop.pay",
        "exception": "ValueError",
        "category": "other",
        "count": 9.0,
        "fresh": 9.0,
        "has_past": True,
        "run_share": 0.01,
        "share": 0.75,
        "example": "ValueError('no')",
        "novelty": "",
        "known_s": 90000.0,
    },
    "running": {
        "id": "t1",
        "name": "shop.pay",
        "worker": "celery@web-1",
        "worker_state": "online",
        "worker_active": 1.0,
        "running_s": 59.0,
    },
    "rhythms": {"task": "shop.tick", "usual_s": 300.0, "silent_s": 300.0, "missed": 1.0, "registered": True},
    "schedulers": {"name": "beat", "tasks": 3.0, "entries": 4.0, "shortest_s": 60.0, "silent_s": 130.0, "missed": 1.0},
    "schedules": {
        "task": "reports.nightly",
        "origin": "beat",
        "entries": "nightly",
        "every_s": 86400.0,
        "grace_s": 3600.0,
        "last_success_s": 3600.0,
        "overdue_s": 0.0,
        "registered": True,
    },
    "objectives": {
        "name": "indexing",
        "what": "start in time",
        "objective": 0.99,
        "max_wait_s": 300.0,
        "over_s": 2592000.0,
        "watched_s": 864000.0,
        "runs": 10_000.0,
        "missed": 40.0,
        "share": 0.996,
        "budget_left": 0.6,
        "burn_6h": 0.4,
    },
    "usual": {
        "what": "task",
        "name": "shop.pay",
        "per_min": 40.0,
        "usual_per_min": 50.0,
        "least_per_min": 20.0,
        "days": 7.0,
        "runs": 100.0,
        "runtime_p95": 5.0,
        "usual_runs": 5000.0,
        "usual_runtime_p95": 4.0,
    },
    "blind": {"cause": "flower: #", "reason": "flower: 503", "rules": "WorkerLost, ErrorBurst", "hidden": 0.0},
    "receivers": {"name": "ops", "pending": 1.0, "oldest_s": 20.0},
    "rules": {"name": "QueueBacklogHigh", "failed": False},
    "silences": {"id": "01KAQ2M7C0XJ", "active": False, "matchers": 'rule="WorkerLost"', "until": "16:10 UTC", "hides": 3.0},
    "self": {},
}


PROVED: Mapping[str, Cell] = {"failure_odds": 4e6, "exception": "KeyError", "example": "KeyError('x')"}


def row(table: str, cells: Mapping[str, Cell], gaps: Mapping[str, str]) -> Row:
    """A whole row: what is not said has the neutral value of its column."""
    whole = {column.name: _neutral(column) for column in TABLES[table].columns} | dict(HEALTHY[table]) | dict(cells)
    return Row(whole | dict.fromkeys(gaps), gaps)


def _neutral(column: Column) -> Cell:
    empty: Mapping[Kind, Cell] = {Kind.NUMBER: 0.0, Kind.TEXT: "", Kind.BOOLEAN: False}
    return empty[column.kind] if column.neutral is None else column.neutral


def judged(
    name: str, cells: Mapping[str, Cell] | None = None, gaps: Mapping[str, str] | None = None, *, fires: bool = False
) -> Finding | None:
    rule = PACK[name]
    table = rule.table or ""
    whole = row(table, cells or {}, gaps or {})
    evaluator = Evaluator(TABLES, stopwatch=perf_counter)
    evaluator.load({table: Reading((whole,))})
    judgement = evaluator.judge(rule, (), {whole.key(rule.key): True} if fires else {})
    evaluator.close()
    assert judgement.failed is None
    return next(iter(judgement.findings), None)


BREACHES: list[tuple[str, dict[str, Cell], Severity, str]] = [
    ("BrokerUnreachable", {"up": False, "error": "redis: connection refused"}, Severity.CRITICAL,
     "Broker unreachable: redis: connection refused"),
    ("ResultsUnreachable", {"name": "results", "up": False, "error": "results: connection refused"}, Severity.CRITICAL,
     "Results cannot be reached: results: connection refused"),
    ("FlowerUnreachable", {"name": "flower", "up": False, "error": "flower: 401, set FLOWER_UNAUTHENTICATED_API"}, Severity.ERROR,
     "Flower cannot be queried: flower: 401, set FLOWER_UNAUTHENTICATED_API"),
    ("NoWorkersOnline", {"workers_online": 0.0, "backlog": 60.0, "workers_expected": 0.0}, Severity.CRITICAL,
     "No worker is online; messages waiting: 60"),
    ("NoWorkersOnline", {"workers_online": 0.0, "backlog": 0.0, "workers_expected": 2.0}, Severity.CRITICAL, "No worker is online"),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 3.0, "backlog": 60.0}, Severity.CRITICAL,
     "Every worker is lost (3); messages waiting: 60"),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 3.0, "workers_left": 2.0, "backlog": 0.0, "workers_expected": 2.0},
     Severity.CRITICAL, "Every worker is lost (3)"),
    ("WorkersBelowMinimum", {"online": 2.0}, Severity.ERROR, "2 of at least 3 workers online"),
    ("WorkersBelowMinimum", {"pattern": "celery@gpu-*", "online": 0.0}, Severity.CRITICAL,
     "0 of at least 3 workers online of celery@gpu-*"),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 3.0, "host": "node2", "backlog": 60.0}, Severity.CRITICAL,
     "Every worker is lost (3, all on node2); messages waiting: 60"),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 1.0, "host": "node2", "backlog": 60.0}, Severity.CRITICAL,
     "Every worker is lost (1); messages waiting: 60"),
    ("WorkersBelowMinimum", {"online": 1.0, "lost": 3.0, "host": "node2", "kind": "w*@node*"}, Severity.ERROR,
     "1 of at least 3 workers online; lost: 3, on node2"),
    ("WorkersBelowMinimum", {"online": 1.0, "lost": 3.0, "kind": "celery@web-*"}, Severity.ERROR,
     "1 of at least 3 workers online; lost: 3, of celery@web-*"),
    ("HostLost", {"mostly_lost": True, "online": 0.0, "lost": 3.0, "workers": 3.0, "all_workers": 4.0}, Severity.ERROR,
     "3 of 4 workers lost, all on node2"),
    ("HostLost", {"mostly_lost": True, "online": 1.0, "lost": 3.0, "workers": 4.0, "all_workers": 9.0, "unserved": "gpu,train"},
     Severity.ERROR, "3 of 9 workers lost, all on node2; still online there: 1; nobody consumes gpu,train now"),
    ("WorkersLost", {"mostly_lost": True, "online": 1.0, "lost": 3.0, "workers": 4.0}, Severity.ERROR,
     "3 of 4 workers celery@web-* lost"),
    ("WorkersLost", {"mostly_lost": True, "online": 0.0, "lost": 2.0, "workers": 2.0, "unserved": "web"}, Severity.ERROR,
     "2 of 2 workers celery@web-* lost; nobody consumes web now"),
    ("WorkerLost", {"state": "lost", "silent_s": 45.0}, Severity.WARNING, "Worker celery@web-1 was lost 45s ago"),
    ("WorkerLost", {"state": "lost", "silent_s": 45.0, "peers": 2.0, "peers_before": 3.0, "served": "analysis,indexing"}, Severity.WARNING,
     "Worker celery@web-1 was lost 45s ago; 2 of 3 of its kind are left; still consumed: analysis,indexing"),
    ("WorkerLost", {"state": "lost", "silent_s": 45.0, "peers_before": 1.0, "unserved": "gpu", "served": "train"}, Severity.WARNING,
     "Worker celery@web-1 was lost 45s ago; nobody consumes gpu now; still consumed: train"),
    ("WorkerLost", {"state": "lost", "silent_s": 45.0, "unserved": "gpu,train"}, Severity.WARNING,
     "Worker celery@web-1 was lost 45s ago; nobody consumes gpu,train now"),
    ("WorkerEnded", {"state": "left", "silent_s": 200.0, "abandoned": 1.0, "unserved": "gpu"}, Severity.WARNING,
     "Worker celery@web-1 said goodbye 3m20s ago, and a task of it has not ended; nobody consumes gpu now"),
    ("WorkerEnded", {"state": "left", "silent_s": 3700.0, "abandoned": 2.0}, Severity.WARNING,
     "Worker celery@web-1 said goodbye 1h1m ago, and 2 of its tasks have not ended"),
    ("WorkerCrashLoop", {"restarts": 4.0, "crashes": 3.0}, Severity.ERROR,
     "Worker celery@web-1 keeps dying: 4 restarts in 15 minutes, 3 of them without a goodbye"),
    ("WorkerCrashLoop", {"restarts": 6.0}, Severity.ERROR,
     "Worker celery@web-1 keeps dying: 6 restarts in 15 minutes, 0 of them without a goodbye"),
    ("WorkerKindCrashLoop", {"deaths": 3.0, "died_again": 1.0, "life_s": 45.0}, Severity.ERROR,
     "Workers celery@web-* keep dying under new names: 3 in 15 minutes, after 45s on average"),
    ("DuplicateWorkerName", {"duplicate": True}, Severity.WARNING, "Two workers call themselves celery@web-1"),
    ("WorkerHoarding", {"hoarded": 59.0, "active": 1.0}, Severity.WARNING,
     "Worker celery@web-1 holds 59 messages and executes 1, while others on its queues are idle"),
    ("ClockDrift", {"clock_drift_s": 32400.0}, Severity.WARNING, "The clock of celery@web-1 is off by 9h"),
    ("ClockDrift", {"clock_drift_s": -90.0}, Severity.WARNING, "The clock of celery@web-1 is off by -1m30s"),
    ("QueueBacklogHigh", {"length": 60.0}, Severity.WARNING, "indexing holds 60 messages"),
    ("QueueBacklogHigh", {"length": 5000.0, "drain_s": 1200.0}, Severity.WARNING,
     "indexing holds 5,000 messages, gone in 20m at this rate"),
    ("QueueBacklogHigh", {"length": 1001.0}, Severity.CRITICAL, "indexing holds 1,001 messages"),
    ("QueueStuck", {"length": 26.0, "stuck_s": 600.0}, Severity.WARNING, "indexing has not moved for 10m; messages waiting: 26"),
    ("QueueNoConsumers", {"length": 1.0, "unserved": 1.0}, Severity.ERROR, "Nobody consumes indexing; messages waiting: 1"),
    ("QueueNoConsumers", {"length": 60.0, "unserved": 60.0}, Severity.CRITICAL, "Nobody consumes indexing; messages waiting: 60"),
    ("QueueNoConsumers", {"length": 5.0, "unserved": 5.0, "similar": "default"}, Severity.ERROR,
     "Nobody consumes indexing; messages waiting: 5; did you mean default?"),
    ("QueueNoConsumers", {"length": 5.0, "unserved": 5.0, "last_consumer": "celery@gpu-1", "last_consumer_state": "lost"}, Severity.ERROR,
     "Nobody consumes indexing; messages waiting: 5; celery@gpu-1 was lost"),
    ("WorkerIdleWithBacklog", {"idle_with_backlog_s": 300.0}, Severity.CRITICAL,
     "indexing has stood still for 5m; idle workers: 2, messages waiting: 40"),
    ("BrokerMemoryHigh", {"memory_ratio": 0.8, "used_memory": 858993459.2, "max_memory": 1073741824.0}, Severity.WARNING,
     "Redis uses 80% of its memory, 819.2 MiB of 1 GiB"),
    ("BrokerMemoryHigh", {"memory_ratio": 0.95}, Severity.CRITICAL, "Redis uses 95% of its memory, 976.6 KiB of 0 B"),
    ("BrokerMemoryHigh", {"memory_ratio": 0.95, "used_memory": 1020054732.8, "max_memory": 1073741824.0, "eviction_policy": None},
     Severity.CRITICAL, "RabbitMQ uses 95% of its memory, 972.8 MiB of 1 GiB"),
    ("BrokerAlarm", {"alarms": "memory on rabbit@a"}, Severity.CRITICAL,
     "RabbitMQ blocks everybody who publishes: alarm for memory on rabbit@a"),
    ("BrokerPartitioned", {"partitions": "rabbit@a, rabbit@b"}, Severity.CRITICAL,
     "RabbitMQ's nodes have lost sight of each other: rabbit@a, rabbit@b"),
    ("BrokerNodeDown", {"nodes_down": "rabbit@c"}, Severity.ERROR, "Nodes of the RabbitMQ cluster do not run: rabbit@c"),
    ("BrokerEviction", {"evicted": 1200.0, "eviction_policy": "volatile-lru"}, Severity.ERROR,
     "Redis evicts keys to free memory (volatile-lru); evicted: 1,200"),
    ("BrokerEviction", {"evicted": 1.0, "eviction_policy": "allkeys-lru"}, Severity.CRITICAL,
     "Redis evicts keys to free memory (allkeys-lru); evicted: 1"),
    ("BrokerReadOnly", {"role": "slave"}, Severity.CRITICAL, "The broker is a read-only replica"),
    ("BrokerReadOnly", {"role": "slave", "replica_link_up": False}, Severity.CRITICAL,
     "The broker is a read-only replica, and its link to its master is down"),
    ("BrokerLostMessages", {"lost_messages": 190.0}, Severity.ERROR, "Redis restarted, and 190 messages that it held are gone"),
    ("BrokerLostMessages", {"lost_messages": 190.0, "flushed": True}, Severity.ERROR,
     "Redis was flushed, and 190 messages that it held are gone"),
    ("UnackedStale", {"unacked_ratio": 0.9, "unacked_oldest_s": 3240.0, "redelivered_in_s": 360.0}, Severity.WARNING,
     "A message was fetched 54m ago and is not acknowledged; Redis delivers it again in 6m"),
    ("UnackedStale", {"unacked_ratio": 0.9, "unacked_oldest_s": 3240.0, "redelivered_in_s": 360.0, "unacked_holders": "celery@web-1"},
     Severity.WARNING,
     "A message was fetched 54m ago and is not acknowledged (busy, or gone while busy: celery@web-1); Redis delivers it again in 6m"),
    ("UnackedStale", {"unacked_ratio": 1.0, "unacked_oldest_s": 3600.0}, Severity.CRITICAL,
     "A message was fetched 1h ago and is not acknowledged; it is past the visibility timeout and runs again"),
    ("TaskFailureRateHigh", {**PROVED, "suspect_failed": 15.0, "suspect_runs": 100.0, "error_rate_low": 0.11}, Severity.WARNING,
     "shop.pay fails: 15 of its last 100 runs, mostly KeyError"),
    ("TaskFailureRateHigh", {**PROVED, "suspect_failed": 18.0, "suspect_runs": 20.0, "error_rate_low": 0.7}, Severity.CRITICAL,
     "shop.pay fails: 18 of its last 20 runs, mostly KeyError"),
    ("TaskFailureRateHigh", {"failed_in_a_row": 5.0, "suspect_failed": 5.0, "suspect_runs": 5.0, "has_succeeded": False}, Severity.WARNING,
     "shop.pay fails: 5 of its last 5 runs"),
    ("BeatSilent", {"missed": 3.0, "silent_s": 180.0}, Severity.CRITICAL, "beat has sent nothing for 3m: 3 runs of its tasks were due"),
    ("BeatSilent", {"missed": 10.0, "silent_s": 7200.0}, Severity.CRITICAL,
     "beat has sent nothing for 2h: 10 or more runs of its tasks were due"),
    ("TaskNoLongerSent", {"missed": 4.0, "silent_s": 1200.0}, Severity.WARNING,
     "shop.tick came every 5m, and has not for 20m"),
    ("TwoBeats", {"sent_twice": 2.0, "twice": "shop.tick"}, Severity.ERROR, "Two beats send: shop.tick comes twice at each of its times"),
    ("ScheduleUnreadable", {"name": "django", "up": False, "error": "django: refused"}, Severity.ERROR,
     "The schedule of django-celery-beat cannot be read: django: refused"),
    ("ScheduledTaskNotRegistered", {"registered": False}, Severity.ERROR, "reports.nightly is scheduled, but no worker registers it"),
    (
        "ScheduledTaskNotRegistered",
        {"registered": False, "sends": "shop.sum"},
        Severity.ERROR,
        "shop.sum (as reports.nightly) is scheduled, but no worker registers it",
    ),
    ("TaskOverdue", {"overdue_s": 1200.0}, Severity.ERROR, "reports.nightly should have succeeded 20m ago"),
    ("TaskNotRegistered", {"exception": "NotRegistered", "category": "unregistered", "count": 1.0}, Severity.CRITICAL,
     "No worker knows the task shop.pay; messages lost: 1"),
    ("TasksExpired", {"expired": 150.0, "finished": 0.0}, Severity.ERROR, "shop.pay expires before it runs: 150 in 10 minutes, 0 ran"),
    ("TasksExpired", {"expired": 15.0, "expired_in_a_row": 15.0, "expired_row_s": 70.0, "finished": 0.0}, Severity.ERROR,
     "shop.pay expires before it runs: 15 in 1m10s, none ran"),
    ("TaskStartsAgain", {"rejected": 11.0, "finished": 0.0}, Severity.ERROR,
     "shop.pay is rejected instead of run: 11 times in 10 minutes, finished 0"),
    ("TaskStartsAgain", {"most_redelivered": 3.0}, Severity.ERROR,
     "shop.pay starts again and again without finishing: one message 3 times"),
    ("ErrorBurst", {"exception": "TimeLimitExceeded", "category": "timeout", "count": 30.0, "fresh": 30.0}, Severity.WARNING,
     "shop.pay failed with TimeLimitExceeded: 30 times in 10 minutes"),
    ("ErrorBurst", {"category": "connection", "count": 30.0, "fresh": 30.0}, Severity.WARNING,
     "shop.pay failed with ValueError: 30 times in 10 minutes"),
    ("ErrorBurst", {"count": 100.0, "fresh": 100.0}, Severity.WARNING, "shop.pay failed with ValueError: 100 times in 10 minutes"),
    ("ErrorBurst", {"category": "timeout", "count": 30.0, "fresh": 30.0, "has_past": False, "run_share": 0.06}, Severity.WARNING,
     "shop.pay failed with ValueError: 30 times in 10 minutes"),
    ("ErrorBurst", {"category": "timeout", "count": 181.0, "fresh": 181.0, "usual_count": 60.0}, Severity.WARNING,
     "shop.pay failed with ValueError: 181 times in 10 minutes, usual is 60"),
    ("ErrorBurst", {"exception": "WorkerLostError", "category": "lost", "count": 3.0, "fresh": 0.0, "last_s": 500.0}, Severity.ERROR,
     "shop.pay failed with WorkerLostError: 3 times in 10 minutes"),
    ("NewExceptionType", {"novelty": "new", "known_s": 20.0, "count": 1.0}, Severity.INFO,
     "shop.pay fails with ValueError, which is new"),
    ("NewExceptionType", {"novelty": "returned", "known_s": 20.0, "count": 1.0}, Severity.INFO,
     "shop.pay fails with ValueError, which was gone for a week"),
    ("RetryStorm", {"retried": 300.0, "received": 330.0, "finished": 0.0}, Severity.WARNING,
     "shop.pay retries: 300 times in 10 minutes, 0 runs finished"),
    ("TaskRunningTooLong", {"running_s": 7200.0}, Severity.WARNING, "shop.pay has been running for 2h on celery@web-1"),
    ("TaskRunsTwice", {"also_on": "celery@web-2"}, Severity.WARNING,
     "shop.pay is executed by celery@web-1 and by celery@web-2 at the same time"),
    ("ProgressStalled", {"running_s": 900.0, "progress_still_s": 720.0, "progress": 0.4, "step": "resize"}, Severity.WARNING,
     "shop.pay has been at 40% (resize) for 12m"),
    ("Blind", {"hidden": 3.0, "blind_s": 300.0}, Severity.ERROR, "No verdict for 5m from WorkerLost, ErrorBurst: flower: 503"),
    ("DeliveryFailing", {"dead": 1.0}, Severity.ERROR, "Receiver ops is not notified; messages waiting: 1, given up: 1"),
    ("DeliveryFailing", {"oldest_s": 301.0}, Severity.ERROR, "Receiver ops is not notified; messages waiting: 1"),
    ("ReceiverOff", {"off": True}, Severity.ERROR, "Receiver ops is switched off: its address is gone; messages waiting: 1"),
    ("RuleFailed", {"failed": True, "error": "too many steps"}, Severity.ERROR,
     "Rule QueueBacklogHigh cannot be evaluated: too many steps"),
    ("ConfigRejected", {"config_rejected": True, "config_error": "watchdog.toml:3: unknown key"}, Severity.WARNING,
     "The new configuration was rejected; the old one is in force: watchdog.toml:3: unknown key"),
    ("UnackedRestoreStuck", {"unacked_ratio": 2.0, "unacked_oldest_s": 7200.0, "unacked": 4.0}, Severity.CRITICAL,
     "Messages are past the visibility timeout, and no worker delivers them again: the oldest was fetched 2h ago; unacknowledged: 4"),
    ("BrokerPersistenceFailing", {"last_save_ok": False}, Severity.WARNING, "Redis cannot save its data to disk"),
    ("BrokerConnectionsHigh", {"client_ratio": 0.8, "clients": 8000.0}, Severity.WARNING,
     "Redis has 8,000 clients, 80% of those that it accepts"),
    ("BrokerConnectionsHigh", {"client_ratio": 0.95, "clients": 9500.0}, Severity.ERROR,
     "Redis has 9,500 clients, 95% of those that it accepts"),
    ("BrokerConnectionsHigh", {"client_ratio": 0.85, "clients": 8500.0, "eviction_policy": None}, Severity.WARNING,
     "RabbitMQ has 8,500 connections, and 85% of a node's descriptors or sockets are used"),
    ("BrokerSlow", {"latency_ms": 251.0}, Severity.WARNING, "Redis takes 251 ms to answer a PING"),
    ("ResultBackendGrowth", {"lasting_keys": 1_000_001.0}, Severity.INFO,
     "Redis holds 1,000,001 keys in the broker's database that never expire"),
    ("QueueGrowing", {"length": 90.0, "growth_per_min": 2.0}, Severity.WARNING, "indexing grows by 2 messages a minute; waiting: 90"),
    ("QueueDrainTime", {"length": 40.0, "finished_per_min": 2.0}, Severity.WARNING,
     "indexing holds more than 15m of work: 40 messages, 2 done a minute"),
    ("QueueDrainTime", {"length": 21.0, "finished_per_min": 0.0}, Severity.WARNING,
     "indexing holds more than 15m of work: 21 messages, 0 done a minute"),
    ("OldestMessageAge", {"oldest_s": 601.0}, Severity.WARNING, "The next message of indexing has waited for 10m1s; messages waiting: 40"),
    ("QueueWaitHigh", {"wait_avg_s": 61.0}, Severity.WARNING, "Messages of indexing wait for 1m1s on average before they start"),
    ("WorkerSaturated", {"saturated": True}, Severity.WARNING, "Every worker of indexing is fully busy; messages waiting: 40"),
    ("QueueNeverSeen", {"declared": True, "bound": False, "length": 0.0, "consumers": 0.0}, Severity.INFO,
     "Nobody has ever used the queue indexing"),
    ("WorkerFlapping", {"returns": 3.0}, Severity.WARNING,
     "Worker celery@web-1 comes and goes: lost and back 3 times in 30 minutes, as the same process"),
    ("WorkerLeft", {"state": "left", "silent_s": 30.0}, Severity.INFO, "Worker celery@web-1 said goodbye 30s ago"),
    ("WorkerRestartedOften", {"restarts": 3.0}, Severity.WARNING, "Worker celery@web-1 restarted 3 times in 15 minutes"),
    ("WorkerLoadHigh", {"load5": 9.0, "pool_size": 4.0}, Severity.INFO, "The load of web-1 is 9; processes of celery@web-1: 4"),
    ("WorkerMemoryHigh", {"rss_max_bytes": 2147483648.0}, Severity.WARNING, "The main process of celery@web-1 has used 2 GiB of memory"),
    ("VersionSkew", {"versions": 2.0}, Severity.INFO, "The workers run 2 different versions of Celery"),
    ("UnackedHigh", {"unacked": 1001.0, "capacity": 8.0}, Severity.WARNING,
     "Workers hold 1,001 messages that they have not finished; they can execute 8 at once"),
    ("TaskFailedAny", {"failed": 1.0, "exception": "KeyError"}, Severity.WARNING, "shop.pay failed in 5 minutes: KeyError"),
    ("TaskFailedAny", {"failed": 2.0}, Severity.WARNING, "shop.pay failed 2 times in 5 minutes"),
    ("TasksRevoked", {"revoked": 30.0, "expired": 9.0}, Severity.INFO, "shop.pay was revoked 30 times in 10 minutes"),
    ("TimeLimitExceeded", {"exception": "SoftTimeLimitExceeded", "category": "timeout", "count": 3.0}, Severity.WARNING,
     "shop.pay exceeded its time limit 3 times in 15 minutes"),
    ("WorkerLostErrors", {"exception": "WorkerLostError", "category": "lost", "count": 1.0}, Severity.ERROR,
     "A process died while it executed shop.pay (WorkerLostError); in 10 minutes: 1"),
    ("ObjectiveBurnsFast", {"burn_1h": 14.4, "burn_5m": 20.0, "missed_1h": 60.0, "gone_in_s": 108000.0}, Severity.ERROR,
     "indexing: 60 tasks started late within an hour; the error budget is gone in 1d6h"),
    ("ObjectiveBurnsFast", {"burn_1h": 90.0, "burn_5m": 99.0, "missed_1h": 60.0, "gone_in_s": 0.0, "budget_left": -1.0}, Severity.ERROR,
     "indexing: 60 tasks started late within an hour; the error budget is used up"),
    ("ObjectiveBurnsFast", {"objective": 0.8, "burn_1h": 4.6, "burn_5m": 5.0, "missed_1h": 60.0, "gone_in_s": inf}, Severity.ERROR,
     "indexing: 60 tasks started late within an hour"),
    ("ObjectiveBurnsSlowly", {"burn_6h": 6.0, "burn_30m": 7.0, "missed_6h": 90.0, "what": "succeed", "max_wait_s": 0.0}, Severity.WARNING,
     "indexing: 90 tasks failed within 6 hours; left of the error budget: 60%"),
    ("ObjectiveMissed", {"budget_left": -0.2, "missed": 120.0, "share": 0.988}, Severity.WARNING,
     "indexing: 98.8% of 10,000 tasks started in time, 99% were promised"),
    ("TaskRuntimeRegression", {"runtime_p95": 9.0}, Severity.WARNING,
     "shop.pay has become slow: 95 of 100 runs take up to 9s; the day before it was 4s"),
    ("ThroughputDrop", {"per_min": 9.0}, Severity.WARNING,
     "shop.pay: 9 finished a minute; usual at this hour of the day: 50"),
    ("ThroughputZero", {"per_min": 0.0}, Severity.ERROR,
     "shop.pay: none finished for 15 minutes; usual at this hour of the day: 50 a minute"),
    ("QueueUnusuallyIdle", {"what": "queue", "name": "mail", "per_min": 0.0, "length": 0.0}, Severity.INFO,
     "mail: nothing was sent and nothing done for 15 minutes; usual at this hour of the day: 50 a minute"),
    ("EvaluationLate", {"late_lately": 10.0, "late_share": 0.5, "cycle_s": 12.0}, Severity.WARNING,
     "watchdog is late: 50% of its cycles in 5 minutes; the longest of the last ones took 12s"),
    ("HeartbeatFailing", {"heartbeat_error": "404 from hc-ping.com"}, Severity.WARNING,
     "The heartbeat is not accepted: 404 from hc-ping.com"),
    ("EngineSilent", {"engine_error": "redis://engine: connection refused"}, Severity.WARNING,
     "No worker of watchdog looks, it does all itself: redis://engine: connection refused"),
    ("Silenced", {"active": True, "author": "ann", "comment": "new GPUs"}, Severity.INFO,
     'Silenced until 16:10 UTC by ann: rule="WorkerLost" (new GPUs); hides 3 incidents now'),
    ("Silenced", {"active": True, "hides": 0.0}, Severity.INFO, 'Silenced until 16:10 UTC: rule="WorkerLost"; hides nothing now'),
    ("Silenced", {"active": True, "matchers": "deploy v512 of prod*", "hides": 1.0}, Severity.INFO,
     "Silenced until 16:10 UTC: deploy v512 of prod*; hides 1 incident now"),
]  # fmt: skip

QUIET: list[tuple[str, dict[str, Cell]]] = [
    ("BrokerUnreachable", {"name": "flower", "up": False}),
    ("BrokerUnreachable", {"name": "results", "up": False}),
    ("ResultsUnreachable", {"name": "redis", "up": False}),
    ("FlowerUnreachable", {"name": "redis", "up": False}),
    ("NoWorkersOnline", {"workers_online": 0.0, "backlog": 0.0, "workers_expected": 0.0}),
    ("EveryWorkerLost", {"workers_online": 1.0, "workers_lost": 3.0, "backlog": 60.0}),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 2.0, "workers_left": 2.0, "backlog": 60.0}),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 3.0, "workers_unknown": 1.0, "backlog": 60.0}),
    ("EveryWorkerLost", {"workers_online": 0.0, "workers_lost": 3.0, "backlog": 0.0, "workers_expected": 0.0}),
    ("WorkersBelowMinimum", {"online": 0.0, "minimum": 0.0}),
    ("HostLost", {"lost": 1.0, "online": 1.0, "workers": 2.0}),
    ("WorkersLost", {"lost": 1.0, "online": 1.0, "workers": 2.0}),
    ("WorkerLost", {"state": "lost", "replaced": True}),
    ("WorkerLost", {"state": "left"}),
    ("WorkerEnded", {"state": "left"}),
    ("WorkerEnded", {"state": "left", "abandoned": 1.0, "silent_s": 1800.0}),
    ("WorkerEnded", {"state": "left", "abandoned": 1.0, "replaced": True}),
    ("WorkerCrashLoop", {"restarts": 5.0, "crashes": 2.0}),
    ("WorkerCrashLoop", {"restarts": 40.0, "crashes": 40.0, "duplicate": True}),
    ("WorkerKindCrashLoop", {"deaths": 2.0, "died_again": 1.0}),
    ("WorkerKindCrashLoop", {"deaths": 12.0, "died_again": 0.0}),
    ("ClockDrift", {"clock_drift_s": 15.0}),
    ("ClockDrift", {"clock_drift_s": -15.0}),
    ("ClockDrift", {"clock_drift_s": 90.0, "state": "lost"}),
    ("QueueBacklogHigh", {"length": 50.0}),
    ("QueueBacklogHigh", {"length": 100_000.0, "drain_s": 300.0}),
    ("QueueNoConsumers", {"length": 5.0, "consumers": 0.0, "unserved": 0.0}),
    ("QueueStuck", {"stuck_s": 590.0}),
    ("QueueStuck", {"stuck_s": 1800.0, "head_usual_s": 900.0}),
    ("WorkerIdleWithBacklog", {"idle_with_backlog_s": 290.0}),
    ("BrokerMemoryHigh", {"memory_ratio": 0.79}),
    ("BrokerMemoryHigh", {"max_memory": 0.0, "memory_ratio": 0.0, "used_memory": 1e12}),
    ("UnackedStale", {"unacked_ratio": 0.89}),
    ("TaskFailureRateHigh", {"failure_odds": 3.9e6, "error_rate_low": 0.5}),
    ("TaskFailureRateHigh", {"failure_odds": 1e12, "error_rate_low": 0.1}),
    ("TaskFailureRateHigh", {"failed_in_a_row": 4.0, "has_succeeded": False}),
    ("TaskFailureRateHigh", {"failed_in_a_row": 5.0, "has_succeeded": True}),
    ("TaskFailureRateHigh", {**PROVED, "error_rate_low": 0.9, "exception": "NotRegistered"}),
    ("TaskNotRegistered", {"category": "unregistered", "count": 0.0}),
    ("TasksExpired", {"expired": 19.0, "finished": 0.0}),
    ("TasksExpired", {"expired": 80.0, "finished": 400.0}),
    ("TasksExpired", {"expired_in_a_row": 7.0, "expired_row_s": 7000.0}),
    ("TasksExpired", {"expired_in_a_row": 15.0, "expired_row_s": 50.0}),
    ("TasksExpired", {"expired_in_a_row": 15.0, "expired_row_s": 7000.0, "expired_row_usual": 8.0}),
    ("TaskStartsAgain", {"rejected": 9.0, "finished": 0.0}),
    ("TaskStartsAgain", {"rejected": 100.0, "finished": 50.0}),
    ("TaskStartsAgain", {"most_redelivered": 2.0}),
    ("ErrorBurst", {"count": 99.0, "fresh": 99.0}),
    ("ErrorBurst", {"category": "timeout", "count": 29.0, "fresh": 29.0}),
    ("ErrorBurst", {"category": "timeout", "count": 500.0, "fresh": 29.0}),
    ("ErrorBurst", {"category": "timeout", "count": 500.0, "fresh": 500.0, "last_s": 181.0}),
    ("ErrorBurst", {"category": "timeout", "count": 60.0, "fresh": 60.0, "usual_count": 20.0}),
    ("ErrorBurst", {"category": "timeout", "count": 60.0, "fresh": 60.0, "has_past": False, "run_share": 0.05}),
    ("ErrorBurst", {"category": "lost", "count": 2.0, "fresh": 2.0}),
    ("NewExceptionType", {"novelty": "", "known_s": 20.0}),
    ("NewExceptionType", {"novelty": "new", "known_s": 3001.0}),
    ("RetryStorm", {"retried": 29.0, "received": 30.0, "finished": 0.0}),
    ("RetryStorm", {"retried": 40.0, "received": 80.0, "finished": 0.0}),
    ("RetryStorm", {"name": "celery.chord_unlock", "retried": 900.0, "received": 910.0, "finished": 10.0}),
    ("TaskRunningTooLong", {"running_s": 7200.0, "worker_state": "lost"}),
    ("TaskRunningTooLong", {"running_s": 7200.0, "worker_active": 0.0}),
    ("TaskRunningTooLong", {"running_s": 3600.0}),
    ("TaskRunsTwice", {"also_on": "celery@web-2", "worker_state": "lost"}),
    ("ProgressStalled", {"running_s": 7200.0, "progress_still_s": 600.0}),
    ("ProgressStalled", {"progress_still_s": 1200.0, "worker_state": "lost"}),
    ("DeliveryFailing", {"off": True, "dead": 1.0, "oldest_s": 7200.0}),
    ("UnackedRestoreStuck", {"unacked_ratio": 1.9}),
    ("BrokerPersistenceFailing", {"last_save_ok": True}),
    ("BrokerConnectionsHigh", {"client_ratio": 0.79}),
    ("BrokerSlow", {"latency_ms": 250.0}),
    ("ResultBackendGrowth", {"lasting_keys": 1_000_000.0}),
    ("QueueGrowing", {"length": 50.0, "growth_per_min": 30.0}),
    ("QueueGrowing", {"length": 1000.0, "growth_per_min": 10.0}),
    ("QueueDrainTime", {"length": 20.0, "finished_per_min": 0.0}),
    ("QueueDrainTime", {"length": 15_000.0, "finished_per_min": 1000.0}),
    ("OldestMessageAge", {"oldest_s": 600.0}),
    ("QueueWaitHigh", {"wait_avg_s": 60.0}),
    ("WorkerSaturated", {"saturated": True, "length": 0.0}),
    ("WorkerSaturated", {"saturated": False, "length": 900.0}),
    ("QueueNeverSeen", {"declared": True, "bound": True, "length": 0.0, "consumers": 0.0}),
    ("QueueNeverSeen", {"declared": False, "bound": False, "length": 0.0, "consumers": 0.0}),
    ("WorkerFlapping", {"returns": 2.0}),
    ("WorkerLeft", {"state": "left", "replaced": True}),
    ("WorkerRestartedOften", {"restarts": 2.0}),
    ("WorkerRestartedOften", {"restarts": 9.0, "duplicate": True}),
    ("WorkerLoadHigh", {"load5": 8.0, "pool_size": 4.0}),
    ("WorkerLoadHigh", {"load5": 90.0, "pool_size": 4.0, "state": "lost"}),
    ("WorkerMemoryHigh", {"rss_max_bytes": 2e9}),
    ("VersionSkew", {"versions": 1.0}),
    ("UnackedHigh", {"unacked": 1000.0, "capacity": 8.0}),
    ("UnackedHigh", {"unacked": 1900.0, "capacity": 400.0}),
    ("WorkerHoarding", {"hoarded": 10.0, "active": 1.0}),
    ("TaskFailedAny", {"failed": 0.0}),
    ("TasksRevoked", {"revoked": 30.0, "expired": 10.0}),
    ("TimeLimitExceeded", {"exception": "SoftTimeLimitExceeded", "count": 2.0}),
    ("TimeLimitExceeded", {"exception": "TimeoutError", "category": "timeout", "count": 30.0}),
    ("WorkerLostErrors", {"category": "lost", "count": 0.0}),
    ("WorkerLostErrors", {"category": "timeout", "count": 9.0}),
    ("ObjectiveBurnsFast", {"burn_1h": 14.3, "burn_5m": 99.0, "missed_1h": 60.0}),
    ("ObjectiveBurnsFast", {"burn_1h": 90.0, "burn_5m": 0.0, "missed_1h": 60.0}),
    ("ObjectiveBurnsFast", {"burn_1h": 100.0, "burn_5m": 100.0, "missed_1h": 9.0}),
    ("ObjectiveBurnsFast", {"objective": 0.8, "burn_1h": 4.4, "burn_5m": 5.0, "missed_1h": 60.0}),
    ("ObjectiveBurnsSlowly", {"burn_6h": 5.9, "burn_30m": 9.0, "missed_6h": 60.0}),
    ("ObjectiveBurnsSlowly", {"burn_6h": 9.0, "burn_30m": 5.9, "missed_6h": 60.0}),
    ("ObjectiveBurnsSlowly", {"burn_6h": 99.0, "burn_30m": 99.0, "missed_6h": 19.0}),
    ("ObjectiveMissed", {"budget_left": 0.0, "missed": 100.0, "share": 0.99}),
    ("ObjectiveMissed", {"budget_left": -9.0, "missed": 19.0, "share": 0.9}),
    ("ObjectiveMissed", {"budget_left": -9.0, "missed": 900.0, "share": 0.9, "watched_s": 3600.0}),
    ("TaskRuntimeRegression", {"runtime_p95": 9.0, "runs": 29.0}),
    ("TaskRuntimeRegression", {"runtime_p95": 9.0, "usual_runs": 99.0}),
    ("TaskRuntimeRegression", {"runtime_p95": 8.0}),
    ("TaskRuntimeRegression", {"runtime_p95": 0.9, "usual_runtime_p95": 0.1}),
    ("ThroughputDrop", {"per_min": 11.0}),
    ("ThroughputDrop", {"per_min": 9.0, "least_per_min": 17.0}),
    ("ThroughputDrop", {"per_min": 1.0, "usual_per_min": 29.0}),
    ("ThroughputDrop", {"per_min": 1.0, "days": 4.0}),
    ("ThroughputDrop", {"what": "queue", "per_min": 1.0}),
    ("ThroughputZero", {"per_min": 0.0, "least_per_min": 0.9}),
    ("ThroughputZero", {"per_min": 0.0, "days": 4.0}),
    ("ThroughputZero", {"per_min": 0.1}),
    ("QueueUnusuallyIdle", {"what": "queue", "per_min": 0.0, "length": 3.0}),
    ("QueueUnusuallyIdle", {"what": "queue", "per_min": 0.0, "least_per_min": 0.0}),
    ("QueueUnusuallyIdle", {"what": "task", "per_min": 0.0}),
    ("EvaluationLate", {"late_lately": 9.0, "late_share": 1.0}),
    ("EvaluationLate", {"late_lately": 90.0, "late_share": 0.4}),
    ("HeartbeatFailing", {"heartbeat_error": ""}),
    ("EngineSilent", {"engine_error": ""}),
]


def test_the_pack_has_no_fault_and_no_warning() -> None:
    assert [str(fault) for fault in (*FAULTS, *WARNINGS)] == []


def test_all_rules_are_on_but_what_people_have_to_ask_for() -> None:
    assert {rule.name for rule in RULES if not rule.enabled} == {
        "NewExceptionType", "ResultBackendGrowth", "QueueGrowing", "QueueDrainTime", "OldestMessageAge", "QueueWaitHigh", "WorkerSaturated",
        "TaskNoLongerSent",
        "QueueNeverSeen", "WorkerLeft", "WorkerRestartedOften", "WorkerLoadHigh", "WorkerMemoryHigh", "VersionSkew", "UnackedHigh",
        "TaskFailedAny", "TasksRevoked", "TimeLimitExceeded", "WorkerLostErrors", "TaskNearVisibilityTimeout",
        "TaskRuntimeRegression", "ThroughputDrop", "ThroughputZero", "QueueUnusuallyIdle",
    }  # fmt: skip


def test_the_pack_is_these_rules() -> None:
    assert set(ON_ROWS) == {name for name, *_ in BREACHES}


def test_a_deploy_is_a_normal_reason_for_what_it_does_to_workers_and_not_for_what_a_bad_one_breaks() -> None:
    assert {name for name, rule in PACK.items() if rule.deploy} == {
        "BrokerNodeDown",
        "DuplicateWorkerName",
        "EveryWorkerLost",
        "NoWorkersOnline",
        "QueueBacklogHigh",
        "QueueNoConsumers",
        "VersionSkew",
        "WorkerEnded",
        "WorkerLeft",
        "WorkerLost",
        "WorkerRestartedOften",
        "WorkersBelowMinimum",
    }


@pytest.mark.parametrize("file", FILES)
def test_each_file_opens_with_two_lines_on_what_it_is_for(file: str) -> None:
    assert [line.startswith("# ") for line in FILES[file].splitlines()[:3]] == [True, True, False]


@pytest.mark.parametrize("name", PACK)
def test_each_rule_says_what_it_means_and_what_to_look_at_first(name: str) -> None:
    rule = PACK[name]
    assert rule.summary
    assert rule.description
    steps = re.findall(r"(?:^|%\})\s*(\d)\. ", rule.runbook, re.MULTILINE)
    assert 2 <= len(set(steps)) <= 4


@pytest.mark.parametrize("name", PACK)
def test_no_rule_waits_for_a_column_that_nothing_fills(name: str) -> None:
    read = [TABLES[table].column(column) for table, columns in PACK[name].reads.items() for column in columns]
    assert [column.name for column in read if column and column.later] == []


@pytest.mark.parametrize("name", sorted({*ON_ROWS} - {"TaskFailedAny"}))  # which is for tasks that never fail
def test_a_healthy_cluster_is_quiet(name: str) -> None:
    assert judged(name) is None


@pytest.mark.parametrize(("name", "cells"), QUIET)
def test_what_is_no_fault_is_quiet(name: str, cells: dict[str, Cell]) -> None:
    assert judged(name, cells) is None


@pytest.mark.parametrize(("name", "cells", "severity", "summary"), BREACHES)
def test_a_breach_has_its_severity_and_reads_well(name: str, cells: dict[str, Cell], severity: Severity, summary: str) -> None:
    finding = judged(name, cells)
    assert finding is not None
    assert (finding.verdict, finding.severity) == (Verdict.BREACH, severity)
    assert texts_of(finding, "prod", severity).summary == summary


@pytest.mark.parametrize(
    ("name", "error", "opens", "first"),
    [
        (
            "redis",
            "redis: redis:6379 does not accept the user name or password of the URL (WRONGPASS)",
            "The broker does not let",
            "password",
        ),
        ("redis", "redis: redis:6379 requires a password (NOAUTH): write it into the URL", "The broker does not let", "password"),
        ("redis", "redis: the ACL of this user denies the command LLEN (NOPERM)", "The broker does not let", "ACL"),
        ("redis", "redis: redis:6379 is loading its data from disk (LOADING) and answers when it is done", "Broker not ready", "Wait"),
        ("redis", "redis: the host name in redis:6379 cannot be resolved (DNS): is it spelt right?", "Broker unreachable", "getent"),
        (
            "redis",
            "redis: connection refused by redis:6379: is Redis running there, on that port?",
            "Broker unreachable",
            "systemctl status",
        ),
        ("flower", "flower: 401 from http://flower:5555/api/workers: it requires credentials", "Flower cannot be queried", "a setting"),
        (
            "flower",
            "flower: connection refused by flower:14010: is Flower running there, on that port?",
            "Flower cannot be queried",
            "listens",
        ),
        (
            "flower",
            "flower: no answer from http://flower:5555/ within 5s: it hangs or is too busy",
            "Flower cannot be queried",
            "/healthcheck",
        ),
    ],
)
def test_the_first_step_fits_the_error(name: str, error: str, opens: str, first: str) -> None:
    rule = "BrokerUnreachable" if name == "redis" else "FlowerUnreachable"
    finding = judged(rule, {"name": name, "up": False, "error": error})
    assert finding is not None
    texts = texts_of(finding, "prod", finding.severity)
    step = texts.runbook.split("2. ")[0]
    assert (texts.summary.startswith(opens), first in step, "HOST" in texts.runbook) == (True, True, False)


@pytest.mark.parametrize("name", PACK)
def test_no_command_holds_a_placeholder_for_a_host(name: str) -> None:
    assert "HOST" not in PACK[name].runbook


@pytest.mark.parametrize("name", PACK)
def test_a_name_in_a_command_is_a_word_of_the_shell(name: str) -> None:
    """Whoever may send a message makes the names of queues and tasks: with spaces, or with `; rm -rf ~`."""
    commands = [command for command in re.findall("`([^`]*)`", PACK[name].runbook) if "SELECT" not in command and "WHERE" not in command]
    assert [command for command in commands if re.search(r"{{ (?!app |pid )\w+ }}", command)] == []


@pytest.mark.parametrize("name", PACK)
def test_no_command_holds_a_placeholder_for_the_app(name: str) -> None:
    assert "-A APP" not in PACK[name].runbook


@pytest.mark.parametrize("name", ON_ROWS)
def test_no_text_fails_where_nothing_is_known(name: str) -> None:
    rule = PACK[name]
    table = TABLES[rule.table or ""]
    finding = Finding(rule, tuple("x" for _ in table.key), Verdict.BREACH, cells={column.name: None for column in table.columns})
    texts = texts_of(finding, "prod", rule.severity)
    assert plain(finding) not in (texts.summary, texts.description, texts.runbook)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in PACK
        if PACK[name].table in {"workers", "queues", "broker", "tasks", "errors", "groups", "hosts", "kinds", "cluster"}
    ],
)
def test_a_gap_is_unknown(name: str) -> None:
    rule = PACK[name]
    read = sorted(rule.reads[rule.table or ""] - {"minimum", "workers_expected", "eviction_policy", "name", "suspect_runs", "over_odds"})
    verdicts = [judged(name, gaps={column: "redis: connection refused"}) for column in read]
    assert {finding.verdict if finding else None for finding in verdicts} == {Verdict.UNKNOWN}


@pytest.mark.parametrize("column", ["running_s", "worker_state", "worker_active", "name"])
def test_of_a_task_that_has_run_for_long_a_gap_is_unknown(column: str) -> None:
    finding = judged("TaskRunningTooLong", {"running_s": 7200.0}, {column: "flower: missed it"})
    assert finding is not None
    assert finding.verdict is Verdict.UNKNOWN


def test_of_a_task_that_began_just_now_it_does_not_matter_what_its_worker_says() -> None:
    assert judged("TaskRunningTooLong", gaps={"worker_state": "flower: unknown", "worker_active": "flower: unknown"}) is None


OVER: Mapping[str, Mapping[str, Cell]] = {
    "QueueBacklogHigh": {"length": 0.0},
    "TaskFailedAny": {"failed": 0.0},
    "TaskRunningTooLong": {"running_s": 7200.0, "worker_state": "lost"},
    "ProgressStalled": {"progress": 0.4},
}
"""What its row shows when it is over, where that is not the usual row."""


@pytest.mark.parametrize("name", dict.fromkeys(name for name, *_ in BREACHES))
def test_what_is_over_has_recovered_and_says_so(name: str) -> None:
    breach = next(cells for rule, cells, *_ in BREACHES if rule == name)
    which = {column: cell for column, cell in breach.items() if column in ("name", "what")}
    finding = judged(name, {**which, **OVER.get(name, {})}, fires=True)
    assert finding is not None
    assert finding.verdict is Verdict.CLEAR


def test_failures_that_are_counted_are_told_though_flower_does_not_list_them() -> None:
    unlisted = dict.fromkeys(("exception", "example"), "flower: 500")
    finding = judged("TaskFailureRateHigh", {"failure_odds": 1e12, "error_rate_low": 0.4}, unlisted)
    assert finding is not None
    assert finding.verdict is Verdict.BREACH


@pytest.mark.parametrize(("over_odds", "runs", "in_a_row", "verdict"), [
    (9e3, 200.0, 0.0, Verdict.BREACH), (9e3, 6.0, 1.0, Verdict.BREACH), (9e3, 6.0, 0.0, Verdict.CLEAR), (1e4, 200.0, 0.0, Verdict.CLEAR),
])  # fmt: skip
def test_what_was_proved_burns_on_until_it_is_over(over_odds: float, runs: float, in_a_row: float, verdict: Verdict) -> None:
    cells: dict[str, Cell] = {"failure_odds": 1.0, "over_odds": over_odds, "suspect_runs": runs, "failed_in_a_row": in_a_row}
    finding = judged("TaskFailureRateHigh", cells, fires=True)
    assert finding is not None
    assert finding.verdict is verdict


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("QueueBacklogHigh", {"length": 26.0}),
        ("QueueBacklogHigh", {"length": 1000.0, "drain_s": 60.0}),
        ("BrokerMemoryHigh", {"memory_ratio": 0.76}),
        ("RetryStorm", {"retried": 20.0, "received": 25.0, "finished": 5.0}),
        ("ErrorBurst", {"category": "timeout", "count": 15.0, "usual_count": 6.0}),
    ],
)
def test_what_burns_is_not_out_before_it_is_well_below(name: str, cells: dict[str, Cell]) -> None:
    finding = judged(name, cells, fires=True)
    assert finding is not None
    assert finding.verdict is Verdict.BREACH


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("QueueBacklogHigh", {"length": 25.0}),
        ("BrokerMemoryHigh", {"memory_ratio": 0.74}),
        ("TaskFailureRateHigh", {"failure_odds": 1.0, "over_odds": 1e5, "error_rate_low": 0.0}),
        ("RetryStorm", {"retried": 15.0, "received": 75.0, "finished": 60.0}),
        ("RetryStorm", {"retried": 9.0, "received": 9.0, "finished": 0.0}),
        ("ErrorBurst", {"category": "timeout", "count": 500.0, "fresh": 500.0, "last_s": 181.0}),
        ("ErrorBurst", {"category": "timeout", "count": 120.0, "usual_count": 60.0}),
        ("ErrorBurst", {"category": "timeout", "count": 14.0}),
        ("ErrorBurst", {"category": "other", "count": 49.0}),
        ("ErrorBurst", {"category": "lost", "count": 2.0}),
    ],
)
def test_what_is_well_below_is_out(name: str, cells: dict[str, Cell]) -> None:
    finding = judged(name, cells, fires=True)
    assert finding is not None
    assert finding.verdict is Verdict.CLEAR


@pytest.mark.parametrize(
    ("name", "online", "gone"),
    [
        ("ClockDrift", "The clock of celery@web-1 is right again", "Worker celery@web-1, whose clock was off, is not online"),
        (
            "WorkerCrashLoop",
            "Worker celery@web-1 has stayed up: 0 restarts in 15 minutes",
            "Worker celery@web-1 is not online, and no longer restarts: 0 restarts in 15 minutes",
        ),
        (
            "WorkerHoarding",
            "Worker celery@web-1 no longer holds messages that others could execute",
            "Worker celery@web-1, which held messages, is not online",
        ),
        ("DuplicateWorkerName", "One worker calls itself celery@web-1", "No worker calls itself celery@web-1"),
    ],
)
def test_an_end_does_not_call_a_worker_well_that_is_gone(name: str, online: str, gone: str) -> None:
    ends = [judged(name, {"state": state}, fires=True) for state in ("online", "lost", "left")]
    said = [resolved_text(end, "prod", Severity.WARNING, "it burned") for end in ends if end is not None and end.verdict is Verdict.CLEAR]
    assert said == [online, gone, gone]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"comment": "new GPUs"}, 'No longer silenced: rule="WorkerLost" (new GPUs); 3 incidents that it hid are open'),
        ({"hides": 1.0}, 'No longer silenced: rule="WorkerLost"; 1 incident that it hid is open'),
        ({"hides": 0.0}, 'No longer silenced: rule="WorkerLost"; nothing that it hid is open'),
    ],
)
def test_the_end_of_a_silence_says_what_is_left_of_it(cells: dict[str, Cell], said: str) -> None:
    end = judged("Silenced", cells, fires=True)
    assert end is not None
    assert resolved_text(end, "watchdog", Severity.INFO, "Silenced until 16:10 UTC") == said


@pytest.mark.parametrize(
    ("name", "for_s"),
    [
        ("BrokerUnreachable", 20), ("ResultsUnreachable", 60), ("FlowerUnreachable", 30),
        ("NoWorkersOnline", 180), ("EveryWorkerLost", 45), ("WorkersBelowMinimum", 180), ("WorkerLost", 30),
        ("HostLost", 30), ("WorkersLost", 30),
        ("QueueBacklogHigh", 600), ("QueueNoConsumers", 60), ("QueueStuck", 0), ("TaskFailureRateHigh", 0),
        ("ErrorBurst", 0), ("RetryStorm", 60), ("TaskRunningTooLong", 300), ("ProgressStalled", 0),
    ],
)  # fmt: skip
def test_a_breach_holds_this_long_before_anybody_is_told(name: str, for_s: float) -> None:
    assert PACK[name].for_s == for_s


def test_the_brokers_death_silences_what_follows_from_it() -> None:
    follows = {name for name, rule in PACK.items() if not any(TABLES[table].own for table in rule.reads)}
    assert {*PACK["BrokerUnreachable"].inhibits} == follows - {"BrokerUnreachable"}
