"""A report as a JSON document: everything it holds, with ISO times. What nobody could count is null."""

from typing import Any

from msgspec.structs import asdict

from watchdog.core.report.report import BurnedIncident, Report, Span, TargetReport
from watchdog.core.text.timestamps import iso

__all__ = ["report_document"]


def report_document(report: Report) -> dict[str, Any]:
    """Return the document. Lists hold the first of their order; `…_in_all` says how many there are."""
    return {
        "version": 1,
        "since": iso(report.since),
        "until": iso(report.until),
        "history_kept_s": report.kept_s,
        "targets": [_target(target, report) for target in report.targets],
        "incidents_in_all": report.incidents_in_all,
        "burning": report.burning,
        "unattended": report.unattended,
        "incidents": [_incident(incident) for incident in report.incidents],
        "rules": report.rules,
        "told_in_all": report.told_in_all,
        "told": [asdict(rule) for rule in report.told],
        "quiet_in_all": report.quiet_in_all,
        "quiet": [{**asdict(rule), "idle": rule.idle or None, "target": rule.target or None} for rule in report.quiet],
    }


def _target(target: TargetReport, report: Report) -> dict[str, Any]:
    processed, failed = target.processed, target.failed
    return {
        "target": target.name,
        "watched_s": _seconds(target.watched_s),
        "unwatched_s": _seconds(report.until - report.since - target.watched_s),
        "gaps_in_all": target.gaps_in_all,
        "gaps": [_span(gap) for gap in target.gaps],
        "tasks_uncounted_s": _seconds(target.uncounted_s),
        "queues_unread_s": _seconds(target.queues_unread_s),
        "processed": processed,
        "succeeded": target.succeeded,
        "failed": failed,
        "retried": target.retried,
        "error_rate": None if processed is None or failed is None else round(failed / processed, 6) if processed else 0.0,
        "average_s": _seconds(target.average_s),
        "p50_s": _seconds(target.p50_s),
        "p95_s": _seconds(target.p95_s),
        "slowest": [{**asdict(one), "p95_s": _seconds(one.p95_s), "average_s": _seconds(one.average_s)} for one in target.slow],
        "failing": [asdict(one) for one in target.failing],
        "queues_in_all": target.queues_in_all,
        "queues": [asdict(one) for one in target.queues],
    }


def _span(span: Span) -> dict[str, str]:
    return {"since": iso(span.since), "until": iso(span.until)}


def _incident(incident: BurnedIncident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "rule": incident.rule,
        "target": incident.target,
        "severity": incident.severity,
        "key": dict(incident.key),
        "summary": incident.summary,
        "fired_at": iso(incident.fired_at),
        "burned_s": _seconds(incident.burned_s),
        "burning": incident.burning,
        "ended_at": None if incident.ended_at is None else iso(incident.ended_at),
        "ended": incident.ended or None,
        "trial": incident.trial,
        "acted": [{"what": act.what, "at": iso(act.at), "by": act.by or None, "comment": act.comment or None} for act in incident.acts],
    }


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
