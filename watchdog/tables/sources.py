"""`sources`: one row per source of the target: whether it was reached, accepted us and answered the first query, or why not."""

from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct, field
from msgspec.structs import astuple

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    HearWorkers,
    Ping,
    PingResults,
    Query,
    ReadEventCounters,
    ReadResultsServer,
    ReadServer,
    WorkerStatus,
)
from watchdog.core.model.replies import EventCounters, RedisServer, WorkersHeard
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.schedules.queries import DjangoTasks
from watchdog.core.model.servers.heard import OF_TASKS, CountHeard, EventsMeasured, MeasureEvents
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen

__all__ = ["ALL", "TABLE", "WORKERS"]

WORKERS, ALL = "workers", "workers and tasks"
NAMES = ("flower", "redis", "rabbitmq", "results", "events", "django", "celery")
COLUMNS = (
    Column(
        "name",
        Kind.TEXT,
        "flower, redis, rabbitmq, results where they live apart, events, or django",
        allowed=NAMES,
    ),
    Column("up", Kind.BOOLEAN, "reached, logged in, and the first query answered"),
    Column("error", Kind.TEXT, "why it is not up, or what else it did not answer; empty where all is well", neutral=""),
    Column("latency_ms", Kind.NUMBER, "how long its first question took", "ms"),
    Column("stale_s", Kind.NUMBER, "since it was last up; 0 while it is, or where it never was", "s", 0.0),
    Column("version", Kind.TEXT, "its version, if it reports it", neutral=""),
    Column("restarted_s", Kind.NUMBER, "since it started", "s"),
    Column("hears", Kind.TEXT, "of events: whose are heard now; empty for the others", neutral="", allowed=("", WORKERS, ALL)),
    Column("tasks_heard_s", Kind.NUMBER, "of events: how long those of tasks were heard without a break; 0 while they are not", "s", 0.0),
    Column("per_s", Kind.NUMBER, "of events: how many came a second, over the last minute or two", "events/s", 0.0),
    Column("core_share", Kind.NUMBER, "of events: the share of a core that hearing them took", "ratio", 0.0),
    Column("core_allowed", Kind.NUMBER, "of events: what those of tasks may take; infinite where they may take any", "ratio", inf),
)
OF_EVENTS = tuple(column.name for column in COLUMNS[-5:])
FIRST: Mapping[str, Query] = {
    "redis": Ping(),
    "rabbitmq": RabbitOverview(),
    "results": PingResults(),
    "flower": WorkerStatus(),
    "django": DjangoTasks(),
}
ALSO: Mapping[str, Query] = {
    "redis": ReadServer(),
    "rabbitmq": RabbitNodes(),
    "results": ReadResultsServer(),
    "flower": ReadEventCounters(),
    "django": DjangoTasks(),
}


class SourcesSeen(Struct, frozen=True):
    """When each source was last up (epoch seconds)."""

    up_at: Mapping[str, float] = field(default_factory=dict)


def asks(asking: Asking) -> Iterable[Query]:
    """Return each source's first query, and the one that reports when it started."""
    measured = [MeasureEvents()] if "events" in asking.target.sources else []
    return [*(q for name in sorted(asking.target.sources) if name in FIRST for q in (FIRST[name], ALSO[name])), *measured]


def read(look: Look) -> Reading:
    """Return one row per configured source. This table is never unread, because it reports what is not up."""
    memory = look.memory if isinstance(look.memory, SourcesSeen) else SourcesSeen()
    names = [name for name in sorted(look.target.sources) if name in FIRST or name == "events"]
    up = {name: not isinstance(_first(name, look), Gap) for name in names}
    seen = {**memory.up_at, **{name: look.now for name in names if up[name]}}
    rows = tuple(_row(name, up[name], memory, look) for name in names)
    return Reading(rows, memory=SourcesSeen({n: at for n, at in seen.items() if n in names}))


