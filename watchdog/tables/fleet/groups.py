"""`groups`: workers counted together: `*` for all, and each pattern of `min_workers_by_name`."""

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.tables.fleet.hosts import common_of_lost

__all__ = ["TABLE", "counted"]

COLUMNS = (
    Column("pattern", Kind.TEXT, "* or a pattern of `min_workers_by_name`"),
    Column("online", Kind.NUMBER, "workers online", "workers", 0.0),
    Column("lost", Kind.NUMBER, "workers that fell silent without goodbye", "workers", 0.0),
    Column("left", Kind.NUMBER, "workers that said goodbye", "workers", 0.0),
    Column("unknown", Kind.NUMBER, "workers whose state is not known now", "workers", 0.0),
    Column("host", Kind.TEXT, "the host that all its lost workers were on; empty if none is lost, or they were on several", neutral=""),
    Column("kind", Kind.TEXT, "their kind; empty if none is lost, or they are of several", neutral=""),
    Column("minimum", Kind.NUMBER, "`min_workers` for *, the pattern's own minimum; 0: none set", "workers", 0.0),
)
STATES = ("online", "lost", "left", "unknown")


def read(look: Look) -> Reading:
    """Return one row per group. Counts are gaps while the state of a worker is unknown, because it may be any of them."""
    workers = look.before["workers"]
    if "name" in workers.idle:
        return Reading(idle={c.name: workers.idle["name"] for c in COLUMNS})
    minima = {"*": look.target.min_workers or 0, **look.target.min_workers_by_name}
    rows = tuple(_row(pattern, minimum, workers) for pattern, minimum in minima.items())
    return Reading(rows)


def counted(workers: Reading, pattern: str) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return workers by state (online, lost, left, unknown), and why some of these counts are unknown."""
    rows = _of_pattern(workers, pattern)
    if workers.unread is not None:
        return dict.fromkeys(STATES), dict.fromkeys(STATES, workers.unread)
    states = Counter(str(r.cells["state"] or "unknown") for r in rows)
    counts: dict[str, float | None] = {name: float(states[name]) for name in STATES}
    why = next((f"{r.cells['name']}: {r.gaps['state']}" for r in rows if "state" in r.gaps), "")
    gaps = dict.fromkeys(STATES[:3], why) if why else {}
    return counts | dict.fromkeys(gaps), gaps


def _of_pattern(workers: Reading, pattern: str) -> Sequence[Row]:
    return workers.rows if pattern == "*" else [r for r in workers.rows if fnmatchcase(str(r.cells["name"]), pattern)]


def _row(pattern: str, minimum: int, workers: Reading) -> Row:
    counts, gaps = counted(workers, pattern)
    cells: dict[str, Cell] = {"pattern": pattern, "minimum": float(minimum), **counts}
    for column in ("host", "kind"):
        cells[column] = None if workers.unread is not None else common_of_lost(column, _of_pattern(workers, pattern))
        gaps |= {} if workers.unread is None else {column: workers.unread}
    return Row(cells, gaps)


TABLE = Table("groups", "workers counted together", ("pattern",), COLUMNS, lambda _: (), read, needs=("workers",))
