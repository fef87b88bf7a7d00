"""The silent are asked themselves before they are called lost: one ping to all of them, which costs Flower nothing.

Input: the workers that fell silent, the replies so far. Output: the ping, then who answered it. An answer proves that a worker lives,
whatever Flower shows; no answer proves nothing (a solo pool is deaf while it executes a task, and the broker may refuse us): then Flower is
asked to refresh the worker, as without this source.
"""

from collections.abc import Sequence

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import HearWorkers
from watchdog.core.model.replies import Replies
from watchdog.core.model.servers.worker_queries import PingWorkers
from watchdog.core.model.target import Target
from watchdog.tables.workers.memory import KnownWorkers

__all__ = ["hears_later", "key_prefix_known", "key_prefix_of", "ping_first", "ponged"]


def hears_later(replies: Replies, target: Target, known_workers: KnownWorkers) -> bool:
    """Whether what was heard comes in a later round of this poll, and may be of a worker that now seems silent.

    So it is while the key prefix is unknown: the channels of events are known once Flower has said what it knows of the workers.
    """
    if "events" not in target.sources or any(isinstance(query, HearWorkers) for query in replies.answers):
        return False
    return any(worker.ear_at is not None for worker in known_workers.known.values())


def ping_first(
    silent: Sequence[str], replies: Replies, target: Target, prefix: str, *, last_round: bool
) -> tuple[list[PingWorkers], list[str]]:
    """Return the ping that is due, and the workers that are left to Flower in this round: all of them if it is the last one."""
    if "celery" not in target.sources or not silent:
        return [], list(silent)
    if not any(isinstance(query, PingWorkers) for query in replies.answers):
        return [PingWorkers(tuple(silent), prefix)], list(silent) if last_round else []
    answered = ponged(replies)
    return [], [name for name in silent if name not in answered]


def ponged(replies: Replies) -> frozenset[str]:
    """Return the workers that answered a ping in this poll."""
    answers = [replies.get(query, frozenset[str]) for query in replies.answers if isinstance(query, PingWorkers)]
    return frozenset[str]().union(*(answer for answer in answers if not isinstance(answer, Gap)))


def key_prefix_known(known_workers: KnownWorkers) -> bool:
    """Whether a worker has reported Celery's key prefix, if only that there is none."""
    return _reported(known_workers) is not None


def key_prefix_of(known_workers: KnownWorkers) -> str:
    """Return Celery's key prefix, as the workers reported it; empty if none did."""
    return _reported(known_workers) or ""


def _reported(known_workers: KnownWorkers) -> str | None:
    confs = (worker.inspection.conf for worker in known_workers.known.values() if worker.inspection is not None)
    return next((conf.key_prefix for conf in confs if conf is not None and conf.key_prefix is not None), None)
