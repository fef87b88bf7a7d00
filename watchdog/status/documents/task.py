"""`watchdog task --json`: one task, with where each part was found.

In: what is known of it on each target. Out: JSON values. Unknown is null, with its reason under `gaps`. Arguments and results are null
too where `hidden` is true.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from watchdog.core.incidents.payload import iso

if TYPE_CHECKING:
    from watchdog.core.model.replies import WholeTaskSeen
    from watchdog.tables.running.one_task import OneTask

__all__ = ["MOMENTS", "link_to", "ran_s", "task_document", "waited_s"]

MOMENTS = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
"""What can happen to a task, in this order."""


def task_document(asked_for: str, tasks: Sequence["OneTask"], now: float) -> dict[str, Any]:
    """The document: where it was found, and where it was not."""
    return {
        "version": 1,
        "asked_for": asked_for,
        "tasks": [_found(task, now) for task in tasks if task.found],
        "not_found": [
            {"target": task.target.name, "begin_so": [match.id for match in task.matches], "gaps": _gaps(task)}
            for task in tasks
            if not task.found
        ],
    }


def _gaps(task: "OneTask") -> dict[str, str]:
    gaps = {"flower": task.flower_gap, "results": task.results_gap}
    return {source: why for source, why in gaps.items() if why}


def _found(task: "OneTask", now: float) -> dict[str, Any]:
    seen, stored, shown = task.seen, task.stored, task.target.show_arguments
    at = {moment: getattr(seen, moment) for moment in MOMENTS}
    return {
        "target": task.target.name,
        "id": task.id,
        "state": seen.state,
        "stored_state": stored.status,
        "name": seen.name or stored.name,
        "worker": seen.worker or stored.worker,
        "client": seen.client,
        "queue": seen.routing_key or stored.queue,
        "exchange": seen.exchange or None,
        "retries": seen.retries if seen.retries is not None else stored.retries,
        "at": {moment: None if when is None else iso(when) for moment, when in at.items()},
        "eta": seen.eta,
        "expires": seen.expires,
        "stored_at": stored.done,
        "waited_s": waited_s(seen),
        "ran_s": ran_s(seen, now),
        "progress": stored.reported.progress,
        "step": stored.reported.step,
        "args": (seen.args or stored.args_json) if shown else None,
        "kwargs": (seen.kwargs or stored.kwargs_json) if shown else None,
        "result": (stored.result_json or seen.result) if shown else None,
        "reported": stored.reported.meta_json if shown else None,
        "hidden": not shown,
        "exception": seen.exception or stored.exception,
        "traceback": seen.traceback or stored.traceback,
        "root": seen.root_id,
        "parent": seen.parent_id or stored.parent_id,
        "children": list(seen.children or stored.children),
        "link": link_to(task),
        "gaps": _gaps(task),
    }


def link_to(task: "OneTask") -> str | None:
    """Flower's page of it, if it lists the task."""
    base = task.target.link
    return None if base is None or task.seen.state is None else f"{base}/task/{quote(task.id, safe='')}"


def waited_s(seen: "WholeTaskSeen") -> float | None:
    """How long it waited for a worker's process; None if one of the times is unknown, or the clocks of sender and worker contradict it."""
    since = seen.sent if seen.sent is not None else seen.received
    if since is None or seen.started is None or seen.started < since:
        return None
    return round(seen.started - since, 3)


def ran_s(seen: "WholeTaskSeen", now: float) -> float | None:
    """How long it ran, or has been running; None if that is unknown."""
    if seen.runtime is not None:
        return seen.runtime
    if seen.started is None:
        return None
    ended = next((at for at in (seen.failed, seen.succeeded, seen.retried, seen.revoked) if at is not None), None)
    until = ended if ended is not None else now if seen.state == "STARTED" else None
    return None if until is None or until < seen.started else round(until - seen.started, 3)
