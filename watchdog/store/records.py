"""Converts between rows of the file and the values of the core.

Mappings are stored as JSON in Python's dialect, which allows infinity (drain times can be infinite). Texts from outside may contain a lone
surrogate, which neither SQLite nor JSON accepts; it is stored as its escape.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import asdict, fields

from watchdog.core.decoding import ready
from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.messages import Event, Message, Notice, Notified
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.report.report import Report
from watchdog.store.sql import Row

__all__ = [
    "INCIDENT_COLUMNS",
    "TOLD_COLUMNS",
    "digest_from",
    "digest_text",
    "incident_cells",
    "incident_from",
    "incident_from_cells",
    "message_from",
    "notice_from",
    "notice_text",
    "notified_from_cells",
    "plain",
    "transition_from",
]  # fmt: skip

INCIDENT_COLUMNS = tuple(field.name for field in fields(Incident))
_cells_of = attrgetter(*INCIDENT_COLUMNS)
TOLD_COLUMNS = tuple(field.name for field in fields(Notified))

_MAPPINGS = frozenset({"key", "labels", "values", "inhibits", "severe_since"})
_NUMBERS = frozenset(
    {
        "started_at",
        "fired_at",
        "resolved_at",
        "held_s",
        "quiet_s",
        "seen_at",
        "fires",
        "first_fire_at",
        "last_fire_at",
        "let_go_at",
        "remedy_news_at",
    }
)
_FLAGS = frozenset({"flapping", "trial", "deploy", "held_back"})
_WORDS = frozenset({"state", "severity", "ended"})
"""Enumerations. sqlite3 would look for an adapter of each."""


def plain(text: str) -> str:
    """The text in a form that UTF-8 can encode: lone surrogates become escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def incident_cells(incident: Incident) -> tuple[object, ...]:
    """The incident's cells, in the order of `INCIDENT_COLUMNS`."""
    return tuple([
        cell if convert is None or cell is None else convert(cell) for convert, cell in zip(_CONVERT, _cells_of(incident), strict=True)
    ])  # fmt: skip


def incident_from(row: Row) -> Incident:
    """The incident of a row."""
    given: dict[str, Any] = {
        name: _from_json(row[name]) if name in _MAPPINGS else bool(row[name]) if name in _FLAGS else row[name] for name in INCIDENT_COLUMNS
    }
    return Incident(
        **{
            **given,
            "state": State(given["state"]),
            "severity": Severity(given["severity"]),
            "ended": Ended(given["ended"]) if given["ended"] else None,
            "inhibits": tuple(given["inhibits"]),
        }
    )


def incident_from_cells(cells: Sequence[Any]) -> Incident:
    """The incident of cells in the order of `INCIDENT_COLUMNS`."""
    return incident_from(dict(zip(INCIDENT_COLUMNS, cells, strict=True)))


def transition_from(row: Row) -> Transition:
    """The transition of a row."""
    return Transition(row["incident"], row["at"], row["before"], row["after"], row["reason"])


def notice_text(notice: Notice) -> str:
    """The notice as JSON."""
    return _patient.encode(notice) if _has_infinity(notice.values) else _to_json(notice)


def notice_from(text: str) -> Notice:
    """The notice that `notice_text` wrote; fields added since then get their defaults."""
    try:
        return _fast_notice.decode(text)
    except msgspec.MsgspecError:
        given = json.loads(text)
    return Notice(
        **{
            **given,
            "event": Event(given["event"]),
            "severity": Severity(given["severity"]),
            "targets": tuple(given["targets"]),
            "because": tuple(given.get("because", ())),
        }
    )


def digest_text(report: Report) -> str:
    """The report as JSON."""
    return msgspec.json.encode(report).decode()


def digest_from(text: str) -> Report:
    """The report that `digest_text` wrote; fields added since then get their defaults."""
    return msgspec.json.decode(text, type=ready(Report))


def message_from(row: Row, notices: tuple[Notice, ...]) -> Message:
    """The message of a row, with its notices."""
    return Message(
        id=row["id"],
        receiver=row["receiver"],
        target=row["target"],
        created_at=row["created_at"],
        notices=notices,
        not_before=row["not_before"],
        since=row["since"],
        service=row["service"],
        group_id=row["group_id"],
        digest=None if row["digest"] is None else digest_from(row["digest"]),
    )


def notified_from_cells(cells: Sequence[Any]) -> Notified:
    """What one receiver was last notified of for one incident; cells in the order of `TOLD_COLUMNS`."""
    incident, receiver, event, severity, sequence, at, refused, settings, group_id = cells
    return Notified(
        incident=incident,
        receiver=receiver,
        event=Event(event) if event else None,
        severity=Severity(severity),
        sequence=sequence,
        at=at,
        refused=Event(refused) if refused else None,
        settings=settings,
        group_id=group_id,
    )


def _as_container(value: object) -> object:
    """A dict for read-only mappings and notices, which the JSON encoders do not know."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Notice):
        return asdict(value)
    raise TypeError(f"cannot be kept as JSON: {type(value).__name__}")


_fast = msgspec.json.Encoder(enc_hook=_as_container)
_fast_notice = msgspec.json.Decoder(ready(Notice))
_patient = json.JSONEncoder(default=_as_container, separators=(",", ":"))


def _to_json(value: Mapping[str, Any] | Sequence[str] | Notice) -> str:
    """JSON by msgspec, many times faster; by Python's json if it contains a lone surrogate or a number above 64 bits."""
    try:
        return _fast.encode(value).decode()
    except (ValueError, OverflowError):
        return _patient.encode(value)


def _values_to_json(values: Mapping[str, Cell]) -> str:
    """The same for what may contain infinity, which msgspec would write as null."""
    return _patient.encode(values) if _has_infinity(values) else _to_json(values)


def _has_infinity(values: Mapping[str, Cell]) -> bool:
    return any(isinstance(cell, float) and not isfinite(cell) for cell in values.values())


def _from_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:  # infinity or a lone surrogate, which `_patient` wrote
        return json.loads(text)


_CONVERT: tuple[Callable[[Any], str] | None, ...] = tuple(
    _values_to_json
    if name == "values"
    else _to_json
    if name in _MAPPINGS
    else str
    if name in _WORDS
    else None
    if name in _NUMBERS or name in _FLAGS
    else plain
    for name in INCIDENT_COLUMNS
)
"""What makes a cell of each column, if it is not the attribute as it is."""
