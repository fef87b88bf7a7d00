"""The payload of the generic webhook: one message as JSON, for machines to process and simple receivers to show.

Input: a `Message`. Output: a dict in the order in which it is written, or its bytes. The keys are a contract with receivers.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Ended
from watchdog.core.incidents.messages import Event, Message, Notice, strongest
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.identity import message_id
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity, worst
from watchdog.core.report.chapters import headline_of
from watchdog.core.report.document import report_document
from watchdog.core.report.shorter import shorter
from watchdog.core.text.sanitize import sanitize_json
from watchdog.core.text.timestamps import iso

__all__ = ["LARGEST_BODY", "TYPES", "encode", "fitting", "headline", "iso", "json_cell", "payload", "smaller", "subject_of", "title_of"]

DIGEST = "digest"
"""The `type` of a message that is a report."""
TYPES = {
    Event.ESCALATED: "incident.escalated",
    Event.FIRST: "incident.firing",
    Event.REMINDER: "incident.reminder",
    Event.ACKNOWLEDGED: "incident.acknowledged",
    Event.RESOLVED: "incident.resolved",
}
"""The `type` of a message, by the strongest event in it."""

LARGEST_BODY = 64 * 1024
"""Most bytes of a message for machines: servers refuse more than 100 kB by default (Express), some less."""
_ENVELOPE = 2048
"""Bytes reserved for everything except incidents and titles."""
_LISTED = 5
_LARGEST_EXACT = 2.0**53
"""Larger whole numbers are not exact as floats; written out they would be long and wrong."""


def encode(message: Message) -> bytes:
    """Return the body as UTF-8. If a single incident is too large, its description and runbook are left out; of a digest, rows."""
    if message.digest is not None:
        return _encoded_digest(message)
    body = _encoded(payload(message), message.notices)
    if len(body) <= LARGEST_BODY or len(message.notices) > 1:
        return body
    short = replace(message, notices=tuple(replace(n, description="", runbook="") for n in message.notices))
    return _encoded(payload(short), short.notices)


def _encoded_digest(message: Message) -> bytes:
    body, report = _encoded(payload(message), ()), message.digest
    while len(body) > LARGEST_BODY and report is not None and (report := shorter(report)) is not None:
        body = _encoded(payload(replace(message, digest=report)), ())
    return body


def fitting(notices: Sequence[Notice], most: int) -> Iterator[tuple[Notice, ...]]:
    """Split notices, in order, into messages of at most `most` notices and `LARGEST_BODY` bytes."""
    part: list[Notice] = []
    size = _ENVELOPE
    for notice in notices:
        takes = len(_encoded(_incident(notice), (notice,))) + 1 + (len(_utf8(title_of(notice)).encode()) + 2 if len(part) < _LISTED else 0)
        if part and (len(part) == most or size + takes > LARGEST_BODY):
            yield tuple(part)
            part, size = [], _ENVELOPE
        part.append(notice)
        size += takes
    if part:
        yield tuple(part)


def smaller(message: Message, *, human: bool) -> tuple[Message, ...]:
    """Return what replaces a message that its receiver calls too large (413): two halves, or the same without descriptions and runbooks.

    Each has its own id, because an id never has two bodies; it follows from that of the original, so that a replay creates the same ones.
    The latter if it has only one incident, or is for people and shortened by its receiver. A digest is replaced by one with fewer rows.
    """
    if message.digest is not None:
        report = shorter(message.digest)
        again = message_id(message.receiver, message.target, message.created_at, [message.id])
        return () if report is None else (replace(message, id=again, digest=report),)
    if len(message.notices) > 1 and not human:
        middle = (len(message.notices) + 1) // 2
        return _part_of(message, message.notices[:middle]), _part_of(message, message.notices[middle:])
    short = tuple(replace(notice, description="", runbook="") for notice in message.notices)
    return () if short == message.notices else (_part_of(message, short),)


def _part_of(message: Message, notices: Sequence[Notice]) -> Message:
    about = [message.id, *(f"{notice.incident}{notice.event}{notice.sequence}" for notice in notices)]
    return replace(message, id=message_id(message.receiver, message.target, message.created_at, about), notices=tuple(notices))


def _encoded(document: dict[str, Any], notices: Iterable[Notice]) -> bytes:
    """Encode what shows these notices. msgspec is many times faster than Python's json, and spells all but very small and very large
    fractions like it.
    """
    if any(_is_spelled_otherwise(cell) for notice in notices for cell in notice.values.values()):
        text = json.dumps(_encodable(document), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return sanitize_json(text).encode()
    try:
        written = msgspec.json.encode(document)
    except UnicodeEncodeError:
        written = msgspec.json.encode(_encodable(document))
    return sanitize_json(written.decode()).encode()


def _encodable(document: Any) -> Any:
    """Escape lone surrogates, which names from elsewhere may contain."""
    if isinstance(document, dict):
        return {_utf8(name): _encodable(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_encodable(value) for value in document]
    return _utf8(document) if isinstance(document, str) else document


def _is_spelled_otherwise(cell: Cell) -> bool:
    """Whether msgspec writes `1e16` where Python's json writes `1e+16`, or cannot write it (above 64 bits)."""
    return isinstance(cell, float | int) and not 1e-4 <= abs(cell) < 1e16 and cell != 0


