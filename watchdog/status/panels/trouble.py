"""The panels of what is wrong: errors of 24 hours, and what fires."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdog.core.history.trends import number_of
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.text.durations import format_duration
from watchdog.core.text.phrasing import FILTERS
from watchdog.core.text.wording import counted
from watchdog.status.numbers import percent, short, time_short
from watchdog.status.panel import Bar, Block, Cell, Heading, Ink, Line, Panel, Piece, Sheet, Subject
from watchdog.status.panels.cells import cut
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT
from watchdog.tables.tasks.categories import category_of

__all__ = ["errors", "incidents"]

MOST_ROWS = 6
MOST_BY = 5
BAR = 24


class _Kind(Struct, frozen=True):
    """Failures of one task with one exception. `timed`: how many of them took how many `seconds` together.

    `novelty`: new, returned or empty; None: nobody knows.
    """

    task: str
    exception: str
    queues: Counter[str]
    timed: float
    seconds: float
    novelty: str | None = ""
    memory: float | None = None
    """The most memory that one of these runs reported, in bytes; None: none did."""

    @property
    def count(self) -> float:
        return float(self.queues.total())


def errors(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """Failures by category with bars, then by task and exception."""
    if "errors" not in shown.day.totals:
        why = shown.table("errors").reading.idle.get("count") or "no history yet: `watchdog run` counts from its second look on"
        return Panel("errors", "errors", (Line.of(Ink(why, "odd")),), "24 h")
    kinds = sorted(_kinds(shown), key=lambda kind: -kind.count)
    listed, more = cut(kinds, skip, most, "errors")
    total = sum(kind.count for kind in kinds)
    if not kinds:
        return Panel("errors", "errors", (Line.of(Ink("none", "good")),), "24 h")
    blocks: tuple[Block, ...] = (_categories(kinds, total), Line.of(), _sheet(listed), *more)
    return Panel("errors", "errors", (*blocks, *_by_queue(kinds), *_unsure(kinds), _by_memory(kinds)), f"{short(total)} in 24 h")


def _sheet(kinds: Sequence[_Kind]) -> Sheet:
    """A row for each kind; a column that says nothing of any of them is left out."""
    columns: tuple[tuple[Heading, list[Cell], object], ...] = (
        (Heading("exception", elastic=True), [kind.exception for kind in kinds], True),
        (Heading(""), [_mark(kind) for kind in kinds], any(kind.novelty for kind in kinds)),
        (Heading("task", elastic=True), [kind.task for kind in kinds], True),
        (Heading("queue", elastic=True), [_queue(kind) for kind in kinds], True),
        (Heading("count", right=True), [short(kind.count) for kind in kinds], True),
        (Heading("took", right=True), [_took(kind.timed, kind.seconds) for kind in kinds], True),
    )
    said = [(heading, cells) for heading, cells, says in columns if says]
    rows = tuple(zip(*(cells for _, cells in said), strict=True))
    return Sheet(tuple(heading for heading, _ in said), rows, tuple(Subject("task", kind.task) for kind in kinds))


def _by_memory(kinds: list[_Kind]) -> Line:
    """The most memory that a failed run of each task reported. Celery itself reports that of no task."""
    peaks: dict[str, float] = {}
    for kind in kinds:
        peaks[kind.task] = max(peaks.get(kind.task, 0.0), kind.memory or 0.0)
    known = sorted(((peak, task) for task, peak in peaks.items() if peak), reverse=True)[:MOST_BY]
    if not known:
        return Line.of(Ink("peak memory: none of these runs reported any (update_state, peak_memory)", "faint"))
    return Line.of("peak memory  ", *_listed((task, FILTERS["bytes"](peak)) for peak, task in known))


def _listed(named: Iterable[tuple[str, str]]) -> list[Piece]:
    """Names with their figures, in one line."""
    pieces = [piece for name, figure in named for piece in (Ink("  ·  ", "faint"), f"{name} ", Ink(figure, "strong"))]
    return pieces[1:]


def _mark(kind: _Kind) -> Cell:
    return Ink(kind.novelty.upper() if kind.novelty else "", "odd")


def _unsure(kinds: list[_Kind]) -> tuple[Line, ...]:
    """A line that says why some kinds have no mark."""
    count = sum(1 for kind in kinds if kind.novelty is None)
    if not count:
        return ()
    return (Line.of(Ink(f"? of {counted(count, 'kind')} it is not known whether they are new: too little was watched before them", "odd")),)


def _kinds(shown: TargetShown) -> list[_Kind]:
    found: dict[tuple[str, str], _Kind] = {}
    for (task, exception, queue), row in shown.day.totals["errors"].rows.items():
        count, timed, seconds = (number_of(row, place) or 0.0 for place in range(3))
        kind = found.setdefault((task, exception), _Kind(task, exception, Counter(), 0.0, 0.0))
        novelty = _novelty(number_of(row, KEPT["errors"].place("new")), number_of(row, KEPT["errors"].place("returned")))
        queues = kind.queues + Counter({queue: int(count)})
        memory = max(kind.memory or 0.0, number_of(row, KEPT["errors"].place("memory_max")) or 0.0) or None
        found[task, exception] = _Kind(task, exception, queues, kind.timed + timed, kind.seconds + seconds, kind.novelty or novelty, memory)
    return list(found.values())


def _novelty(new: float | None, returned: float | None) -> str | None:
    """What a kind of failure is. `new`, `returned`: how many of the 24 hours were its first, ever or for a week; None: not known."""
    return "new" if new else "returned" if returned else None if new is None else ""


def _categories(kinds: list[_Kind], total: float) -> Sheet:
    counts: Counter[str] = Counter()
    for kind in kinds:
        counts[category_of(kind.exception)] += int(kind.count)
    rows: list[tuple[Cell, ...]] = []
    for category, count in counts.most_common():
        mine = [kind for kind in kinds if category_of(kind.exception) == category]
        took = _took(sum(kind.timed for kind in mine), sum(kind.seconds for kind in mine))
        after = Ink(f"after {took} on average", "faint") if category == "timeout" and took else ""
        rows.append((category, Bar(count / total, BAR, "failed"), short(count), Ink(percent(count / total), "faint"), after))
    headings = (Heading("category"), Heading(""), Heading("count", right=True), Heading("", right=True), Heading("", elastic=True))
    return Sheet(headings, tuple(rows))


def _queue(kind: _Kind) -> Cell:
    named = [(queue, count) for queue, count in kind.queues.most_common() if queue]
    if not named:
        return Ink("-", "faint")
    return named[0][0] if len(named) == 1 else f"{named[0][0]} +{len(named) - 1}"


def _took(timed: float, seconds: float) -> str:
    return time_short(seconds / timed) if timed else ""


def _by_queue(kinds: list[_Kind]) -> tuple[Line, ...]:
    queues: Counter[str] = Counter()
    for kind in kinds:
        queues += kind.queues
    named = [(queue, count) for queue, count in queues.most_common() if queue]
    if len(named) < 2:
        return ()
    return (Line.of(), Line.of("by queue  ", *_listed((queue, short(count)) for queue, count in named[:MOST_BY])))


def incidents(shown: TargetShown, *, most: int = MOST_ROWS, skip: int = 0) -> Panel:
    """What fires, worst first: since when, and who knows or why nobody is notified."""
    if shown.incidents is None:
        return Panel("incidents", "incidents", (Line.of(Ink("no database here: `watchdog run` judges rules and keeps incidents", "odd")),))
    burning = sorted((one for one in shown.incidents if one.open), key=lambda one: (one.state is State.PENDING, -one.severity.rank, one.id))
    if not burning:
        return Panel("incidents", "incidents", (Line.of(Ink("none", "good")),))
    rows, more = cut(burning, skip, most, "incidents")
    headings = (Heading("severity"), Heading("since", right=True), Heading("what", elastic=True), Heading("who knows", elastic=True))
    sheet = Sheet(headings, tuple(_incident(one, shown) for one in rows))
    firing = f"{counted(sum(1 for one in burning if one.state is not State.PENDING), 'incident')} firing"
    return Panel("incidents", "incidents", (sheet, *more), firing)


def _incident(one: Incident, shown: TargetShown) -> tuple[Cell, ...]:
    until = shown.now if shown.watched is not False or shown.seen_at is None else shown.seen_at
    lasts = format_duration(max(round(until - one.started_at), 0))
    severity = Ink("pending", "faint") if one.state is State.PENDING else Ink(one.severity.value, one.severity.value)
    return (severity, lasts, Ink(one.summary or one.rule, "", incident=one.id), _who(one, shown))


def _who(one: Incident, shown: TargetShown) -> Cell:
    """Who is on it; or why nobody is notified; or which receivers were."""
    if one.id in shown.acknowledged:
        return shown.acknowledged[one.id].author or "acknowledged"
    reason = shown.quiet.get(one.id)
    if reason is None:
        return ", ".join(shown.notified.get(one.id, ())) or Ink("nobody yet", "faint")
    if reason.silence is not None:
        why = f"silenced until {shown.clock(reason.silence.ends_at)}"
    elif reason.cause is not None:
        why = f"follows from {reason.cause.rule}"
    elif reason.same_as is not None:
        why = f"sent for {reason.same_as.target}"
    elif reason.window is not None:
        why = f"muted by {reason.window.name}"
    else:
        why = f"deploy {reason.deploy.version}" if reason.deploy is not None else "on trial"
    return Ink(why, "faint")
