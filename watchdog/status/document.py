"""`watchdog status --json`: everything that the panels show, and what they leave out."""

from collections.abc import Mapping, Sequence
from typing import Any

from watchdog.core.history.series import Kept, Part, Value
from watchdog.core.history.sketch import Sketch, quantile
from watchdog.core.history.trends import Hour
from watchdog.core.incidents.explain.document import reason_document
from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.model.rows import Reading
from watchdog.status.quiet_wording import acknowledged_document
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT

__all__ = ["status_document"]

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def status_document(targets: Sequence[TargetShown]) -> dict[str, Any]:
    """The document. A gap is null, with its reason beside it; what could not be looked at has no figures."""
    return {"version": 1, "targets": [_target(shown) for shown in targets]}


def _target(shown: TargetShown) -> dict[str, Any]:
    return {
        "target": shown.name,
        "seen_at": None if shown.seen_at is None else iso(shown.seen_at),
        "age_s": None if shown.seen_at is None else round(max(shown.now - shown.seen_at, 0.0), 3),
        "live": shown.live,
        "watched": shown.watched,
        "tables": {name: _table(reading) for name, reading in shown.readings.items()},
        "day": {name: _part(part, KEPT[name]) for name, part in shown.day.totals.items()},
        "hours": [_hour(hour) for hour in shown.day.hours],
        "deploys": [{"id": one.id, "version": one.version, "starts_at": iso(one.starts_at)} for one in shown.deploys],
        "incidents": None
        if shown.incidents is None
        else [
            {
                "id": one.id,
                "rule": one.rule,
                "severity": one.severity.value,
                "state": one.state.value,
                "key": dict(one.key),
                "started_at": iso(one.started_at),
                "summary": one.summary,
                "quiet": reason_document(shown.quiet.get(one.id)),
                "notified": list(shown.notified.get(one.id, ())),
                "acknowledged": acknowledged_document(shown.acknowledged.get(one.id)),
            }
            for one in shown.incidents
            if one.open
        ],
    }


def _table(reading: Reading) -> dict[str, Any]:
    return {
        "rows": [{"cells": {name: json_cell(cell) for name, cell in row.cells.items()}, "gaps": dict(row.gaps)} for row in reading.rows],
        "unread": reading.unread,
        "partial": reading.partial,
        "idle": dict(reading.idle),
    }


def _part(part: Part, kept: Kept) -> dict[str, Any]:
    rows = [
        dict(zip(kept.key, key, strict=True)) | {series.name: _value(value) for series, value in zip(kept.series, row, strict=False)}
        for key, row in part.rows.items()
    ]
    return {"since": iso(part.since), "until": iso(part.until), "rows": rows}


def _value(value: Value) -> object:
    if not isinstance(value, Sketch):
        return json_cell(value)
    return {"count": value.count, "avg": value.mean_s, **{name: quantile(value, share) for name, share in SHARES.items()}}


def _hour(hour: Hour) -> Mapping[str, Any]:
    return {
        "begin": iso(hour.begin),
        "watched_s": round(hour.watched_s, 3),
        "succeeded": hour.succeeded,
        "failed": hour.failed,
        "workers_min": hour.workers_min,
        "backlog_max": hour.backlog_max,
        "lengths": dict(hour.lengths),
    }
