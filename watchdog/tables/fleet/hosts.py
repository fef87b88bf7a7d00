"""`hosts`: one row per host of at least two known workers (what follows the @ of their names), for hosts that go with all their workers.

Workers that are lost together are one problem, not one each: `mostly_lost` holds if at least two are lost and fewer stay. Workers that said
goodbye or were replaced do not count, so a deploy or scaling down leaves nothing to report. In containers each worker usually has a host of
its own; there `kinds` tells it.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.tables.workers.names import host_of

__all__ = ["TABLE", "Loss", "common_of_lost", "loss_of"]

LEAST = 2
"""Fewest known workers of a host that has a row, and fewest lost ones that are one problem."""

NO_DOUBTS: Mapping[str, str] = {}

COLUMNS = (
    Column("host", Kind.TEXT, "what follows the @ of its workers' names"),
    Column("online", Kind.NUMBER, "workers online", "workers", 0.0),
    Column("lost", Kind.NUMBER, "workers that are lost and not replaced", "workers", 0.0),
    Column("workers", Kind.NUMBER, "its workers, without those that left or were replaced", "workers", 0.0),
    Column("all_workers", Kind.NUMBER, "the same of the whole target", "workers", 0.0),
    Column("mostly_lost", Kind.BOOLEAN, "at least two are lost, and they are more than the others"),
    Column("unserved", Kind.TEXT, "the queues that the lost ones consumed and no worker online does, joined by a comma", neutral=""),
)


class Loss(Struct, frozen=True):
    """How many of some workers are lost. `unsure`: why it is not known of one of them; empty if it is."""

    online: int
    lost: int
    workers: int
    unsure: str
    unserved: tuple[str, ...]

    def cells(self) -> tuple[dict[str, Cell], dict[str, str]]:
        """Return the cells that say so, and the gaps among them. Where enough are lost, the others cannot change that."""
        cells: dict[str, Cell] = {
            "online": float(self.online),
            "lost": float(self.lost),
            "workers": float(self.workers),
            "mostly_lost": self._most(self.lost),
            "unserved": ",".join(self.unserved),
        }
        settled = self._most(self.lost) or not self._most(self.workers - self.online)
        gaps = {column: self.unsure for column in cells if self.unsure and not (column == "mostly_lost" and settled)}
        return cells | dict.fromkeys(gaps), gaps

    def _most(self, lost: int) -> bool:
        return lost >= LEAST and lost * 2 > self.workers


def read(look: Look) -> Reading:
    """Return a row for every host of several workers."""
    workers = look.before["workers"]
    if "name" in workers.idle:
        return Reading(idle={c.name: workers.idle["name"] for c in COLUMNS})
    by_host: dict[str, list[Row]] = {}
    for row in workers.rows:
        by_host.setdefault(str(row.cells["host"]), []).append(row)
    of_host = {host: rows for host, rows in by_host.items() if host and len(rows) >= LEAST}
    if workers.unread is not None:
        blind = [c.name for c in COLUMNS if c.name != "host"]
        unread = [Row({"host": host, **dict.fromkeys(blind)}, dict.fromkeys(blind, workers.unread)) for host in of_host]
        return Reading(tuple(unread), unread=workers.unread)
    whole = loss_of(workers.rows)
    gone = frozenset((host_of(name),) for (name, *_) in workers.forgotten) - {(host,) for host in of_host}
    return Reading(tuple(_row(host, rows, whole) for host, rows in of_host.items()), forgotten=gone)


def loss_of(workers: Iterable[Row], doubts: Mapping[str, str] = NO_DOUBTS) -> Loss:
    """Return how many of these workers are lost. `doubts`: host -> why it is not known whether its workers count."""
    counted = [row for row in workers if _counts(row)]
    lost = [row for row in counted if _is_lost(row)]
    unserved = {queue for row in lost for queue in str(row.cells.get("unserved") or "").split(",") if queue}
    online = sum(row.cells["state"] == "online" for row in counted)
    unsure = next((f"{row.cells['name']}: {why}" for row in counted if (why := _why_unsure(row, doubts))), "")
    return Loss(online, len(lost), len(counted), unsure, tuple(sorted(unserved)))


def common_of_lost(column: str, workers: Iterable[Row]) -> str:
    """Return what this column (host or kind) says of all that are lost and not replaced; empty if they are none, or differ in it."""
    found = {str(row.cells[column]) for row in workers if _is_lost(row)}
    return found.pop() if len(found) == 1 else ""


def _row(host: str, workers: list[Row], whole: Loss) -> Row:
    cells, gaps = loss_of(workers).cells()
    if whole.unsure:
        return Row({"host": host, "all_workers": None, **cells}, {"all_workers": whole.unsure, **gaps})
    return Row({"host": host, "all_workers": float(whole.workers), **cells}, gaps)


def _counts(worker: Row) -> bool:
    """Whether it is, or should be, at work: not one that left or was replaced."""
    state = worker.cells["state"]
    return state == "online" or (state != "left" and worker.cells["replaced"] is not True)


def _is_lost(worker: Row) -> bool:
    return worker.cells["state"] == "lost" and worker.cells["replaced"] is False


def _why_unsure(worker: Row, doubts: Mapping[str, str]) -> str:
    why = worker.gaps.get("state") or (worker.gaps.get("replaced") if worker.cells["state"] == "lost" else None)
    return why or doubts.get(str(worker.cells["host"]), "")


TABLE = Table("hosts", "a host of at least two workers", ("host",), COLUMNS, lambda _: (), read, needs=("workers",))
