"""Targets as JSON documents: everything that the panels of `watchdog status` show, and what they leave out.

In: what is shown of each target. Out: documents. A gap is null, with its reason beside it; what could not be looked at has no figures.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.history.series import Kept, Part, Value
from watchdog.core.history.trends import Hour
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.model.sketch import Sketch, quantile
from watchdog.status.documents.quiet import AcknowledgementDocument, QuietDocument, acknowledgement_document, quiet_document
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT

__all__ = ["PartDocument", "RowDocument", "StatusDocument", "TableDocument", "part_document", "status_document", "table_document"]


class RowDocument(Struct, frozen=True, kw_only=True):
    """One row. A cell without a value is null; `gaps` says why."""

    cells: Mapping[str, Cell]
    gaps: Mapping[str, str]


class TableDocument(Struct, frozen=True, kw_only=True):
    """One table. `unread`: why nothing of it could be read; `partial`: why rows may be missing; `idle`: column -> why nothing fills it."""

    rows: Sequence[RowDocument]
    unread: str | None
    partial: str | None
    idle: Mapping[str, str]


class Quantiles(Struct, frozen=True, kw_only=True):
    """Times in seconds of so many runs."""

    count: float
    avg: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class PartDocument(Struct, frozen=True, kw_only=True):
    """Figures of one table over a time: each row has its key, and its figures; null: unknown."""

    since: str
    until: str
    rows: Sequence[Mapping[str, Cell | Quantiles]]


class HourDocument(Struct, frozen=True, kw_only=True):
    """One hour. `watched_s`: for how long tasks were counted. `lengths`: queue -> the most messages that waited."""

    begin: str
    watched_s: float
    succeeded: float | None
    failed: float | None
    workers_min: float | None
    backlog_max: float | None
    lengths: Mapping[str, float]


class RecentDeploy(Struct, frozen=True, kw_only=True):
    """A deploy of the target."""

    id: str
    version: str
    starts_at: str


class OpenIncident(Struct, frozen=True, kw_only=True):
    """An open incident of the target. `quiet`: why nobody is notified of it; `notified`: the receivers that were."""

    id: str
    rule: str
    severity: str
    state: str
    key: Mapping[str, str]
    started_at: str
    summary: str
    quiet: QuietDocument | None
    notified: Sequence[str]
    acknowledged: AcknowledgementDocument | None


class TargetDocument(Struct, frozen=True, kw_only=True):
    """One target. `seen_at`: when its tables were read (null: never); `incidents`: null where no database keeps them."""

    target: str
    seen_at: str | None
    age_s: float | None
    live: bool
    watched: bool | None
    tables: Mapping[str, TableDocument]
    day: Mapping[str, PartDocument]
    hours: Sequence[HourDocument]
    deploys: Sequence[RecentDeploy]
    incidents: Sequence[OpenIncident] | None


class DaemonsDocument(Struct, frozen=True, kw_only=True):
    """The daemons that share a database, by host and pid. `works`: null if none does."""

    works: str | None
    stand_by: Sequence[str]


class StatusDocument(Struct, frozen=True, kw_only=True):
    """Targets with their tables, the figures and hours of the last 24 hours, and their incidents. `daemons`: null with a file."""

    version: Literal[1] = 1
    daemons: DaemonsDocument | None = None
    targets: Sequence[TargetDocument]


def status_document(targets: Sequence[TargetShown]) -> StatusDocument:
    """The document of these targets."""
    daemons = next((shown.daemons for shown in targets), None)
    shared = None if daemons is None else DaemonsDocument(works=daemons.works or None, stand_by=daemons.stand_by)
    return StatusDocument(targets=[_target(shown) for shown in targets], daemons=shared)


def table_document(reading: Reading) -> TableDocument:
    """One table as it was read."""
    rows = [RowDocument(cells={name: json_cell(cell) for name, cell in row.cells.items()}, gaps=dict(row.gaps)) for row in reading.rows]
    return TableDocument(rows=rows, unread=reading.unread, partial=reading.partial, idle=dict(reading.idle))


def part_document(part: Part, kept: Kept) -> PartDocument:
    """Figures of one table over a time."""
    rows: list[dict[str, Cell | Quantiles]] = []
    for key, row in part.rows.items():
        figures = {series.name: _value(value) for series, value in zip(kept.series, row, strict=False)}
        rows.append({**dict(zip(kept.key, key, strict=True)), **figures})
    return PartDocument(since=iso(part.since), until=iso(part.until), rows=rows)


def _target(shown: TargetShown) -> TargetDocument:
    return TargetDocument(
        target=shown.name,
        seen_at=None if shown.seen_at is None else iso(shown.seen_at),
        age_s=None if shown.seen_at is None else round(max(shown.now - shown.seen_at, 0.0), 3),
        live=shown.live,
        watched=shown.watched,
        tables={name: table_document(reading) for name, reading in shown.readings.items()},
        day={name: part_document(part, KEPT[name]) for name, part in shown.day.totals.items()},
        hours=[_hour(hour) for hour in shown.day.hours],
        deploys=[RecentDeploy(id=one.id, version=one.version, starts_at=iso(one.starts_at)) for one in shown.deploys],
        incidents=None if shown.incidents is None else [_incident(one, shown) for one in shown.incidents if one.open],
    )


def _incident(one: Incident, shown: TargetShown) -> OpenIncident:
    return OpenIncident(
        id=one.id,
        rule=one.rule,
        severity=one.severity.value,
        state=one.state.value,
        key=dict(one.key),
        started_at=iso(one.started_at),
        summary=one.summary,
        quiet=quiet_document(shown.quiet.get(one.id)),
        notified=list(shown.notified.get(one.id, ())),
        acknowledged=acknowledgement_document(shown.acknowledged.get(one.id)),
    )


def _value(value: Value) -> Cell | Quantiles:
    if not isinstance(value, Sketch):
        return json_cell(value)
    p50, p95, p99 = (quantile(value, share) for share in (0.5, 0.95, 0.99))
    return Quantiles(count=value.count, avg=value.mean_s, p50=p50, p95=p95, p99=p99)


def _hour(hour: Hour) -> HourDocument:
    return HourDocument(
        begin=iso(hour.begin),
        watched_s=round(hour.watched_s, 3),
        succeeded=hour.succeeded,
        failed=hour.failed,
        workers_min=hour.workers_min,
        backlog_max=hour.backlog_max,
        lengths=dict(hour.lengths),
    )
