"""Messages with an ETA that a worker holds: its `prefetch_count` counts them, together with what its pool may fetch besides.

Input: what is known of each worker. Output: the query, if somebody reads the column; then a number, or why it is unknown. Celery has no
question about their number alone: it lists them, about 0.4 kB each, so that a worker that holds very many is not asked.
"""

from collections.abc import Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import Replies, WorkerInspection
from watchdog.core.model.rows import Asking
from watchdog.core.model.servers.worker_queries import ScheduledByWorkers
from watchdog.tables.workers.inspected.pongs import key_prefix_of
from watchdog.tables.workers.memory import KnownWorkers, inspections

__all__ = ["scheduled_of", "scheduled_queries", "scheduled_seen"]

MOST = 1000
"""More are not listed."""
TOO_MANY = f"celery: it holds more than {MOST} messages, too many to be listed"
NOT_ASKED = "its prefetch count differs from what its settings give it, and it was not asked directly what it holds"


def scheduled_queries(asking: Asking, known_workers: KnownWorkers) -> list[ScheduledByWorkers]:
    """Return the query to the workers that may hold some."""
    if "celery" not in asking.target.sources or not asking.demand.wants("workers", "scheduled"):
        return []
    seen = inspections(asking.replies, known_workers, asking.target)
    names = sorted(name for name, inspection in seen.items() if _certain(inspection) is None and not _too_many(inspection))
    online = [name for name in names if (known := known_workers.known.get(name)) is None or known.state in ("", "online")]
    return [ScheduledByWorkers(tuple(online), key_prefix_of(known_workers))] if online else []


def scheduled_seen(replies: Replies) -> tuple[Mapping[str, int], str]:
    """Return what the workers said in this poll, and why they could not be asked; empty if they could, or were not."""
    answers = [replies.get(query, dict[str, int]) for query in replies.answers if isinstance(query, ScheduledByWorkers)]
    why = next((answer.reason for answer in answers if isinstance(answer, Gap)), "")
    return {name: count for answer in answers if not isinstance(answer, Gap) for name, count in answer.items()}, why


def scheduled_of(name: str, seen: WorkerInspection, said: Mapping[str, int], why: str) -> int | str:
    """Return how many messages with an ETA a worker holds, or why that is unknown."""
    certain = _certain(seen)
    if certain is not None or name in said:
        return said.get(name, certain or 0)
    return why or (TOO_MANY if _too_many(seen) else NOT_ASKED)


def _certain(seen: WorkerInspection) -> int | None:
    """Return 0 if its prefetch count is exactly what its pool and settings give it; None if it may hold some."""
    multiplier = _multiplier(seen)
    if not seen.prefetch or not multiplier or seen.pool_size is None:
        return None
    return 0 if seen.prefetch == multiplier * seen.pool_size else None


def _too_many(seen: WorkerInspection) -> bool:
    return seen.prefetch is None or seen.prefetch > MOST + _multiplier(seen) * (seen.pool_size or 0)


def _multiplier(seen: WorkerInspection) -> float:
    """Return its worker_prefetch_multiplier, as its settings have it; 0 if they are not known. Its command line may say otherwise."""
    settings = seen.conf.settings if seen.conf is not None else None
    return settings.prefetch_multiplier if settings is not None else 0.0
