"""`cluster`: one row for the whole target, summed over the tables read before it. A sum over a gap is a gap."""

from collections.abc import Callable

from watchdog.core.model.queries import ScanKeys, SetMembers
from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.target import Target
from watchdog.tables.fleet.groups import counted
from watchdog.tables.fleet.hosts import common_of_lost
from watchdog.tables.queues.keys import queues_of
from watchdog.tables.queues.names import Bindings

__all__ = ["TABLE"]

N = Kind.NUMBER
COLUMNS = (
    Column("workers_online", N, "workers online", "workers", 0.0),
    Column("workers_lost", N, "workers that fell silent without goodbye", "workers", 0.0),
    Column("workers_left", N, "workers that said goodbye", "workers", 0.0),
    Column("workers_unknown", N, "workers whose state is not known now", "workers", 0.0),
    Column("workers_known", N, "workers seen within `forget_after`", "workers", 0.0),
    Column("host", Kind.TEXT, "the host that all lost workers were on; empty if none is lost, or they were on several", neutral=""),
    Column("workers_expected", N, "the highest of `min_workers`, the sum by name, and the names expected; 0: none set", "workers", 0.0),
    Column("capacity", N, "tasks that the online workers can execute at once", "tasks", 0.0),
    Column("active", N, "tasks they execute now", "tasks", 0.0),
    Column("utilization", N, "active of capacity", "ratio", 0.0),
    Column("backlog", N, "messages that wait in all queues", "messages", 0.0),
    Column("unacked", N, "messages fetched and not acknowledged", "messages", 0.0),
    Column("per_min", N, "tasks finished a minute", "1/min", 0.0, windowed=True),
    Column("error_rate", N, "failed of finished", "ratio", 0.0, windowed=True),
    Column("finished", N, "tasks finished within the window", "tasks", 0.0, windowed=True),
    Column("versions", N, "different Celery versions among the online workers", "versions", 0.0),
    Column(
        "pressure",
        N,
        "all work that there is: backlog, and what workers hold: unacked, or active where that is more (acknowledged before they run)",
        "tasks",
        0.0,
    ),
)


def read(look: Look) -> Reading:
    """Return the single row."""
    idle: dict[str, str] = {}
    cells: dict[str, Cell] = {"workers_expected": float(expected(look.target))}
    gaps: dict[str, str] = {}
    for fill in (_from_workers, _from_queues, _from_broker, _from_tasks):
        fill(look, cells, gaps, idle)
    _pressed(cells, gaps, idle)
    if len(idle) == len(COLUMNS) - 1:
        return Reading(idle=idle)
    return Reading((Row(cells, gaps),), idle=idle)


def expected(target: Target) -> int:
    """Return how many workers the configuration expects."""
    names = sum(not set(name) & set("*?[") for name in target.expected_workers)
    return max(target.min_workers or 0, sum(target.min_workers_by_name.values()), names)


def _from_workers(look: Look, cells: dict[str, Cell], gaps: dict[str, str], idle: dict[str, str]) -> None:
    workers = look.before["workers"]
    states = ("workers_online", "workers_lost", "workers_left", "workers_unknown", "workers_known", "host")
    if "name" in workers.idle:
        idle |= dict.fromkeys((*states, "capacity", "active", "utilization", "versions"), workers.idle["name"])
        return
    counts, unknown = counted(workers, "*")
    cells |= {f"workers_{name}": count for name, count in counts.items()} | {"workers_known": float(len(workers.rows))}
    cells["host"] = common_of_lost("host", workers.rows)
    gaps |= {f"workers_{name}": why for name, why in unknown.items()}
    if workers.unread is not None:
        cells |= dict.fromkeys(("workers_known", "host"))
        gaps |= dict.fromkeys(("workers_known", "host"), workers.unread)
    online = [r for r in workers.rows if r.cells.get("state") == "online"]
    for column, source in (("capacity", "pool_size"), ("active", "active"), ("versions", "version")):
        if source in workers.idle:
            idle[column] = workers.idle[source]
            continue
        why = unknown.get("online") or next((f"{r.cells['name']}: {r.gaps[source]}" for r in online if source in r.gaps), "")
        if why:
            cells[column], gaps[column] = None, why
        else:
            cells[column] = float(len({r.cells["version"] for r in online})) if column == "versions" else _sum(online, source)
    if "capacity" in idle:
        idle["utilization"] = idle["capacity"]
        return
    capacity, active = cells["capacity"], cells["active"]
    cells["utilization"] = active / capacity if isinstance(active, float) and isinstance(capacity, float) and capacity else 0.0
    if capacity is None or active is None:
        cells["utilization"], gaps["utilization"] = None, gaps.get("capacity") or gaps["active"]


