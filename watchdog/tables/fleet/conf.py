"""`conf`: one row per worker that reported its configuration: how it runs tasks, for rules about how a cluster is set up.

What a worker reports are the settings of its app, with Celery's defaults for the rest. Options of its command line and of single tasks are
not among them. Rows come from the same inspections as those of `workers`, Flower's or our own, also from remembered ones.
"""

from collections.abc import Mapping

from watchdog.core.model.replies import WorkerInspection
from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.worker_replies import WorkerSettings
from watchdog.tables.workers.memory import known_workers_of

__all__ = ["TABLE", "cells_of"]

NUMBER, TEXT, BOOLEAN = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN
VISIBILITY_TIMEOUT_S = 3600.0

COLUMNS = (
    Column("worker", TEXT, "the worker's full name"),
    Column("pool", TEXT, "its pool: prefork, threads, solo, gevent, eventlet", neutral=""),
    Column("transport", TEXT, "the transport of its messages: redis, amqp, sqs", neutral=""),
    Column("acks_late", BOOLEAN, "task_acks_late: a message is acknowledged after its task, and runs again if the worker dies"),
    Column("acks_on_failure", BOOLEAN, "task_acks_on_failure_or_timeout; without it and with acks_late, a run that fails is rejected"),
    Column("reject_on_worker_lost", BOOLEAN, "task_reject_on_worker_lost: a task whose process is killed runs again"),
    Column("time_limit_s", NUMBER, "task_time_limit; 0: none", "s", 0.0),
    Column("soft_time_limit_s", NUMBER, "task_soft_time_limit; 0: none", "s", 0.0),
    Column("visibility_timeout_s", NUMBER, "after which Redis delivers a message again that is not acknowledged", "s"),
    Column("results", BOOLEAN, "it stores results"),
    Column("result_expires_s", NUMBER, "result_expires; 0: results are kept for ever", "s", 0.0),
    Column("prefetch_multiplier", NUMBER, "worker_prefetch_multiplier; 0: without limit"),
    Column("eta_limit", NUMBER, "worker_eta_task_limit; 0: none", "tasks", 0.0),
    Column("max_tasks_per_child", NUMBER, "worker_max_tasks_per_child; 0: none", "tasks", 0.0),
    Column("max_memory_per_child_bytes", NUMBER, "worker_max_memory_per_child; 0: none", "bytes", 0.0),
    Column("pool_restarts", BOOLEAN, "worker_pool_restarts: its pool can be restarted from outside"),
    Column("cancel_on_loss", BOOLEAN, "worker_cancel_long_running_tasks_on_connection_loss"),
    Column("send_sent_event", BOOLEAN, "task_send_sent_event: events name the queue, and waits can be measured"),
    Column("track_started", BOOLEAN, "task_track_started"),
)


def read(look: Look) -> Reading:
    """Return a row for every worker online that reported its configuration."""
    workers = look.before["workers"]
    if (why := workers.idle.get("queues")) is not None:  # nobody asks the workers
        return Reading(idle={c.name: why for c in COLUMNS})
    if workers.unread is not None:
        return Reading(unread=workers.unread)
    online = [worker for worker in known_workers_of(workers.memory).known.values() if worker.state == "online"]
    rows = tuple(Row(cells) for worker in online if (cells := _cells(worker.inspection)))
    told = {str(row.cells["worker"]) for row in rows}
    silent = [worker.name for worker in online if worker.name not in told]
    asked_by = "flower" if "flower" in look.target.sources else "celery"
    return Reading(rows, missing=f"{asked_by}: {silent[0]} has not reported its configuration yet" if silent else None)


def _cells(seen: WorkerInspection | None) -> Mapping[str, Cell]:
    """Return the cells; empty if it has not reported its configuration."""
    conf = None if seen is None else seen.conf
    settings = None if conf is None else conf.settings
    if seen is None or conf is None or settings is None:
        return {}
    results = bool(conf.result_backend) and not (conf.result_backend or "").startswith("disabled")
    visible_s = conf.visibility_timeout_s or VISIBILITY_TIMEOUT_S
    return cells_of(seen.name, seen.pool or "", conf.transport or "", settings, visible_s, results=results)


def cells_of(worker: str, pool: str, transport: str, settings: WorkerSettings, visible_s: float, *, results: bool) -> dict[str, Cell]:
    """Return the cells of one row; `visible_s`: the visibility timeout."""
    return {
        "worker": worker,
        "pool": pool,
        "transport": transport,
        "acks_late": settings.acks_late,
        "acks_on_failure": settings.acks_on_failure,
        "reject_on_worker_lost": settings.reject_on_worker_lost,
        "time_limit_s": settings.time_limit_s or 0.0,
        "soft_time_limit_s": settings.soft_time_limit_s or 0.0,
        "visibility_timeout_s": visible_s,
        "results": results,
        "result_expires_s": settings.result_expires_s or 0.0,
        "prefetch_multiplier": settings.prefetch_multiplier,
        "eta_limit": float(settings.eta_limit or 0),
        "max_tasks_per_child": float(settings.max_tasks_per_child or 0),
        "max_memory_per_child_bytes": (settings.max_memory_per_child_kb or 0) * 1024.0,
        "pool_restarts": settings.pool_restarts,
        "cancel_on_loss": settings.cancel_on_loss,
        "send_sent_event": settings.send_sent_event,
        "track_started": settings.track_started,
    }


TABLE = Table("conf", "a worker online that reported its configuration", ("worker",), COLUMNS, lambda _: (), read, needs=("workers",))
