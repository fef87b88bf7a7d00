"""`workers`: one row per worker seen within `forget_after`, from Flower's heartbeats, event states and inspect cache."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import rises_per_min, second_look_needed, totals, within
from watchdog.core.model.queries import STARTED_TASKS, HearWorkers, Inspected, Query, ReadEventCounters, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import EventCounters, WorkerInspection
from watchdog.core.model.rows import Asking, Column, Key, Kind, Look, Reading, Sample, Table
from watchdog.core.model.servers.heard import CutOff
from watchdog.core.model.target import Target
from watchdog.tables.workers.evidence import beats_of, own_events, why_not_heard
from watchdog.tables.workers.inspected.directly import direct_queries, is_needed, was_asked
from watchdog.tables.workers.inspected.instead import BY_FLOWER, NOT_ASKED, Told, told
from watchdog.tables.workers.inspected.scheduled import scheduled_queries
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers, inspections, known_workers_of
from watchdog.tables.workers.presence import ear_unsettled, questions_of_presence
from watchdog.tables.workers.refreshes import queries_due
from watchdog.tables.workers.rows import WorkerRows, blind_row

__all__ = ["TABLE"]

NUMBER, TEXT, BOOLEAN = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN

COLUMNS = (
    Column("name", TEXT, "the worker's full name, such as celery@web-1"),
    Column("kind", TEXT, "the pattern of `kinds` that it matches, else the name with digits and pod or hash suffixes folded: celery@web-*"),
    Column("host", TEXT, "what follows the @"),
    Column("state", TEXT, "online; left: it said goodbye; lost: it did not", allowed=("online", "left", "lost")),
    Column("silent_s", NUMBER, "since its last sign of life", "s", 0.0),
    Column("uptime_s", NUMBER, "since its process started", "s", 0.0),
    Column("active", NUMBER, "tasks it executes now, by its own heartbeat", "tasks", 0.0),
    Column("pool_size", NUMBER, "tasks it can execute at once", "tasks", 0.0),
    Column("saturated", BOOLEAN, "active has reached pool_size"),
    Column("processed", NUMBER, "tasks it took since it started", "tasks", 0.0),
    Column("processed_per_min", NUMBER, "tasks it took a minute", "1/min", 0.0, windowed=True),
    Column("reserved", NUMBER, "tasks it has fetched and not started", "tasks", 0.0),
    Column(
        "prefetch_count", NUMBER, "messages that it may hold at once; 0: no limit; one more for each that waits for its ETA", "messages"
    ),
    Column("scheduled", NUMBER, "messages with an ETA that it holds", "messages", 0.0),
    Column(
        "hoarded",
        NUMBER,
        "messages it has fetched and not started, while another worker of the same queues has nothing to do; "
        "0 where it may hold no more than Celery's default, 4 for each process",
        "messages",
        0.0,
    ),
    Column("load1", NUMBER, "its host's load average over 1 minute"),
    Column("load5", NUMBER, "its host's load average over 5 minutes"),
    Column("load15", NUMBER, "its host's load average over 15 minutes"),
    Column(
        "cpu_ratio",
        NUMBER,
        "CPU of one core that its main process used between its last two inspections; without a prefork pool's",
        "",
        0.0,
    ),
    Column(
        "rss_max_bytes",
        NUMBER,
        "the most memory that its main process, or what started it, ever held; without a prefork pool's",
        "bytes",
        0.0,
    ),
    Column(
        "clock_drift_s",
        NUMBER,
        "how far it is ahead of Flower's clock, else of watchdog's; negative: behind; as far as its events show it, 0 where it sends none",
        "s",
        0.0,
    ),
    Column("pid", NUMBER, "its main process"),
    Column("restarts", NUMBER, "times its process changed under the same name", neutral=0.0, windowed=True),
    Column("crashes", NUMBER, "those without a goodbye before them", neutral=0.0, windowed=True),
    Column("duplicate", BOOLEAN, "two processes take turns under its name"),
    Column("replaced", BOOLEAN, "as many of its kind are online as when it was last online"),
    Column("peers", NUMBER, "workers online of its kind that consume its queues, itself included", "workers", 0.0),
    Column("peers_before", NUMBER, "how many they were when it was last online", "workers", 0.0),
    Column("abandoned", NUMBER, "of a worker that is gone: tasks that it executed and that have not ended since", "tasks", 0.0),
    Column("unserved", TEXT, "of a worker that is gone: the queues it consumed that no worker online does, joined by a comma", neutral=""),
    Column("served", TEXT, "of a worker that is gone: the queues it consumed that others still do, joined by a comma", neutral=""),
    Column("version", TEXT, "its Celery version"),
    Column("queues", TEXT, "the queues it consumes, sorted, joined by a comma"),
    Column("returns", NUMBER, "times the same process was heard again after it was lost", neutral=0.0, windowed=True),
)
NOBODY = "events: no worker has been heard yet, and this target has no `flower`: is there none, or do they send no heartbeats?"
NOBODY_ANSWERED = (
    "celery: no worker has answered yet, and this target has no `flower`: is there none, is this not their broker, "
    "or do they take no JSON (accept_content)?"
)


def asks(asking: Asking) -> Iterable[Query]:
    """Return what is heard, Flower's cheap queries of each cycle, then the refreshes that their answers require; or ask the workers."""
    known_workers, sources = known_workers_of(asking.memory), asking.target.sources
    cheap: list[Query] = [*_hearing(asking, known_workers)]
    if not sources.isdisjoint(("flower", "events")):
        cheap += questions_of_presence(asking.target)
    direct = direct_queries(asking, known_workers) if is_needed(asking.target, asking.replies, known_workers) else []
    cheap += scheduled_queries(asking, known_workers)
    if not asking.target.without_tasks:
        cheap += [ReadEventCounters(), *(_of_abandoned(asking.target) if asking.demand.wants("workers", "abandoned") else [])]
    if "flower" not in sources:
        return [*cheap, *direct]
    cheap += [WorkerStatus(), WorkerHeartbeats(), Inspected()]
    return [*cheap, *direct, *queries_due(asking, known_workers)]


