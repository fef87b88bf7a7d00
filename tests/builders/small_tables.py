"""A few small tables to check conditions against and to ask rules of."""

from collections.abc import Mapping

from watchdog.core.model.rows import Cell, Column, Kind, Reading, Row, Table


def _table(name: str, key: tuple[str, ...], /, **kinds: Kind) -> Table:
    columns = tuple(
        Column(column, kind, "", allowed=("online", "left", "lost") if column == "state" else ()) for column, kind in kinds.items()
    )
    return Table(name, "a row", key, columns, lambda _: (), lambda _: Reading())


TABLES: Mapping[str, Table] = {
    "queues": _table(
        "queues", ("name",),
        name=Kind.TEXT, length=Kind.NUMBER, consumers=Kind.NUMBER, oldest_s=Kind.NUMBER, declared=Kind.BOOLEAN, meta=Kind.TEXT,
    ),
    "workers": _table("workers", ("name",), name=Kind.TEXT, state=Kind.TEXT, active=Kind.NUMBER, saturated=Kind.BOOLEAN),
    "groups": _table("groups", ("pattern",), pattern=Kind.TEXT, online=Kind.NUMBER, left=Kind.NUMBER),
    "broker": _table("broker", (), latency_ms=Kind.NUMBER),
}  # fmt: skip


def queue(name: str, gaps: Mapping[str, str] | None = None, **cells: Cell) -> Row:
    """A queue's row: 0 messages, 1 consumer, where nothing else is said; a gap's cell is None."""
    whole: dict[str, Cell] = {"length": 0.0, "consumers": 1.0, "oldest_s": 0.0, "declared": False, "meta": "{}"}
    blind = dict.fromkeys(gaps or {}, None)
    return Row({"name": name, **whole, **cells, **blind}, gaps or {})


def worker(name: str, state: str = "online", active: float = 0.0) -> Row:
    """A worker's row."""
    return Row({"name": name, "state": state, "active": active, "saturated": False})
