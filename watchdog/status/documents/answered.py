"""What was written about single incidents as JSON documents: acknowledged, taken back, closed.

In: the incidents as they are now. Out: documents.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.status.documents.quiet import AcknowledgementDocument, acknowledgement_document

__all__ = [
    "AcknowledgedDocument",
    "AcknowledgedIncident",
    "ClosedDocument",
    "ClosedIncident",
    "acknowledged_document",
    "closed_document",
    "taken_back_document",
]


class _Named(Struct, frozen=True, kw_only=True):
    id: str
    rule: str
    target: str
    key: Mapping[str, str]
    severity: str
    state: str


class AcknowledgedIncident(_Named, frozen=True, kw_only=True):
    """One incident, and who knows of it now; null: nobody."""

    acknowledged: AcknowledgementDocument | None


class AcknowledgedDocument(Struct, frozen=True, kw_only=True):
    """Incidents that were acknowledged, or are not any more."""

    version: Literal[1] = 1
    incidents: Sequence[AcknowledgedIncident]


class ClosedIncident(_Named, frozen=True, kw_only=True):
    """One incident as it was closed by hand."""

    ended: str | None
    resolved_at: str | None
    closed_by: str | None
    closed_because: str


class ClosedDocument(Struct, frozen=True, kw_only=True):
    """Incidents that were closed by hand."""

    version: Literal[1] = 1
    incidents: Sequence[ClosedIncident]


def acknowledged_document(given: Sequence[tuple[Incident, Acknowledgement]]) -> AcknowledgedDocument:
    """What was acknowledged."""
    return AcknowledgedDocument(incidents=[_acknowledged(one, acknowledgement) for one, acknowledgement in given])


def taken_back_document(incidents: Sequence[Incident]) -> AcknowledgedDocument:
    """What is not acknowledged any more."""
    return AcknowledgedDocument(incidents=[_acknowledged(one, None) for one in incidents])


def closed_document(incidents: Sequence[Incident]) -> ClosedDocument:
    """What was closed."""
    return ClosedDocument(incidents=[_closed(one) for one in incidents])


def _acknowledged(one: Incident, known: Acknowledgement | None) -> AcknowledgedIncident:
    return AcknowledgedIncident(
        id=one.id,
        rule=one.rule,
        target=one.target,
        key=dict(one.key),
        severity=one.severity.value,
        state=one.state.value,
        acknowledged=acknowledgement_document(known),
    )


def _closed(one: Incident) -> ClosedIncident:
    return ClosedIncident(
        id=one.id,
        rule=one.rule,
        target=one.target,
        key=dict(one.key),
        severity=one.severity.value,
        state=one.state.value,
        ended=None if one.ended is None else one.ended.value,
        resolved_at=None if one.resolved_at is None else iso(one.resolved_at),
        closed_by=one.closed_by or None,
        closed_because=one.closed_because,
    )
