"""Workers where Flower says nothing, because there is none or it does not answer: they are asked themselves.

Input: the replies of the workers. Output: the queries, then the same replies in the form that Flower's have, so that everything else about
workers is concluded from them as usual. A worker is known once it has answered. On Redis its mailbox tells a goodbye from a loss: a worker
that stops removes the binding of its mailbox, one that is killed leaves it behind (measured on kombu 5.7).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    Inspected,
    InspectOne,
    Ping,
    Query,
    ReadServer,
    SetMembers,
    WorkerHeartbeats,
    WorkersTasks,
    WorkerStatus,
)
from watchdog.core.model.replies import Replies, WorkerBeat, WorkerInspection
from watchdog.core.model.rows import Asking
from watchdog.core.model.servers.worker_queries import InspectWorkers, PingWorkers
from watchdog.core.model.target import Target, covers
from watchdog.tables.workers.evidence import heard_lately, own_events
from watchdog.tables.workers.inspected.due import Due
from watchdog.tables.workers.inspected.hoarding import queries_about, when_known
from watchdog.tables.workers.inspected.pongs import hears_later, key_prefix_of, ponged
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers
from watchdog.tables.workers.silence import may_be_deaf, questions

__all__ = [
    "NEEDS_BEATS",
    "as_flower_would",
    "asked_all",
    "direct_queries",
    "is_needed",
    "refusal",
    "unanswered",
    "was_asked",
    "why_not_asked",
]

NEEDS_BEATS = ("load1", "load5", "load15", "rss_max_bytes", "clock_drift_s")
"""What only heartbeats say, or what needs them."""
MAILBOXES = "_kombu.binding.celery.pidbox"
MAILBOX = ".celery.pidbox"
SEPARATOR = "\x06\x16"
NOTHING_SAID: dict[str, Any] = {"heartbeats": ()} | dict.fromkeys(("freq_s", "active", "processed", "load", "pid", "version"))
MISSED_S = 15.0
"""A worker that answered or was heard so lately has missed one ping or two: it may just be busy."""


def is_needed(target: Target, replies: Replies, known_workers: KnownWorkers) -> bool:
    """Whether the workers are to be asked in Flower's place; before Flower's first answer, as it was in the last poll."""
    if "celery" not in target.sources:
        return False
    if "flower" not in target.sources:
        return True
    return isinstance(replies.get(WorkerStatus(), dict), Gap) if replies.asked(WorkerStatus()) else known_workers.flower.down


def direct_queries(asking: Asking, known_workers: KnownWorkers) -> list[Query]:
    """Return what is due: the mailboxes on Redis, then one ping to the silent, and an inspection of those that answered or are heard.

    Who may hoard, by what was known before, is asked what it holds beside the ping: a poll has three rounds.
    """
    replies, target = asking.replies, asking.target
    on_redis, prefix = "redis" in target.sources, _prefix(target, known_workers)
    wanted: list[Query] = [Ping(), ReadServer(), SetMembers((prefix + MAILBOXES,))] if on_redis else []
    if (on_redis and isinstance(replies.get(Ping(), object), Gap)) or hears_later(replies, target, known_workers):
        return wanted
    due = Due(asking, known_workers, _with_mailbox(replies, prefix) if on_redis else ())
    pings = [query for query in replies.answers if isinstance(query, PingWorkers)]
    names = due.to_ping() if not pings else None
    wanted += [PingWorkers(names, prefix)] if names is not None else []
    wanted += queries_about(when_known(known_workers.known.values(), asking.now), replies, target, prefix)
    wanted += questions(due.deaf()) if target.hears_tasks else []
    inspected = due.to_inspect() if names is None else ()  # with those that answer the ping
    return [*wanted, *([InspectWorkers(inspected, prefix)] if inspected else [])]


def why_not_asked(replies: Replies, target: Target) -> str:
    """Return why no worker could be asked in this poll; empty if they were, or if nobody was due."""
    queries = _questions(replies)
    gap = next((answer for query in queries if isinstance(answer := replies.get(query, object), Gap)), None)
    broker = replies.get(Ping(), object)
    if not queries and "redis" in target.sources and isinstance(broker, Gap):
        return broker.reason if replies.asked(Ping()) else "celery: not queried"
    return "" if gap is None else gap.reason


def was_asked(replies: Replies) -> bool:
    """Whether any worker was asked in this poll."""
    return bool(_questions(replies))


def _questions(replies: Replies) -> list[PingWorkers | InspectWorkers]:
    return [query for query in replies.answers if isinstance(query, PingWorkers | InspectWorkers)]


def refusal(replies: Replies) -> str:
    """Return why the workers could not be asked something in this poll; empty if they were, or nobody tried."""
    return next((gap.reason for _, gap in replies.gaps("celery")), "")


def unanswered(before: KnownWorkers, known_workers: KnownWorkers, replies: Replies, target: Target, now: float) -> dict[str, float]:
    """Return the names that have a mailbox and never answered, with when each was first seen; `known_workers`: after this poll."""
    there = _with_mailbox(replies, _prefix(target, before))
    return {name: before.unanswered.get(name, now) for name in there if name not in known_workers.known and covers(name, target.workers)}


def as_flower_would(replies: Replies, target: Target, known_workers: KnownWorkers, now: float) -> Replies:
    """Return the replies with what the workers said in the place of Flower's."""
    there, answered = _with_mailbox(replies, _prefix(target, known_workers)), ponged(replies)
    said, heard, known = _inspected(replies), heard_lately(replies, target), known_workers.known
    names = sorted(name for name in {*known, *answered, *heard} if covers(name, target.workers))
    status = {name: name in answered or name in heard or _just_missed(known.get(name), now) for name in names}
    gone = frozenset(name for name in names if _has_left(known.get(name), status[name], there))
    events = own_events(replies, target)
    unheard = [name for name in names if events is None or name not in events.workers]  # what is heard of a worker says more
    beats = {name: _beat(name, known.get(name), said.get(name), now if name in answered else None, gone) for name in unheard}
    instead: dict[Query, object] = {WorkerStatus(): status, WorkerHeartbeats(): beats, Inspected(): {}}
    asked = _asked(replies, names) & {*names}
    ones = {InspectOne(name): {name: said[name]} if name in said else {} for name in asked}
    deaf = [WorkersTasks(name) for name in names if not status[name] and may_be_deaf(known[name].pool)]
    return replies.plus(instead | ones | {query: () for query in deaf if isinstance(replies.get(query, object), Gap)})


