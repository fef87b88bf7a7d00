"""A report in words: chapters of sentences and rows, which the terminal, Markdown, Slack and the console show each in their way.

In: a `Report`. Out: its headline, and chapters whose cells are plain text from outside, to be escaped by whoever shows them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from watchdog.core.report.report import Act, BurnedIncident, QuietRule, Report, Span, TargetReport
from watchdog.core.text.durations import format_duration

__all__ = ["Chapter", "Column", "cells_of", "chapters_of", "headline_of", "lines_of"]

UNKNOWN = "?"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Column(Struct, frozen=True):
    """The header of a column. `right`: numbers; `elastic`: its cells may be cut where there is too little room."""

    name: str
    right: bool = False
    elastic: bool = False


class Chapter(Struct, frozen=True):
    """One part of a report. `more`: how many rows are left out."""

    title: str
    sentences: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = 0


def headline_of(report: Report) -> str:
    """Return one line: the time, the tasks, the incidents."""
    incidents = _counted(report.incidents_in_all, "incident") if report.incidents_in_all else "no incidents"
    burning = f", {report.burning} still firing" if report.burning else ""
    return f"Report of {_period(report)}: {_processed(report.targets)}; {incidents}{burning}"


def _period(report: Report) -> str:
    """Return `24h to Sat 28 Nov 08:00 UTC`."""
    return f"{_time(report.until - report.since)} to {_moment(report, report.until)} {report.zone}"


def chapters_of(report: Report, most_names: int = 1_000) -> tuple[Chapter, ...]:
    """Return all chapters that have something to say. `most_names`: how many names of rules a sentence lists."""
    several = len(report.targets) > 1
    of_targets = (chapter for target in report.targets for chapter in _of_target(report, target, several=several))
    every = (_beyond_history(report), *of_targets, _incidents(report), _told(report), _quiet(report, most_names))
    return tuple(chapter for chapter in every if chapter is not None)


def _beyond_history(report: Report) -> Chapter | None:
    if report.kept_s <= 0 or report.until - report.since <= report.kept_s:
        return None
    return Chapter(
        "history", (f"history keeps {_time(report.kept_s)}: figures of tasks and queues from before that are not known any more",)
    )


def _processed(targets: Sequence[TargetReport]) -> str:
    known = [target for target in targets if target.processed is not None]
    if not known:
        return "tasks unknown"
    processed, failed = (sum(number for number in numbers if number is not None) for numbers in _both(known))
    unknown = [target.name for target in targets if target.processed is None]
    beside = f", unknown for {_listed(unknown, 3)}" if unknown else ""
    return f"{_counted(processed, 'task')}, {failed:,} failed{_share(failed, processed)}{beside}"


def _both(targets: Sequence[TargetReport]) -> tuple[list[int | None], list[int | None]]:
    return [target.processed for target in targets], [target.failed for target in targets]


def _counted(count: int, word: str) -> str:
    """Return `1 task`, `12,345 tasks`."""
    return f"1 {word}" if count == 1 else f"{count:,} {word}s"


def _share(part: int, whole: int) -> str:
    """Return ` (0.4 %)`; empty if there is nothing to compare."""
    return f" ({_ratio(part, whole)})" if part and whole else ""


def _ratio(part: int, whole: int) -> str:
    """Return `0.4 %`; what is more than nothing is never 0."""
    hundredths = part / whole * 100 if whole else 0.0
    if 0 < hundredths < 0.05:
        return "<0.1 %"
    return f"{hundredths:.1f}".removesuffix(".0") + " %" if hundredths < 10 else f"{hundredths:.0f} %"


def _number(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number:,.0f}"


def _of_target(report: Report, target: TargetReport, *, several: bool) -> Iterator[Chapter]:
    of = f"{target.name}: " if several else ""
    yield Chapter(target.name, (_tasks(target), *_not_seen(report, target)))
    slow = tuple((one.name, _time(one.p95_s), _time(one.average_s), f"{one.succeeded:,}") for one in target.slow)
    failing = tuple((one.name, f"{one.failed:,}", _ratio(one.failed, one.finished)) for one in target.failing)
    waiting = tuple((one.name, _time(one.waited_s), _number(one.length)) for one in target.queues)
    more = max(target.queues_in_all - len(waiting), 0)
    chapters = (
        Chapter(f"{of}slowest tasks", (), (_TASK, _right("p95"), _right("average"), _right("succeeded")), slow),
        Chapter(f"{of}most failures", (), (_TASK, _right("failed"), _right("rate")), failing),
        Chapter(f"{of}queues by wait", (), (Column("queue", elastic=True), _right("longest wait"), _right("most waiting")), waiting, more),
    )
    yield from (chapter for chapter in chapters if chapter.rows)


_TASK = Column("task", elastic=True)


def _right(name: str) -> Column:
    return Column(name, right=True)


def _tasks(target: TargetReport) -> str:
    if target.watched_s == 0:
        return "nobody looked at it in this time: nothing is known of it"
    if target.processed is None or target.failed is None:
        return "tasks were not counted in this time: how many there were is unknown"
    said = f"{_counted(target.processed, 'task')} processed, {target.failed:,} failed{_share(target.failed, target.processed)}"
    retried = f", {target.retried:,} retried" if target.retried else ""
    if target.average_s is None:
        return said + retried
    return f"{said}{retried}; took {_time(target.average_s)} on average, p50 {_time(target.p50_s)}, p95 {_time(target.p95_s)}"


def _not_seen(report: Report, target: TargetReport) -> Iterator[str]:
    """What is missing in the figures."""
    if target.watched_s == 0:
        return
    if target.gaps:
        unwatched_s = report.until - report.since - target.watched_s
        spans = ", ".join(_span(report, gap) for gap in target.gaps)
        more = target.gaps_in_all - len(target.gaps)
        yield f"not watched for {_time(unwatched_s)}: {spans}{f' and {more} shorter times' if more > 0 else ''}"
    if target.uncounted_s and target.processed is not None:
        yield f"tasks were not counted for {_time(target.uncounted_s)} of the time watched"
    if target.queues_unread_s:
        whole = target.queues_unread_s >= target.watched_s
        yield "queues were not read" if whole else f"queues were not read for {_time(target.queues_unread_s)} of the time watched"


def _incidents(report: Report) -> Chapter:
    if not report.incidents_in_all:
        return Chapter("incidents", ("none fired",))
    burning = f", {report.burning} of them still firing" if report.burning else ""
    said = f"{_counted(report.incidents_in_all, 'incident')} fired{burning}"
    nobody = f"; nobody acted on {report.unattended}" if report.unattended else "; somebody acted on each"
    several = len({one.target for one in report.incidents}) > 1
    columns = (Column("severity"), Column("what", elastic=True), _right("lasted"), Column("who acted", elastic=True))
    rows = tuple((one.severity, _what(one, several=several), _lasted(one), _acted(one)) for one in report.incidents)
    return Chapter("incidents", (said + nobody,), columns, rows, report.incidents_in_all - len(rows))


def _what(incident: BurnedIncident, *, several: bool) -> str:
    where = f"{incident.target}: " if several else ""
    key = ", ".join(f"{name}={value}" for name, value in incident.key.items())
    return f"{where}{incident.rule}: {incident.summary or key}".removesuffix(": ")


def _lasted(incident: BurnedIncident) -> str:
    lasted = _time(incident.burned_s)
    return f"{lasted} so far" if incident.burning else lasted


def _acted(incident: BurnedIncident) -> str:
    acts = "; ".join(_act(act, incident.fired_at) for act in incident.acts)
    return acts or ("on trial" if incident.trial else "nobody acted")


def _act(act: Act, since: float) -> str:
    by, why = f" by {act.by}" if act.by else "", f" ({act.comment})" if act.comment else ""
    after = f" after {_time(act.at - since)}" if act.at > since else ""
    return f"{act.what}{by}{after}{why}"


def _told(report: Report) -> Chapter | None:
    if not report.told:
        return Chapter("rules that notified most", ("no rule notified anybody",)) if report.rules else None
    rows = tuple((one.rule, f"{one.notifications:,}", f"{one.incidents:,}") for one in report.told)
    columns = (Column("rule", elastic=True), _right("notifications"), _right("incidents"))
    return Chapter("rules that notified most", (), columns, rows, report.told_in_all - len(rows))


def _quiet(report: Report, most: int) -> Chapter | None:
    if not report.quiet:
        return None
    said = [f"{report.quiet_in_all} of {_counted(report.rules, 'rule')} notified nobody"]
    judged = [one for one in report.quiet if not one.idle]
    well = [one for one in judged if not one.unjudged_s and not one.fired and not one.trial]
    kinds = (
        ("fired and stayed quiet", [one for one in judged if one.fired]),
        ("could be judged all the time", well),
        *_unjudged(judged),
        ("on trial", [one for one in judged if one.trial]),
        ("can have no verdict with this configuration", [one for one in report.quiet if one.idle]),
    )
    said += [f"{why}: {_listed([one.rule for one in ones], most)}" for why, ones in kinds if ones]
    said += [f"{report.quiet_in_all - len(report.quiet)} more are not listed"] if report.quiet_in_all > len(report.quiet) else []
    return Chapter("rules that notified nobody", tuple(said))


def _unjudged(judged: Iterable[QuietRule]) -> Iterator[tuple[str, list[QuietRule]]]:
    """Yield for how long some could not be judged, and which, the longest first: most rules share the times that nobody watched."""
    together: dict[tuple[float, str], list[QuietRule]] = {}
    for one in judged:
        if one.unjudged_s:
            together.setdefault((round(one.unjudged_s), one.target), []).append(one)
    for (seconds, target), ones in together.items():
        yield f"could not be judged for {_time(seconds)} in {target}", ones


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _time(seconds: float | None) -> str:
    """Return a duration in two or three digits; a question mark for one that nobody could read."""
    if seconds is None:
        return UNKNOWN
    return format_duration(float(f"{seconds:.2g}")) if seconds < 60 else format_duration(round(seconds))


def _wall(report: Report, at: float) -> datetime:
    return datetime.fromtimestamp(at + report.utc_offset_s, UTC)


def _moment(report: Report, at: float) -> str:
    wall = _wall(report, at)
    return f"{_DAYS[wall.weekday()]} {wall.day} {_MONTHS[wall.month - 1]} {wall:%H:%M}"


def _span(report: Report, span: Span) -> str:
    """Return `Sat 28 Nov 02:10 to 02:58`."""
    same = _wall(report, span.since).date() == _wall(report, span.until).date()
    return f"{_moment(report, span.since)} to {_wall(report, span.until):%H:%M}" if same else _to(report, span)


def _to(report: Report, span: Span) -> str:
    return f"{_moment(report, span.since)} to {_moment(report, span.until)}"


def cells_of(chapter: Chapter, row: Sequence[str]) -> list[str]:
    """Return the cells of a row so that they can be read without a table: `p95 12s`."""
    return [f"{column.name} {cell}" if column.right else cell for column, cell in zip(chapter.columns, row, strict=True)]


def lines_of(chapter: Chapter) -> Iterable[str]:
    """Return a chapter as lines: its sentences, then a line for each row, in which figures stand after their headers."""
    yield from chapter.sentences
    for row in chapter.rows:
        yield " · ".join(cells_of(chapter, row))
    if chapter.more > 0:
        yield f"… and {chapter.more:,} more"