def payload(message: Message) -> dict[str, Any]:
    """Return the message as JSON values, with texts as they are."""
    if message.digest is not None:
        return {
            "type": DIGEST,
            "timestamp": iso(message.created_at),
            "service": message.service,
            "level": Severity.INFO.upper(),
            "message": headline(message),
            "data": {"receiver": message.receiver, "report": report_document(message.digest)},
        }
    return {
        "type": TYPES[strongest([notice.event for notice in message.notices])],
        "timestamp": iso(message.created_at),
        "service": message.service,
        "level": _level(message).upper(),
        "message": headline(message),
        "data": {
            "receiver": message.receiver,
            "target": message.target,
            "group": message.group_id or None,
            "incidents": [_incident(notice) for notice in message.notices],
        },
    }


def headline(message: Message) -> str:
    """Return one line for people: the title of a single notice, or the number of notices and the first few titles; that of a report."""
    if message.digest is not None:
        return headline_of(message.digest)
    titles = [title_of(notice) for notice in message.notices]
    if len(titles) == 1:
        return titles[0]
    more = [f"and {len(titles) - _LISTED} more"] if len(titles) > _LISTED else []
    return f"{_counted(message)}: " + "; ".join(titles[:_LISTED] + more)


def title_of(notice: Notice) -> str:
    """Return a title; that of an ended incident says so, and that of a flapping one how often it came and went."""
    said = subject_of(notice) + flapping_note(notice)
    if notice.event is not Event.RESOLVED:
        return said
    return f"Resolved: {said}" if notice.ended in (None, Ended.RECOVERED) else f"Ended ({notice.ended}{_closing(notice)}): {said}"


def _closing(notice: Notice) -> str:
    """Return who closed it by hand, and why: ` by ada, known leftovers`."""
    by = f" by {notice.closed_by}" if notice.closed_by else ""
    return f"{by}, {notice.closed_because}" if notice.closed_because else by


def subject_of(notice: Notice) -> str:
    """Return the summary, or rule and key if it is empty."""
    key = ", ".join(f"{name}={value}" for name, value in notice.key.items())
    return notice.summary or f"{notice.rule} {key}".strip()


def _counted(message: Message) -> str:
    """Return `3 incidents`, `3 incidents (1 over)` or `3 incidents over`."""
    count = len(message.notices)
    over = sum(notice.event is Event.RESOLVED for notice in message.notices)
    if not over:
        return f"{count} incidents"
    return f"{count} incidents over" if over == count else f"{count} incidents ({over} over)"


def _level(message: Message) -> Severity:
    """Return the highest severity in the message; ended incidents count as info."""
    return worst([notice.severity for notice in message.notices if notice.event is not Event.RESOLVED])


def _incident(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.incident,
        "fingerprint": notice.fingerprint,
        "event": notice.event,
        "rule": notice.rule,
        "target": notice.target,
        "severity": notice.severity,
        "state": notice.state,
        "ended": notice.ended,
        "closed_by": notice.closed_by or None,
        "closed_because": notice.closed_because or None,
        "key": dict(notice.key),
        "labels": dict(notice.labels),
        "values": {name: json_cell(value) for name, value in notice.values.items()},
        "summary": notice.summary,
        "description": notice.description,
        "runbook": notice.runbook,
        "link": notice.link or None,
        "because": list(notice.because),
        "deploy": notice.deploy or None,
        "trend": notice.trend or None,
        "remedy": notice.remedy or None,
        "started_at": iso(notice.started_at),
        "fired_at": None if notice.fired_at is None else iso(notice.fired_at),
        "resolved_at": None if notice.resolved_at is None else iso(notice.resolved_at),
        "flapping": notice.flapping,
        "targets": list(notice.targets or (notice.target,)),
        "sequence": notice.sequence,
    }


def json_cell(value: Cell) -> Cell:
    """Convert a cell to JSON: no infinity, no `.0`."""
    if isinstance(value, str):
        return _utf8(value)
    if isinstance(value, bool) or value is None:
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value == math.floor(value) and abs(value) < _LARGEST_EXACT else value


def _utf8(text: str) -> str:
    """Write lone surrogates as their escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
