"""Why somebody was, or was not, notified, as a JSON document.

In: an `Answer`. Out: the document.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.incidents.explain.as_it_was import Sent
from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.judging.parts import Part
from watchdog.core.model.rows import Cell
from watchdog.status.documents.quiet import QuietDocument, quiet_document
from watchdog.status.why.case import Answer, Case, Told

__all__ = ["WhyDocument", "why_document"]


class ConditionDocument(Struct, frozen=True, kw_only=True):
    """One part of a rule's condition. `holds`: null where it is not known."""

    of: str
    text: str
    holds: bool | None
    values: Mapping[str, Cell]


class SentDocument(Struct, frozen=True, kw_only=True):
    """One message about it to a receiver, and what became of it."""

    event: str
    severity: str
    state: str
    created_at: str
    attempts: int
    delivered_at: str | None
    last_error: str | None


class ReceiverDocument(Struct, frozen=True, kw_only=True):
    """One receiver: what it is told, or why nothing, and until when; what would be said next; its messages."""

    receiver: str
    said: str | None
    why: str | None
    reason: QuietDocument | None
    until: str | None
    next: str | None
    sentence: str
    next_text: str | None
    messages: Sequence[SentDocument]


class CaseDocument(Struct, frozen=True, kw_only=True):
    """One row of one target at one time. `verdict`: of a look that was made for this answer; null: there was none."""

    target: str
    key: Mapping[str, str]
    at: str
    verdict: str | None
    verdict_text: str
    conditions: Sequence[ConditionDocument]
    incident: str | None
    state: str | None
    severity: str | None
    state_text: str
    receivers: Sequence[ReceiverDocument]
    notes: Sequence[str]


class WhyDocument(Struct, frozen=True, kw_only=True):
    """Rows of one rule, and who was notified of each. `at`: the time that was asked about; null: now."""

    version: Literal[1] = 1
    rule: str
    now: str
    at: str | None
    database: str | None
    rows: Sequence[CaseDocument]
    notes: Sequence[str]


def why_document(answer: Answer) -> WhyDocument:
    """The document."""
    return WhyDocument(
        rule=answer.rule,
        now=iso(answer.now),
        at=None if answer.at is None else iso(answer.at),
        database=answer.database or None,
        rows=[_case(case) for case in answer.cases],
        notes=list(answer.notes),
    )


def _case(case: Case) -> CaseDocument:
    incident, look = case.incident, case.look
    return CaseDocument(
        target=case.target,
        key=dict(case.key),
        at=iso(case.at),
        verdict=look.finding.verdict.value if look is not None else None,
        verdict_text=case.verdict,
        conditions=[_condition(part) for part in look.parts] if look is not None else [],
        incident=incident.id if incident is not None else None,
        state=incident.state.value if incident is not None else None,
        severity=incident.severity.value if incident is not None else None,
        state_text=case.state,
        receivers=[_receiver(told) for told in case.told],
        notes=list(case.notes),
    )


def _condition(part: Part) -> ConditionDocument:
    values = {name: json_cell(cell) for name, cell in part.values.items()}
    return ConditionDocument(of=part.of, text=part.text, holds=part.holds, values=values)


def _receiver(told: Told) -> ReceiverDocument:
    made = told.explained
    return ReceiverDocument(
        receiver=told.receiver,
        said=made.said.value if made.said is not None else None,
        why=made.why,
        reason=quiet_document(made.reason),
        until=None if made.until is None else iso(made.until),
        next=made.next.value if made.next is not None else None,
        sentence=told.sentence,
        next_text=told.next or None,
        messages=[_sent(one) for one in (*told.sent, *told.later)],
    )


def _sent(one: Sent) -> SentDocument:
    return SentDocument(
        event=one.event.value,
        severity=one.severity.value,
        state=one.state,
        created_at=iso(one.created_at),
        attempts=one.attempts,
        delivered_at=None if one.delivered_at is None else iso(one.delivered_at),
        last_error=one.last_error,
    )
