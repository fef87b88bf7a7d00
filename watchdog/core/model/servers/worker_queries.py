"""Queries that workers answer themselves, over their remote control (celery/worker/control.py).

Each names the workers that are asked; an empty tuple asks all. Who does not answer in time is missing in the reply: a pool that executes
tasks in the worker's own process (solo) answers nothing meanwhile, so silence proves nothing by itself. Costs were measured on Celery 5.7
with 3 workers on Redis; one worker that does not answer costs the whole `timeout` (1 s).
"""

from watchdog.core.model.queries import Query

__all__ = ["HeldByWorkers", "InspectWorkers", "PingWorkers", "PlansOfWorkers", "ScheduledByWorkers"]


class _OfWorkers(Query, frozen=True):
    source = "celery"
    workers: tuple[str, ...] = ()
    key_prefix: str = ""
    """Celery's global_keyprefix, as the workers report it; that of the configuration wins."""


class PingWorkers(_OfWorkers, frozen=True):
    """`ping`. -> `frozenset[str]`, those that answered (25 ms)."""


class InspectWorkers(_OfWorkers, frozen=True):
    """`stats`, `active_queues`, `active`, `conf`, `registered`. -> `dict[str, WorkerInspection]` of those that answered (60 ms, 4 kB)."""


class PlansOfWorkers(_OfWorkers, frozen=True):
    """`conf` and `registered`: what Flower's `WorkerPlans` are made of. -> `dict[str, WorkerPlan]` of those that answered."""

    good_for_s = 60.0


class HeldByWorkers(_OfWorkers, frozen=True):
    """`reserved`. -> `dict[str, HeldMessages]` of those that answered (25 ms, 0.4 kB a message)."""

    good_for_s = 30.0


class ScheduledByWorkers(_OfWorkers, frozen=True):
    """`scheduled`. -> `dict[str, int]`, how many messages with an ETA each holds (25 ms, 0.4 kB a message)."""

    good_for_s = 30.0