def _from_queues(look: Look, cells: dict[str, Cell], gaps: dict[str, str], idle: dict[str, str]) -> None:
    queues = look.before["queues"]
    if "length" in queues.idle:
        idle["backlog"] = queues.idle["length"]
        return
    why = queues.unread or next((f"{r.cells['name']}: {r.gaps['length']}" for r in queues.rows if "length" in r.gaps), "")
    why = why or _names_missing(look, queues_of(queues.memory).bindings)
    cells["backlog"] = None if why else _sum(queues.rows, "length")
    gaps |= {"backlog": why} if why else {}


def _names_missing(look: Look, bindings: Bindings) -> str:
    """Return why queues may be missing. An incomplete scan is no gap: consumed and declared queues are known by then."""
    for key, gap in look.replies.held(SetMembers).gaps.items():
        if key not in bindings.members:
            return gap.reason
    for query, gap in look.replies.gaps("redis"):
        if isinstance(query, ScanKeys) and not bindings.whole:
            return gap.reason
    return ""


def _from_broker(look: Look, cells: dict[str, Cell], gaps: dict[str, str], idle: dict[str, str]) -> None:
    broker = look.before["broker"]
    if "unacked" in broker.idle:
        idle["unacked"] = broker.idle["unacked"]
        return
    row = broker.rows[0]
    cells["unacked"] = row.cells["unacked"]
    gaps |= {"unacked": row.gaps["unacked"]} if "unacked" in row.gaps else {}


def _from_tasks(look: Look, cells: dict[str, Cell], gaps: dict[str, str], idle: dict[str, str]) -> None:
    tasks = look.before["tasks"]
    columns: dict[str, Callable[[], float]] = {
        "per_min": lambda: _sum(tasks.rows, "per_min"),
        "finished": lambda: _sum(tasks.rows, "finished"),
        "error_rate": lambda: _sum(tasks.rows, "failed") / (_sum(tasks.rows, "finished") or 1.0),
    }
    for column, total in columns.items():
        if column in tasks.idle:
            idle[column] = tasks.idle[column]
        elif why := tasks.unread or tasks.missing or next((r.gaps["finished"] for r in tasks.rows if "finished" in r.gaps), ""):
            cells[column], gaps[column] = None, why
        else:
            cells[column] = total()


def _pressed(cells: dict[str, Cell], gaps: dict[str, str], idle: dict[str, str]) -> None:
    """Fill the sum of all work, which needs each of its parts."""
    made_of = ("backlog", "unacked", "active")
    if why_not := next((idle[column] for column in made_of if column in idle), ""):
        idle["pressure"] = why_not
    elif why := next((gaps[column] for column in made_of if column in gaps), ""):
        cells["pressure"], gaps["pressure"] = None, why
    else:
        backlog, unacked, active = (number if isinstance(number := cells[column], float) else 0.0 for column in made_of)
        cells["pressure"] = backlog + max(unacked, active)


def _sum(rows: tuple[Row, ...] | list[Row], column: str) -> float:
    return sum((number for r in rows if isinstance(number := r.cells.get(column), float)), 0.0)


TABLE = Table("cluster", "the target as a whole", (), COLUMNS, lambda _: (), read, needs=("workers", "queues", "broker", "tasks"))
