"""Failed runs of tasks: read from Flower, and as messages for Redis and RabbitMQ.

In: ids, or a task and a time; then a run. Out: what Flower knows of each; the message, and the key that marks it as sent.
"""

import base64
import json
import socket
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from watchdog.core.actions.again import Run
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import FailedTasks, WholeTask
from watchdog.core.model.replies import WholeTaskSeen
from watchdog.sources.base import Source

if TYPE_CHECKING:
    from amqp.basic_message import Message
    from celery.app.amqp import task_message

__all__ = ["MOST_LISTED", "amqp_message_of", "failed_ids", "mark_of", "message_of", "seen_whole"]

MOST_LISTED = 1000
"""So many failed runs are looked at, at most."""


def failed_ids(source: Source, task: str, since: float) -> tuple[list[str], bool] | Gap:
    """The ids of the runs of a task that failed since then (epoch seconds), of the last that Flower lists; the first to fail first.

    And whether there may be more.
    """
    query = FailedTasks(MOST_LISTED)
    found = source.ask([query]).replies.get(query, Gap("flower: gave no list of failed tasks"))
    if isinstance(found, Gap):
        return found
    assert isinstance(found, tuple)  # noqa: S101 - the reply type of the query
    failed = [one for one in found if one.name == task and one.failed is not None and one.failed >= since]
    cut = len(found) >= MOST_LISTED and all(one.failed is None or one.failed >= since for one in found)
    return [one.id for one in sorted(failed, key=lambda one: one.failed)], cut


def seen_whole(source: Source, ids: Iterable[str], progress: Callable[[int], None]) -> list[WholeTaskSeen] | Gap:
    """What Flower knows of each."""
    found = []
    for number, one in enumerate(ids, 1):
        answer = source.ask([WholeTask(one)]).replies.get(WholeTask(one))
        if isinstance(answer, Gap):
            return answer
        found.append(answer if isinstance(answer, WholeTaskSeen) else WholeTaskSeen(one))
        progress(number)
    return found


def mark_of(run: Run, prefix: str) -> str:
    """The key that says that this failure was sent again. If the new run fails too, that is another one."""
    return f"{prefix}watchdog.sent-again.{run.id}.{round((run.failed_at or 0.0) * 1000)}"


def _made(run: Run) -> "tuple[task_message, dict[str, Any]]":
    """The run as Celery makes a message of it, under its old id, and the properties that every broker wants."""
    from celery import Celery  # noqa: PLC0415 - slow to import

    made = Celery("watchdog", set_as_current=False).amqp.as_task_v2(
        run.id, run.task, args=list(run.args), kwargs=run.kwargs, origin=f"watchdog@{socket.gethostname()}", root_id=run.id
    )
    return made, {**made.properties, "reply_to": made.properties.get("reply_to") or str(uuid.uuid4()), "delivery_mode": 2}


def amqp_message_of(run: Run) -> "Message":
    """The run as a message for RabbitMQ: headers and body as Celery makes them."""
    from amqp.basic_message import Message  # noqa: PLC0415 - imported where it is used

    made, properties = _made(run)
    told = {"content_type": "application/json", "content_encoding": "utf-8", "priority": 0}
    return Message(json.dumps(made.body).encode(), application_headers=made.headers, **told, **properties)


def message_of(run: Run) -> bytes:
    """The run as a message in a Redis list: around what Celery makes, what kombu adds."""
    made, known = _made(run)
    properties = {
        **known,
        "delivery_info": {"exchange": "", "routing_key": run.queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    body = base64.b64encode(json.dumps(made.body).encode()).decode()
    head = {"content-encoding": "utf-8", "content-type": "application/json"}
    return json.dumps({"body": body, **head, "headers": made.headers, "properties": properties}).encode()