def _of_abandoned(target: Target) -> list[Query]:
    """What shows which tasks a worker that is gone left unfinished."""
    return [STARTED_TASKS, *([CutOff()] if target.hears_tasks or target.hears_beside_flower else [])]


def _hearing(asking: Asking, known_workers: KnownWorkers) -> Iterable[HearWorkers]:
    """Yield the query for events, once it is known which prefix their channels have: that of the workers' keys in Redis."""
    target, replies = asking.target, asking.replies
    if "events" not in target.sources:
        return
    if target.key_prefix is not None:
        yield HearWorkers(target.key_prefix)
        return
    seen = [worker.inspection for worker in known_workers.known.values() if worker.inspection is not None]
    seen += inspections(replies, known_workers, target).values() if not seen and replies.asked(Inspected()) else ()
    prefixes = [(one.at or 0.0, one.conf.key_prefix) for one in seen if one.conf is not None and one.conf.key_prefix is not None]
    if prefixes:
        yield HearWorkers(max(prefixes)[1])
    elif "flower" not in target.sources or replies.asked(Inspected()):
        yield HearWorkers()


def read(look: Look) -> Reading:
    """Return a row for every known worker."""
    if look.target.sources.isdisjoint(("flower", "events", "celery")):
        return Reading(idle=dict.fromkeys((c.name for c in COLUMNS), NOT_ASKED))
    before = known_workers_of(look.memory)
    seen = told(look, before)
    look, known_workers = replace(look, replies=seen.replies), seen.known_workers
    idle = {c.name: c.later for c in COLUMNS if c.later} | second_look_needed(look, "processed_per_min") | dict(seen.idle)
    idle |= {column: NOT_READ for column in ("abandoned", "scheduled") if not look.demand.wants("workers", column)}
    if "flower" not in look.target.sources and not known_workers.known and (nobody := _nobody_known(look, seen)):
        return nobody
    status = look.replies.get(WorkerStatus(), dict[str, bool])
    if isinstance(status, Gap) and own_events(look.replies, look.target) is None:
        why = why_not_heard(look.replies) if look.target.sources.isdisjoint(("flower", "celery")) else status.reason
        columns = tuple(c.name for c in COLUMNS if c.name not in idle)
        rows = tuple(blind_row(worker, known_workers.kind(worker.name), why, columns) for worker in known_workers.known.values())
        return Reading(rows, unread=why, idle=idle, memory=known_workers)
    _, beats_missing = beats_of(look.replies, look.target)
    sample = Sample(look.now, totals(look.history, {} if beats_missing else _taken(known_workers)))
    rates = rises_per_min(within(look), sample) if "processed_per_min" not in idle else {}
    of_worker = WorkerRows(look, known_workers, idle, rates, beats_missing)
    rows = tuple(map(of_worker.row, known_workers.known.values()))
    let_go = frozenset((name,) for name in {*before.known, *known_workers.forgotten} if name not in known_workers.known)
    without_page, note = _without_page(look, known_workers), seen.note or seen.denied
    return Reading(rows, idle=idle, memory=known_workers, sample=sample, forgotten=let_go, without_page=without_page, note=note)