def asked_all(replies: Replies, known_workers: KnownWorkers, now: float) -> float | None:
    """Return when all workers that are online were inspected together in this poll; None if they were not."""
    online = {worker.name for worker in known_workers.known.values() if worker.state == "online" and not worker.unknown and not worker.busy}
    inspected = {name for query in replies.answers if isinstance(query, InspectWorkers) for name in query.workers}
    return now if online and online <= inspected else None


def _asked(replies: Replies, names: Iterable[str]) -> frozenset[str]:
    """Return the workers that were asked something which they had to answer, if they could be reached."""
    pings = {name for query in replies.answers if isinstance(query, PingWorkers) for name in query.workers or names}
    return frozenset(pings).union(*(query.workers for query in replies.answers if isinstance(query, InspectWorkers)))


def _prefix(target: Target, known_workers: KnownWorkers) -> str:
    return key_prefix_of(known_workers) if target.key_prefix is None else target.key_prefix


def _with_mailbox(replies: Replies, prefix: str) -> frozenset[str]:
    """Return the workers whose mailbox is bound: those that live, and those that were killed."""
    members = replies.held(SetMembers).found.get(prefix + MAILBOXES, frozenset[str]())
    queues = (member.rpartition(SEPARATOR)[2] for member in members)
    return frozenset(queue.removesuffix(MAILBOX) for queue in queues if queue.endswith(MAILBOX))


def _inspected(replies: Replies) -> Mapping[str, WorkerInspection]:
    answers = [replies.get(query, dict[str, WorkerInspection]) for query in replies.answers if isinstance(query, InspectWorkers)]
    return {name: seen for answer in answers if not isinstance(answer, Gap) for name, seen in answer.items()}


def _just_missed(known: KnownWorker | None, now: float) -> bool:
    if known is None:
        return False
    last = max(known.answered_at or 0.0, known.heard_at or 0.0)
    return known.state == "online" and not known.unknown and not known.busy and 0 <= now - last < MISSED_S


def _has_left(known: KnownWorker | None, online: bool, there: frozenset[str]) -> bool:  # noqa: FBT001 - a cell, not a switch
    """Whether it removed its mailbox. Without any mailbox (another broker, another name of its exchange) nobody is known to have left."""
    return known is not None and not online and known.state != "lost" and bool(there) and known.name not in there


def _beat(name: str, known: KnownWorker | None, seen: WorkerInspection | None, at: float | None, gone: frozenset[str]) -> WorkerBeat:
    """Return what a heartbeat of it would say; `at`: when it answered."""
    before = known.beat if known is not None and known.beat is not None else WorkerBeat(name, online=False, **NOTHING_SAID)
    heartbeats = (at,) if at is not None else () if name in gone else before.heartbeats
    beat = replace(before, online=at is not None, heartbeats=heartbeats, pulses=None, hellos=None, goodbyes=None)
    if seen is None:
        return beat
    return replace(beat, active=None if seen.active is None else len(seen.active), processed=seen.processed, pid=seen.pid)