def _row(name: str, up: bool, memory: SourcesSeen, look: Look) -> Row:  # noqa: FBT001 - a cell, not a switch
    first = _first(name, look)
    errors = [first.reason] if isinstance(first, Gap) else _odd(name, look) + _unanswered(name, look)
    age, version = _age_and_version(name, look)
    cells: dict[str, Cell] = {
        "name": name,
        "up": up,
        "error": errors[0] if errors else "",
        "latency_ms": look.replies.latency_ms.get(name),
        "stale_s": 0.0 if up else max(look.now - memory.up_at.get(name, look.now), 0.0),
        "version": version,
        "restarted_s": age,
        **_heard(name, look, up=up),
    }
    also = look.replies.get(ALSO[name], object) if name in ALSO else first
    why = errors[0] if not up else also.reason if isinstance(also, Gap) else f"{name}: does not say"
    gaps = {column: why for column in ("latency_ms", "restarted_s") if cells[column] is None}
    measured = look.replies.get(MeasureEvents(), EventsMeasured)
    return Row(cells, gaps | {column: measured.reason for column in OF_EVENTS if cells[column] is None and isinstance(measured, Gap)})


def _heard(name: str, look: Look, *, up: bool) -> dict[str, Cell]:
    """Return what is heard, since when, and what that takes."""
    if name != "events" or not up:
        return {column.name: column.neutral for column in COLUMNS if column.name in OF_EVENTS}
    counted = look.replies.get(ReadEventCounters() if look.target.hears_tasks else CountHeard(), EventCounters)
    measured = look.replies.get(MeasureEvents(), EventsMeasured)
    since = None if isinstance(counted, Gap) else counted.started_at
    figures = dict.fromkeys(OF_EVENTS[2:]) if isinstance(measured, Gap) else dict(zip(OF_EVENTS[2:], astuple(measured), strict=True))
    return {"hears": WORKERS if since is None else ALL, "tasks_heard_s": 0.0 if since is None else max(look.now - since, 0.0), **figures}


def _first(name: str, look: Look) -> object:
    """Return the answer to its first query. What is heard of events depends on the prefix of their channels."""
    if name in FIRST:
        return look.replies.get(FIRST[name], object)
    heard = (answer for query, answer in look.replies.answers.items() if isinstance(query, HearWorkers))
    return next(heard, Gap(f"{name}: not queried"))


def _unanswered(name: str, look: Look) -> list[str]:
    """Return why other queries were not answered. The broker's Redis also serves the results, if these have no server of their own."""
    asked_of = (name, "results") if name == "redis" and "results" not in look.target.sources else (name,)
    of_tasks = [gap.reason for query, gap in look.replies.gaps("flower") if type(query) in OF_TASKS] if look.target.hears_tasks else []
    if name == "events":
        counted = look.replies.answers.get(CountHeard())
        return [*of_tasks, *([counted.reason] if isinstance(counted, Gap) else [])]
    return [gap.reason for source in asked_of for _, gap in look.replies.gaps(source) if not (name == "flower" and gap.reason in of_tasks)]


def _odd(name: str, look: Look) -> list[str]:
    """Return what is wrong with a source that answers well: a replica accepts no tasks, but all our reading commands work on it."""
    server = look.replies.get(ReadServer(), RedisServer)
    if name == "redis" and not isinstance(server, Gap) and server.role == "slave":
        return ["redis: this is a read-only replica (INFO says role:slave), where Celery can queue nothing: name its master in `redis`"]
    return []


def _age_and_version(name: str, look: Look) -> tuple[float | None, str]:
    if name == "events":
        heard = _first(name, look)
        return (heard.since_s if isinstance(heard, WorkersHeard) else None), ""
    if name in ("redis", "results"):
        server = look.replies.get(ALSO[name], RedisServer)
        return (None, "") if isinstance(server, Gap) else (server.uptime_s, server.version or "")
    if name == "rabbitmq":
        return _of_rabbitmq(look)
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    if name == "django" or look.target.hears_tasks:  # then the counters are not Flower's
        return None, ""
    if isinstance(counters, Gap) or counters.started_at is None:
        return None, ""
    return max(look.now - counters.started_at, 0.0), ""


def _of_rabbitmq(look: Look) -> tuple[float | None, str]:
    """Return the age of the node that started last, and the version."""
    overview, nodes = look.replies.get(RabbitOverview(), OverviewSeen), look.replies.get(RabbitNodes(), tuple[NodeSeen, ...])
    ages = [node.uptime_s for node in (() if isinstance(nodes, Gap) else nodes) if node.uptime_s is not None]
    return min(ages, default=None), "" if isinstance(overview, Gap) else overview.version or ""


TABLE = Table("sources", "a source of the target", ("name",), COLUMNS, asks, read, memory=SourcesSeen)
