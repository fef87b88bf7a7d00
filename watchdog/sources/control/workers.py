"""Workers by Celery's own remote control, through the broker: asked what they are, and told what to do.

In: a connection's arguments, a request. Out: `WorkerKnown` values and answers. May raise whatever kombu and redis-py raise, and may hang
where their timeouts do not reach: the caller bounds every call. Imported at the first use: celery is slow to import.
"""

from collections.abc import Collection, Mapping
from typing import Any

from celery import Celery

from watchdog.core.actions.calls import by_control, worker_answer
from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer
from watchdog.core.actions.request import Request, WorkerKnown
from watchdog.sources.control.answers import worker_known

__all__ = ["WorkersByControl"]

PINGS = 3
"""How often a worker that was shut down is pinged."""


class WorkersByControl:
    """The workers of one broker. `connection`: see `sources.celery.broker`; `wait_s`: how long each question waits for answers."""

    def __init__(self, connection: Mapping[str, Any], wait_s: float) -> None:
        self._wait_s = wait_s
        self._app = Celery("watchdog", set_as_current=False)
        self._app.conf.update(  # given to the app: of a connection for one command, only the answers would use it
            broker_url=connection["hostname"],
            broker_use_ssl=connection["ssl"] or None,
            broker_transport_options=connection["transport_options"],
            broker_connection_timeout=connection["connect_timeout"],
            broker_connection_retry=False,
        )
        self._control = self._app.control

    def close(self) -> None:
        """Close the connections; the queue of the answers goes with them."""
        self._app.close()

    def known(self, request: Request, others: Collection[str]) -> dict[str, WorkerKnown]:
        """Every worker that answers, and those of `others` that do not. Each is asked only what the request needs."""
        stats = self._inspect(None).stats() or {}
        names = sorted(stats)
        queues: Mapping[str, Any] = (self._inspect(names).active_queues() if names else None) or {}
        tasks: Mapping[str, Any] = (self._inspect(names).registered() if names and request.task else None) or {}
        confs: Mapping[str, Any] = {}
        if names and request.kind == "restart-pool":
            confs = self._inspect(names).conf(with_defaults=True) or {}
        found = {name: worker_known(name, stats[name], queues.get(name), tasks.get(name), confs.get(name)) for name in names}
        return found | {name: WorkerKnown(name, answers=False) for name in others if name not in found}

    def holders(self, task_id: str, names: Collection[str]) -> dict[str, str]:
        """Worker -> what it does with the task, for those that have it."""
        told = (self._inspect(sorted(names)).query_task(task_id) if names else None) or {}
        return {name: str(held[task_id][0]) for name, held in told.items() if isinstance(held, dict) and held.get(task_id)}

    def act(self, request: Request, workers: Collection[str], silent: Collection[str] = ()) -> dict[str, Answer]:
        """Tell the workers, and return their answers. `silent`: those that did not answer before either."""
        command, arguments = by_control(request)
        told = self._control.broadcast(
            command,
            arguments=arguments,
            destination=sorted(workers),
            reply=KINDS[request.kind].answers,
            timeout=self._wait_s,
            limit=len(workers),
        )
        if not KINDS[request.kind].answers:
            return self._gone(workers, silent)
        return {name: worker_answer(raw) for answer in told or () if isinstance(answer, dict) for name, raw in answer.items()}

    def _gone(self, workers: Collection[str], silent: Collection[str]) -> dict[str, Answer]:
        """Whether those that were shut down still answer."""
        left = sorted(workers)
        for _ in range(PINGS):
            left = sorted(name for answer in self._ping(left) for name in answer) if left else []
        gone = Answer(worked=True, text="no longer answers: it stops, or has stopped")
        there = Answer(worked=None, text=f"still answers after {PINGS} pings; look again with `watchdog status`")
        neither = Answer(worked=None, text="answers neither now nor before: whether it got this is not known")
        return {name: there if name in left else neither if name in silent else gone for name in workers}

    def _ping(self, names: Collection[str]) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self._control.ping(destination=list(names), timeout=self._wait_s / PINGS, limit=len(names))
        return found

    def _inspect(self, names: Collection[str] | None) -> Any:
        limit = len(names) if names else None
        return self._control.inspect(destination=list(names) if names else None, timeout=self._wait_s, limit=limit)
