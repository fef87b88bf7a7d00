"""The panels of what is there now: workers, tasks in execution, queues."""

from collections.abc import Sequence

from msgspec.structs import replace

from watchdog.core.history.trends import Hour
from watchdog.core.model.rows import Row
from watchdog.core.text.phrasing import FILTERS
from watchdog.status.numbers import percent, time_short
from watchdog.status.panel import Bar, Block, Cell, Course, Heading, Ink, Line, More, Panel, Sheet, Subject
from watchdog.status.panels.cells import could_not_look, cut, number_in, reason_lines, text_in
from watchdog.status.panels.objectives import objective_lines
from watchdog.status.shown import TableShown, TargetShown

__all__ = ["queues", "tasks", "workers"]

MOST_ROWS = 8
OF_STATE = {"online": "good", "left": "odd", "lost": "bad"}
RANK = {"lost": 0, "": 1, "online": 2, "left": 3}
SHORT_ID = 8
OF_MAIN = Line.of(Ink("cpu, peak: of the main process; the tasks of a prefork pool run in others", "faint"))
NOW_S = 5.0
"""A sign of life that is not older counts as one of now: heartbeats come every 2 s."""


class _Columns:
    """Collects the columns of a panel; a column that nothing can fill here is left out."""

    def __init__(self, table: TableShown, rows: Sequence[Row], kind: str, key: str) -> None:
        self.table, self.rows = table, rows
        self.subjects = tuple(Subject(kind, str(row.cells[key])) for row in rows)
        self.headings: list[Heading] = []
        self.cells: list[list[Cell]] = []
        self.read: list[str] = []

    def add(self, heading: Heading, cells: list[Cell], *columns: str) -> None:
        """One column; `columns` are those of the table that it is made of."""
        if all(self.table.has(column) for column in columns):
            self.headings.append(heading)
            self.cells.append(cells)
            self.read += columns

    def number(self, name: str, column: str, *, seconds: bool = False, spare: int = 0) -> None:
        """A column of numbers."""
        self.add(Heading(name, right=True, spare=spare), [number_in(row, column, seconds=seconds) for row in self.rows], column)

    def panel(self, title: str, note: str, more: Sequence[More], panel: str, blind: str | None = None) -> Panel:
        """The panel, with the reasons of its gaps. `more`: the rows that follow; `blind`: why its rows may be old."""
        cells = tuple(zip(*self.cells, strict=True))
        sheet: tuple[Block, ...] = (Sheet(tuple(self.headings), cells, self.subjects),) if self.rows else ()
        reasons = tuple(reason_lines(self.table, self.read)) + ((could_not_look(blind),) if blind else ())
        note = "" if self.table.reading.unread is not None and not self.table.rows else note
        empty = (Line.of(Ink("none", "faint")),) if not sheet and not reasons else ()
        return Panel(panel, title, (*sheet, *empty, *more, *reasons), note)


