"""One task as its events show it: what its sender and its workers said of it, and which workers execute it.

In: its events, in the order of their arrival. Out: what is listed of it.
"""

from collections.abc import Mapping
from copy import copy
from typing import Self

from watchdog.core.model.replies import TaskSeen
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.moments import moment
from watchdog.sources.task_texts import arguments_of, cut, last_line

__all__ = ["ENDED", "Run"]

STATES = {
    "task-received": "RECEIVED",
    "task-started": "STARTED",
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-retried": "RETRY",
    "task-revoked": "REVOKED",
    "task-rejected": "REJECTED",
    "task-cancelled": "CANCELLED",
}
ENDED = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
OF_ITSELF = frozenset({"revoked", "rejected", "cancelled"})
"""Words of a worker that say nothing of another one: it may have got the message and not started it, or been cut off from it."""
NO_END_BEFORE = frozenset({"rejected", "cancelled"})
"""Words that change nothing after an end."""
SETTLED_S = 1.0
"""A worker that says so much later that it executes nothing does not execute this task."""


class Run:
    """One task. Times are by its worker's clock; `sent` by its sender's."""

    __slots__ = (
        "arguments", "cancelled", "exception", "expires", "failed", "has_eta", "id", "name", "received", "retried", "retries", "revoked",
        "routing_key", "runtime", "sent", "started", "state", "succeeded", "timestamp", "traceback_last", "twins", "worker",
    )  # fmt: skip

    def __init__(self, task_id: str) -> None:
        self.id, self.state = task_id, "PENDING"
        self.name: str | None = None
        self.worker: str | None = None
        self.sent: float | None = None
        self.received: float | None = None
        self.started: float | None = None
        self.succeeded: float | None = None
        self.failed: float | None = None
        self.retried: float | None = None
        self.revoked: float | None = None
        self.cancelled: float | None = None
        """When its worker stopped in the middle of it (a cold shutdown), or lost its connection and ended it."""
        self.timestamp: float | None = None
        self.runtime: float | None = None
        self.expires: float | None = None
        self.exception: str | None = None
        self.traceback_last: str | None = None
        self.retries: int | None = None
        self.routing_key: str | None = None
        self.arguments: str | None = None
        self.has_eta = False
        self.twins: dict[str, float | None] | None = None
        """Workers that started it before the last one did, and have not said that it ended there; when each started it."""

    def sends(self, event: TaskEvent) -> None:
        """Its sender's word. It may come after the worker's: senders and workers have connections of their own.

        Of a task with a shadow, the sender says the task's name, and the worker the shadow, by which it is counted whichever comes first.
        """
        self.sent, self.routing_key = event.timestamp, cut(event.queue or event.routing_key)
        by_worker = self.name if self.received is not None else None
        self._describes(event)
        self.name = by_worker or self.name

    def goes_on(self, event: TaskEvent, kind: str) -> Self | None:
        """Its worker's word. If it is the end of one execution while another worker's goes on, that one is split off and returned."""
        if kind == "cancelled" and self.twins and event.hostname == self.worker:
            self._goes_on_elsewhere(list(self.twins.items()))
            return None
        elsewhere = self.state == "STARTED" and self.worker not in (None, event.hostname)
        if not elsewhere:
            self._last_word(event, kind)
        elif kind == "started":
            self.twins = {worker: at for worker, at in self._executions().items() if worker != event.hostname}
            self._last_word(event, kind)
        elif kind == "received":
            self._describes(event)
        elif event.hostname in (self.twins or {}) or kind in OF_ITSELF:
            return self._ends_there(event, kind)
        else:
            self._last_word(event, kind)
        return None

    @property
    def ran(self) -> bool:
        """Whether it ran before, and was then to be retried, or cut off."""
        return self.retried is not None or self.cancelled is not None

    def settles(self, idle: Mapping[str, float]) -> bool:
        """Workers said, at this time by their clocks, that they execute nothing. Return whether it ended with that."""
        if self.twins is None:
            return _settled(self.started, idle.get(self.worker or ""))
        going = [(worker, at) for worker, at in self._executions().items() if not _settled(at, idle.get(worker))]
        if going:
            self._goes_on_elsewhere(going)
        return not going

    def _goes_on_elsewhere(self, going: list[tuple[str, float | None]]) -> None:
        """The execution that began last has ended; these go on, the last one last."""
        (self.worker, self.started), self.twins = going[-1], dict(going[:-1]) or None

    def _executions(self) -> dict[str, float | None]:
        """Worker -> when it started it, the last one last."""
        return {**(self.twins or {}), self.worker or "": self.started}

    def _ends_there(self, event: TaskEvent, kind: str) -> Self:
        over, twins = copy(self), dict(self.twins or {})
        over.worker, over.started, over.twins = event.hostname, twins.pop(event.hostname, None), None
        over.goes_on(event, kind)
        self.twins = twins or None
        return over

    def _last_word(self, event: TaskEvent, kind: str) -> None:
        at = event.timestamp
        self.worker, self.timestamp = event.hostname, at
        if kind != "rejected":
            setattr(self, kind, at)
        if kind == "received":
            self._describes(event)
        elif kind == "succeeded":
            self.runtime = event.runtime
        elif event.exception is not None:
            self.exception, self.traceback_last = cut(event.exception), last_line(event.traceback)
        state = STATES[event.type]
        if not (kind == "received" and self.state == "STARTED") and not (kind in NO_END_BEFORE and self.state in ENDED):
            self.state = state
        if self.state != "STARTED":
            self.twins = None  # the older ones may be of workers that died: what of them goes on says so at its end

    def _describes(self, event: TaskEvent) -> None:
        self.name = cut(event.name) or self.name
        self.retries = event.retries if event.retries is not None else self.retries
        self.has_eta |= event.eta is not None
        if event.expires is not None:
            self.expires = moment(event.expires)
        arguments = arguments_of(event.args, event.kwargs)
        self.arguments = arguments if arguments is not None else self.arguments

    def seen(self) -> TaskSeen:
        """Return it as it is listed."""
        return TaskSeen(
            id=self.id,
            name=self.name,
            state=self.state,
            worker=self.worker,
            received=self.received,
            started=self.started,
            succeeded=self.succeeded,
            failed=self.failed,
            runtime=self.runtime,
            exception=self.exception,
            traceback_last=self.traceback_last,
            retries=self.retries,
            routing_key=self.routing_key,
            timestamp=self.timestamp,
            retried=self.retried,
            revoked=self.revoked,
            expires=self.expires,
            arguments=self.arguments if self.state == "STARTED" else None,
            sent=self.sent,
            has_eta=self.has_eta,
            also_on=tuple((self.twins or {}).items()),
        )


def _settled(started: float | None, idle_at: float | None) -> bool:
    return idle_at is not None and started is not None and started < idle_at - SETTLED_S
