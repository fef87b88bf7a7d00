"""The result of `watchdog check` as a JSON document. Its keys are a contract: docs/ci.md names them."""

from collections.abc import Mapping
from typing import Any

from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.judging.check_result import CheckResult, Firing
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.rows import Cell

__all__ = ["check_document"]


def check_document(result: CheckResult) -> dict[str, Any]:
    """The document. Infinity is null, whole numbers have no `.0`, booleans are true and false."""
    return {
        "version": 1,
        "checked_at": iso(result.checked_at),
        "exit_code": result.exit_code,
        "rules": result.rules,
        "sources": [
            {
                "target": source.target,
                "source": source.source,
                "up": source.up,
                "error": source.error,
                "latency_ms": json_cell(None if source.latency_ms is None else round(source.latency_ms, 3)),
            }
            for source in result.sources
        ],
        "firing": [_firing(firing) for firing in result.firing],
        "unknown": [{"rule": u.rule, "target": u.target, "key": dict(u.key), "reason": u.reason, "trial": u.trial} for u in result.unknown],
        "idle": [{"rule": idle.rule, "target": idle.target, "reason": idle.reason} for idle in result.idle],
        "expect": [_expected(answer) for answer in result.expected],
        "notes": [{"target": n.target, "table": n.table, "note": n.note} for n in result.notes],
    }


def _expected(answer: Answer) -> dict[str, Any]:
    """`ok` is null if it could not be answered; `reason` is included unless it is true."""
    said = {"expect": answer.expect, "ok": answer.ok, "target": answer.target}
    return said if answer.ok else {**said, "reason": answer.reason}


def _firing(firing: Firing) -> dict[str, Any]:
    return {
        "rule": firing.rule,
        "target": firing.target,
        "severity": firing.severity.value,
        "key": dict(firing.key),
        "labels": dict(firing.labels),
        "values": _cells(firing.values),
        "summary": firing.summary,
        "fingerprint": firing.fingerprint,
        "link": firing.link or None,
        "trial": firing.trial,
    }


def _cells(values: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: json_cell(cell) for name, cell in values.items()}