def _nobody_known(look: Look, seen: Told) -> Reading | None:
    """Return the reading if there is no Flower and no worker was ever heard or answered; None if that means that there is none.

    Workers may send no heartbeats, or use another broker. Only who expects some wants to be told.
    """
    events, target = own_events(look.replies, look.target), look.target
    everything = [c.name for c in COLUMNS]
    if seen.denied and events is None and "events" not in target.sources:  # as without this source: nobody asked for it
        return Reading(idle=dict.fromkeys(everything, seen.denied))
    if events is None and not (seen.directly and was_asked(look.replies)):
        return None
    if not (target.min_workers or target.min_workers_by_name or target.expected_workers):
        return Reading(idle=dict.fromkeys(everything, NOBODY_ANSWERED if seen.directly else NOBODY), memory=seen.known_workers)
    why = ear_unsettled(events.since_s) if events is not None and not seen.directly else None
    return Reading(unread=why, idle=dict.fromkeys(BY_FLOWER, NOT_ASKED)) if why else None


def _taken(known_workers: KnownWorkers) -> dict[str, float]:
    """Worker -> the tasks it took, by its heartbeat, for those that are heard."""
    heard = (w for w in known_workers.known.values() if w.state == "online" and not w.unknown and w.vouched_at is None)
    return {w.name: float(w.beat.processed) for w in heard if w.beat is not None and w.beat.processed is not None}


def _without_page(look: Look, known_workers: KnownWorkers) -> frozenset[Key]:
    """Return the workers without an inspection in Flower that are not online to be inspected: Flower forgets them when it restarts."""
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    started_at = None if isinstance(counters, Gap) else counters.started_at
    cached = look.replies.get(Inspected(), dict[str, WorkerInspection])
    listed = None if isinstance(cached, Gap) else cached
    gone = (worker for worker in known_workers.known.values() if worker.state != "online")
    return frozenset((worker.name,) for worker in gone if not _may_have_page(worker, started_at, listed))


def _may_have_page(worker: KnownWorker, started_at: float | None, listed: Mapping[str, WorkerInspection] | None) -> bool:
    """Whether Flower has a page for a worker. There is none without `stats`.

    The last inspection decides, because Flower's list of inspections is cached; otherwise the list.
    """
    seen = worker.inspection
    if seen is not None and seen.at is not None and started_at is not None:
        return seen.pool is not None and seen.at >= started_at
    return listed is None or (worker.name in listed and listed[worker.name].pool is not None)


TABLE = Table("workers", "a worker seen within `forget_after`", ("name",), COLUMNS, asks, read, memory=KnownWorkers)
