"""Incidents as JSON documents: the list, one with its history and messages, and those that somebody acknowledged or closed.

In: what the store returns, the database's path. Out: documents.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.model.rows import Cell
from watchdog.status.documents.quiet import AcknowledgementDocument, QuietDocument, acknowledgement_document, quiet_document

if TYPE_CHECKING:
    from watchdog.store import IncidentShown, MessageShown, Watched

__all__ = [
    "NOBODY_KNOWS",
    "NOBODY_QUIET",
    "IncidentDocument",
    "IncidentsDocument",
    "MessageDocument",
    "OneIncidentDocument",
    "TransitionDocument",
    "holding",
    "incident_document",
    "incidents_document",
]

NOBODY_KNOWS: Mapping[str, Acknowledgement] = MappingProxyType({})
NOBODY_QUIET: Mapping[str, Reason] = MappingProxyType({})


class IncidentDocument(Struct, frozen=True, kw_only=True):
    """One incident. `verdict`: of the last cycle, while it is open. `held_back_by`: why nobody is notified of it."""

    id: str
    fingerprint: str
    rule: str
    target: str
    severity: str
    state: str
    ended: str | None
    verdict: str | None
    key: Mapping[str, str]
    labels: Mapping[str, str]
    values: Mapping[str, Cell]
    summary: str
    description: str
    runbook: str
    link: str | None
    started_at: str
    fired_at: str | None
    resolved_at: str | None
    flapping: bool
    fires: int
    held_back_by: QuietDocument | None
    acknowledged: AcknowledgementDocument | None
    closed_by: str | None
    closed_because: str | None
    remedy: str | None


class IncidentsDocument(Struct, frozen=True, kw_only=True):
    """Incidents. `watched`: whether a daemon runs on the database (null: unknown); `last_looks`: when it last looked at each target."""

    version: Literal[1] = 1
    database: str
    watched: bool | None
    last_looks: Mapping[str, str]
    incidents: Sequence[IncidentDocument]


class TransitionDocument(Struct, frozen=True, kw_only=True):
    """One change of state. `before` is null where the incident began."""

    at: str
    before: str | None
    after: str
    reason: str


class MessageDocument(Struct, frozen=True, kw_only=True):
    """One message about an incident to one receiver, and what became of it."""

    id: str
    receiver: str
    event: str
    sequence: int
    state: str
    created_at: str
    attempts: int
    last_attempt_at: str | None
    delivered_at: str | None
    last_error: str | None


class OneIncidentDocument(Struct, frozen=True, kw_only=True):
    """One incident with its history and messages. `began_after`: the deploy that it began after."""

    version: Literal[1] = 1
    database: str
    watched: bool | None
    last_looks: Mapping[str, str]
    incident: IncidentDocument
    began_after: str | None
    history: Sequence[TransitionDocument]
    acknowledgements: Sequence[AcknowledgementDocument]
    messages: Sequence[MessageDocument]


def incidents_document(
    incidents: Sequence[Incident],
    database: str,
    watched: "Watched",
    quiet: Mapping[str, Reason] = NOBODY_QUIET,
    known: Mapping[str, Acknowledgement] = NOBODY_KNOWS,
) -> IncidentsDocument:
    """The list."""
    listed = [_incident(one, quiet.get(one.id), known.get(one.id)) for one in incidents]
    return IncidentsDocument(database=database, watched=watched.now, last_looks=_last_looks(watched), incidents=listed)


def incident_document(
    shown: "IncidentShown", database: str, watched: "Watched", reason: Reason | None = None, after: str | None = None
) -> OneIncidentDocument:
    """One incident with its history and messages. `after`: the deploy that it began after."""
    return OneIncidentDocument(
        database=database,
        watched=watched.now,
        last_looks=_last_looks(watched),
        incident=_incident(shown.incident, reason, holding(shown)),
        began_after=after,
        history=[
            TransitionDocument(at=iso(move.at), before=move.before or None, after=move.after, reason=move.reason)
            for move in shown.transitions
        ],
        acknowledgements=[found for one in shown.acknowledgements if (found := acknowledgement_document(one)) is not None],
        messages=[_message(message) for message in shown.messages],
    )


def holding(shown: "IncidentShown") -> Acknowledgement | None:
    """The acknowledgement that holds; an incident that has ended needs none."""
    return next((one for one in shown.acknowledgements if one.until is None and shown.incident.open), None)


def _last_looks(watched: "Watched") -> dict[str, str]:
    return {target: iso(at) for target, at in sorted(watched.last.items())}


def _incident(incident: Incident, reason: Reason | None, known: Acknowledgement | None) -> IncidentDocument:
    return IncidentDocument(
        id=incident.id,
        fingerprint=incident.fingerprint,
        rule=incident.rule,
        target=incident.target,
        severity=incident.severity.value,
        state=incident.state.value,
        ended=incident.ended.value if incident.ended else None,
        verdict=incident.verdict if incident.open and incident.verdict else None,
        key=dict(incident.key),
        labels=dict(incident.labels),
        values={name: json_cell(cell) for name, cell in incident.values.items()},
        summary=incident.summary,
        description=incident.description,
        runbook=incident.runbook,
        link=incident.link or None,
        started_at=iso(incident.started_at),
        fired_at=_when(incident.fired_at),
        resolved_at=_when(incident.resolved_at),
        flapping=incident.flapping,
        fires=incident.fires,
        held_back_by=quiet_document(reason),
        acknowledged=acknowledgement_document(known),
        closed_by=incident.closed_by or None,
        closed_because=incident.closed_because or None,
        remedy=incident.remedy or None,
    )


def _message(message: "MessageShown") -> MessageDocument:
    return MessageDocument(
        id=message.id,
        receiver=message.receiver,
        event=message.event.value,
        sequence=message.sequence,
        state=message.state,
        created_at=iso(message.created_at),
        attempts=message.attempts,
        last_attempt_at=_when(message.last_attempt_at),
        delivered_at=_when(message.delivered_at),
        last_error=message.last_error,
    )


def _when(at: float | None) -> str | None:
    return None if at is None else iso(at)