def workers(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """Every worker: what is lost first, then those that work most."""
    table = shown.table("workers")
    order = sorted(table.rows, key=lambda row: (RANK.get(str(row.cells.get("state") or ""), 1), str(row.cells["name"])))
    rows, more = cut(order, skip, most, "workers")
    columns = _Columns(table, rows, "worker", "name")
    columns.add(Heading("worker", elastic=True), [str(row.cells["name"]) for row in rows], "name")
    columns.add(Heading("state"), [_state(row) for row in rows], "state")
    columns.add(Heading("busy", right=True), [_busy(row) for row in rows], "active", "pool_size")
    columns.add(Heading("cpu", right=True), [_ratio(row, "cpu_ratio") for row in rows], "cpu_ratio")
    columns.number("load", "load1")
    columns.add(Heading("peak", right=True), [_bytes(row, "rss_max_bytes") for row in rows], "rss_max_bytes")
    columns.number("done", "processed")
    columns.number("a min", "processed_per_min", spare=1)
    columns.add(Heading("queues", elastic=True), [text_in(row, "queues") for row in rows], "queues")
    columns.add(Heading("seen", right=True), [_ago(row) for row in rows], "silent_s")
    states = [row.cells.get("state") for row in table.rows]
    online = "?" if None in states or table.reading.unread is not None else states.count("online")
    panel = columns.panel("workers", f"{online} of {len(states)} online", more, "workers")
    return replace(panel, blocks=(*panel.blocks, OF_MAIN)) if rows and "cpu_ratio" in columns.read else panel


def _state(row: Row) -> Cell:
    state = row.cells.get("state")
    return Ink("? unknown", "odd") if state is None else Ink(f"● {state}", OF_STATE.get(str(state), ""))


def _busy(row: Row) -> Cell:
    if row.cells.get("state") != "online":
        return Ink("-", "faint")
    active, size = number_in(row, "active"), number_in(row, "pool_size")
    return (active, Ink("/", "faint"), size)


def _ago(row: Row) -> Cell:
    silent_s = row.cells.get("silent_s")
    return Ink("now", "faint") if isinstance(silent_s, float) and silent_s < NOW_S else number_in(row, "silent_s", seconds=True)


def _ratio(row: Row, column: str) -> Cell:
    cell = row.cells.get(column)
    return percent(cell) if isinstance(cell, float) else Ink("?", "odd")


def _bytes(row: Row, column: str) -> Cell:
    cell = row.cells.get(column)
    return FILTERS["bytes"](cell) if isinstance(cell, float) else Ink("?", "odd")


def tasks(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """The tasks in execution, longest first, with their progress as far as they report it."""
    table = shown.table("running")
    order = sorted(table.rows, key=lambda row: -_seconds(row, "running_s"))
    rows, more = cut(order, skip, most, "tasks")
    columns = _Columns(table, rows, "run", "id")
    columns.add(Heading("task", elastic=True), [text_in(row, "name") for row in rows], "name")
    columns.add(Heading("id"), [Ink(str(row.cells["id"])[:SHORT_ID], "faint") for row in rows], "id")
    columns.add(Heading("worker", elastic=True), [text_in(row, "worker") for row in rows], "worker")
    columns.number("since", "running_s", seconds=True)
    if any(_reports(row) for row in rows):
        columns.add(Heading("progress"), [_progress(row) for row in rows], "progress")
        columns.add(Heading("step", elastic=True), [str(row.cells.get("step") or "") for row in rows], "step")
        columns.add(Heading("left", right=True), [_left(row) for row in rows], "progress", "running_s")
    if any(row.cells.get("peak_memory") for row in rows):
        columns.add(Heading("memory", right=True), [_if_reported(row) for row in rows], "peak_memory")
    if any(row.cells.get("arguments") != "" for row in rows):
        columns.add(Heading("arguments", elastic=True), [text_in(row, "arguments") for row in rows], "arguments")
    blind = shown.table("workers").reading.unread  # Flower's list of tasks is reused for a while, and says nothing of now
    count = "?" if blind or table.reading.unread is not None else f"{len(order)}"
    return columns.panel("tasks in execution", count, more, "tasks", blind if table.reading.unread is None else None)


def _seconds(row: Row, column: str) -> float:
    cell = row.cells.get(column)
    return cell if isinstance(cell, float) else 0.0


def _reports(row: Row) -> bool:
    return bool(row.cells.get("progress")) or bool(row.cells.get("step"))


def _progress(row: Row) -> Cell:
    progress = row.cells.get("progress")
    if not isinstance(progress, float) or not _reports(row):
        return Ink("", "faint")
    return (Bar(progress, 8, "good"), f" {progress * 100:3.0f} %")


def _if_reported(row: Row) -> Cell:
    """The most memory that a task has reported."""
    return Ink("-", "faint") if row.cells.get("peak_memory") == 0 else _bytes(row, "peak_memory")


def _left(row: Row) -> Cell:
    """How long it still takes, if it goes on as it did until now."""
    progress, running_s = row.cells.get("progress"), row.cells.get("running_s")
    if not isinstance(progress, float) or not isinstance(running_s, float) or not 0 < progress < 1:
        return ""
    return Ink(f"~{time_short(running_s * (1 - progress) / progress)}", "faint")


def queues(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """Every queue, longest first, each with its length over 24 hours."""
    table = shown.table("queues")
    order = sorted(table.rows, key=lambda row: (-_seconds(row, "length"), row.cells.get("length") is not None, str(row.cells["name"])))
    rows, more = cut(order, skip, most, "queues")
    columns = _Columns(table, rows, "queue", "name")
    columns.add(Heading("queue", elastic=True), [str(row.cells["name"]) for row in rows], "name")
    columns.number("waiting", "length")
    courses = [_course(shown.day.hours, str(row.cells["name"])) for row in rows]
    if any(hour.lengths for hour in shown.day.hours):
        columns.add(Heading("24 h", spare=1), [*courses])
    if any(row.cells.get("priorities") for row in rows):
        columns.add(Heading("by priority", elastic=True), [text_in(row, "priorities") for row in rows], "priorities")
    columns.number("running", "active")
    columns.add(Heading("workers", right=True), [_consumers(row) for row in rows], "consumers")
    columns.add(Heading("oldest", right=True), [_if_any(row, "oldest_s") for row in rows], "oldest_s")
    columns.add(Heading("avg wait", right=True), [_wait(row) for row in rows], "wait_avg_s")
    columns.number("a min", "finished_per_min")
    columns.add(Heading("grows", right=True, spare=2), [_growth(row) for row in rows], "growth_per_min")
    columns.add(Heading("empty in", right=True, spare=3), [_if_any(row, "drain_s") for row in rows], "drain_s")
    lengths = [row.cells.get("length") for row in table.rows]
    known = [length for length in lengths if isinstance(length, float)]
    waiting = f"{sum(known):,.0f}" if len(known) == len(lengths) and table.reading.unread is None else "?"
    panel = columns.panel("queues", f"{waiting} waiting in {len(lengths)}", more, "queues")
    return replace(panel, blocks=(*panel.blocks, *objective_lines(shown)))


def _course(hours: Sequence[Hour], name: str) -> Course:
    """The most that waited in each two hours; None where nobody looked."""
    pairs = [hours[nth : nth + 2] for nth in range(0, len(hours), 2)]
    return Course(tuple(max((hour.lengths[name] for hour in pair if name in hour.lengths), default=None) for pair in pairs))


def _if_any(row: Row, column: str) -> Cell:
    """A duration that says nothing of an empty queue."""
    return Ink("-", "faint") if row.cells.get("length") == 0 else number_in(row, column, seconds=True)


def _wait(row: Row) -> Cell:
    """A wait that says nothing of a queue from which nothing was taken."""
    return (
        Ink("-", "faint")
        if row.cells.get("finished_per_min") == 0 == row.cells.get("wait_avg_s")
        else number_in(row, "wait_avg_s", seconds=True)
    )


def _consumers(row: Row) -> Cell:
    count = number_in(row, "consumers")
    return Ink("none", "bad") if count == "0" and row.cells.get("length") else count


def _growth(row: Row) -> Cell:
    cell = row.cells.get("growth_per_min")
    if not isinstance(cell, float):
        return Ink("?", "odd")
    if abs(cell) < 0.05:
        return Ink("-", "faint")
    return Ink(f"{cell:+,.1f}/min".replace(".0/", "/"), "odd" if cell > 0 else "good")
