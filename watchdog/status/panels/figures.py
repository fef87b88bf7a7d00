"""The panels with figures of 24 hours: overview, metrics."""

from collections.abc import Callable, Iterable, Sequence

from watchdog.core.history.series import Part
from watchdog.core.history.trends import HOUR_S, Hour, number_of, runtimes_of
from watchdog.core.model.rows import Row
from watchdog.core.model.sketch import mean_of, quantile_of
from watchdog.core.text.durations import format_duration
from watchdog.status.hearing import hearing
from watchdog.status.numbers import percent, short, time_short
from watchdog.status.panel import Bar, Block, Cell, Course, Heading, Ink, Line, Panel, Piece, Sheet, Tile, Tiles
from watchdog.status.panels.cells import NO_HISTORY, cut, reason_lines
from watchdog.status.shown import TableShown, TargetShown
from watchdog.tables.history.kept import KEPT

__all__ = ["metrics", "overview"]

MOST_ROWS = 8
SAMPLED = "runtimes: where no events are heard, of the runs that Flower lists, its last 100 at a time"


def overview(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """The five figures that are looked at first, each with its course over 24 hours; and what could not be reached."""
    cluster = shown.table("cluster")
    row = cluster.rows[0] if cluster.rows else Row({}, {})
    hours = shown.day.hours
    succeeded, failed = _count(shown, "succeeded"), _count(shown, "failed")
    finished = None if succeeded is None or failed is None else succeeded + failed
    runs = runtimes_of(shown.day.totals["tasks"], KEPT["tasks"]) if "tasks" in shown.day.totals else []
    tiles = (
        Tile("workers", _workers(row), _by_two(hours, lambda hour: hour.workers_min, min)),
        Tile("done in 24 h", _strong(short(finished)), _by_two(hours, lambda hour: hour.finished, sum)),
        Tile("failed in 24 h", _failed(failed, finished), _by_two(hours, lambda hour: hour.failed, sum, "failed")),
        Tile("on average", _strong(time_short(mean_of(runs)))),
        Tile("waiting", _strong(short(_number(row, "backlog"))), _by_two(hours, lambda hour: hour.backlog_max, max)),
    )
    sources = tuple(_sources(shown.table("sources")))
    told = {_text(line) for line in sources}
    reasons = [line for line in reason_lines(cluster, ("workers_online", "backlog")) if _text(line).removeprefix("? ") not in told]
    return Panel("overview", "overview", (Tiles(tiles), *sources, *reasons), _covered(shown))


def _text(line: Line) -> str:
    return "".join(piece.text if isinstance(piece, Ink) else piece for piece in line.pieces if not isinstance(piece, Bar))


def _covered(shown: TargetShown) -> str:
    watched_s = min(shown.day.watched_s(), 24 * HOUR_S)
    if watched_s == 0:
        return "no history yet"
    return "" if watched_s >= 23 * HOUR_S else f"history of {format_duration(round(watched_s))}"


def _count(shown: TargetShown, series: str) -> float | None:
    part = shown.day.totals.get("tasks")
    if part is None:
        return None
    place = KEPT["tasks"].place(series)
    return max(sum(number_of(row, place) or 0.0 for row in part.rows.values()), 0.0)


def _number(row: Row, column: str) -> float | None:
    cell = row.cells.get(column)
    return cell if isinstance(cell, float) else None


def _strong(text: str) -> Piece:
    return Ink(text, "odd" if text == "?" else "strong")


def _workers(row: Row) -> Piece:
    online, known, lost = (_number(row, f"workers_{name}") for name in ("online", "known", "lost"))
    if online is None:
        return Ink("?", "odd")
    style = "bad" if lost or not online else "good"
    return Ink(f"{online:.0f} of {known:.0f}" if known is not None else f"{online:.0f}", style)


def _failed(failed: float | None, finished: float | None) -> Cell:
    if failed is None or not finished:
        return _strong(short(failed))
    return (Ink(short(failed), "bad" if failed else "strong"), Ink(f"  {percent(failed / finished)}", "faint"))


def _by_two(
    hours: Sequence[Hour], figure: Callable[[Hour], float | None], join: Callable[[list[float]], float], style: str = "chart"
) -> Course:
    """A figure of each two hours, since a tile is narrow; None where both are gaps."""
    found: list[float | None] = []
    for nth in range(0, len(hours), 2):
        known = [value for hour in hours[nth : nth + 2] if (value := figure(hour)) is not None]
        found.append(join(known) if known else None)
    return Course(tuple(found), style)


def _sources(sources: TableShown) -> tuple[Line, ...]:
    """One line that names each source, and whether it answers; what is heard by events; and why one does not."""
    pieces: list[Piece] = []
    said: list[Line] = []
    for row in sources.rows:
        up, error = row.cells.get("up") is True, str(row.cells.get("error") or "")
        version = str(row.cells.get("version") or "")
        name = f"{row.cells['name']}{' ' + version if version else ''}"
        style, missed = ("odd", "not heard") if row.cells["name"] == "events" else ("bad", "down")  # without events, Flower's word stands
        pieces += [Ink("● ", "good"), f"{name}   "] if up else [Ink(f"○ {name} {missed}   ", style)]
        said += [Line.of(Ink(f"events: {heard}", "faint"))] if up and (heard := hearing(row.cells)) else []
        said += [Line.of(Ink(error, "odd" if up else style))] if error else []
    return (Line.of(), Line(tuple(pieces)), *said) if pieces else ()


def metrics(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """How much, how long, how often failed: of everything, and of the tasks that ran most."""
    part, kept = shown.day.totals.get("tasks"), KEPT["tasks"]
    if part is None:
        return Panel("metrics", "metrics", (NO_HISTORY,))
    now = {str(row.cells["name"]): row for row in shown.table("tasks").rows}
    of_task = {name: Part(part.since, part.until, {(name,): row}) for (name,), row in part.rows.items()}
    order = sorted(of_task, key=lambda name: -_finished(part, name))
    listed, more = cut(order, skip, most, "metrics")
    rows = [
        _metric("all tasks", part, now.values()),
        *(_metric(name, of_task[name], filter(None, [now.get(name)])) for name in listed),
    ]
    headings = (
        Heading("task", elastic=True),
        *(Heading(name, right=True) for name in ("done", "a min", "failed", "", "avg", "p50", "p95", "p99", "wait p95")),
    )
    lines = (_use(shown), *_used(shown), Line.of()) if "cluster" in shown.readings else ()
    sampled = any(weight > 1.5 for weight, _ in runtimes_of(part, kept))
    note = (Line.of(Ink(SAMPLED, "faint")),) if sampled else ()
    blocks: tuple[Block, ...] = (*lines, Sheet(headings, tuple(rows)), *more, *note)
    return Panel("metrics", "metrics", blocks, "24 h")


def _finished(part: Part, name: str) -> float:
    row = part.rows[name,]
    return (number_of(row, 0) or 0.0) + (number_of(row, 1) or 0.0)


def _metric(name: str, part: Part, now: Iterable[Row]) -> tuple[Cell, ...]:
    """One row. `now`: those of the table `tasks`."""
    kept = KEPT["tasks"]
    succeeded, failed = (sum(number_of(row, kept.place(of)) or 0.0 for row in part.rows.values()) for of in ("succeeded", "failed"))
    finished = succeeded + failed
    runs, waits = runtimes_of(part, kept), runtimes_of(part, kept, "wait")
    times = [mean_of(runs), *(quantile_of(runs, share) for share in (0.5, 0.95, 0.99)), quantile_of(waits, 0.95)]
    rates = [_number(row, "per_min") for row in now]
    known = [rate for rate in rates if rate is not None]
    return (
        Ink(name, "strong") if name == "all tasks" else name,
        short(finished),
        short(sum(known) if len(known) == len(rates) else None) if rates else Ink("-", "faint"),
        Ink(short(failed), "bad") if failed else "0",
        Ink(percent(failed / finished) if failed else "", "faint"),
        *(Ink("-", "faint") if seconds is None else time_short(seconds) for seconds in times),
    )


def _use(shown: TargetShown) -> Line:
    """How many of the workers' processes are busy now."""
    cluster = shown.table("cluster")
    row = cluster.rows[0] if cluster.rows else Row({}, {})
    active, capacity, used = (_number(row, name) for name in ("active", "capacity", "utilization"))
    if active is None or capacity is None:
        return Line.of("busy now   ", Ink("?", "odd"))
    return Line.of("busy now   ", Bar(used, 20, "chart"), f"  {short(active)} of {short(capacity)}", Ink(f"  {percent(used)}", "faint"))


def _used(shown: TargetShown) -> tuple[Line, ...]:
    """How many of them were busy over 24 hours, on average."""
    part, kept = shown.day.totals.get("cluster"), KEPT["cluster"]
    row = part.rows.get((), ()) if part is not None else ()
    active, capacity = (number_of(row, kept.place(name)) for name in ("active", "capacity"))
    if active is None or not capacity:
        return ()
    share = active / capacity
    return (
        Line.of("busy 24 h  ", Bar(share, 20, "chart"), f"  {short(active)} of {short(capacity)}", Ink(f"  {percent(share)}", "faint")),
    )
