"""The queries for periodic tasks: to Flower for what workers say, to Redis or a database for what schedulers keep there."""

from watchdog.core.model.queries import OfKeys, Query
from watchdog.core.model.schedules.periodic import RedbeatEntry

__all__ = ["DjangoTasks", "KeyLife", "RedbeatEntries", "ScoredMembers", "WorkerPlans"]


class WorkerPlans(Query, frozen=True):
    """`/api/workers`: the tasks that workers register, and their `beat_schedule`. -> `dict[str, WorkerPlan]` (3 ms, 5 kB per worker)."""

    source = "flower"
    good_for_s = 30.0


class DjangoTasks(Query, frozen=True):
    """One SELECT on the tables of django-celery-beat: what is enabled. -> `PeriodicTasks` (5 ms, and as much for a connection)."""

    source = "django"
    good_for_s = 30.0


class ScoredMembers(Query, frozen=True):
    """ZRANGE key 0 limit-1: the members with the lowest scores. -> `tuple[str, ...]`; a missing key has none."""

    source = "redis"
    key: str
    limit: int


class RedbeatEntries(OfKeys[RedbeatEntry], frozen=True):
    """HGETALL of each key: an entry of redbeat. -> `Held[RedbeatEntry]`."""


class KeyLife(Query, frozen=True):
    """PTTL: for how long a key lives on. -> `float` seconds; 0: there is no such key; infinity: it never ends."""

    source = "redis"
    key: str
