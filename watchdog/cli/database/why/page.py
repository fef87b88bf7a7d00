"""The answer for people and machines: a block for each row, with a line for each thing that decides.

In: an `Answer`, a function that writes times. Out: a page, or a JSON document.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from watchdog.cli.output.page import Block, Entries, Entry, Ink, Line, Piece
from watchdog.core.incidents.explain.as_it_was import Sent
from watchdog.core.incidents.explain.document import explained_document
from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.judging.findings import Verdict
from watchdog.core.judging.parts import Part, RowLook
from watchdog.core.text.wording import key_text, values_text
from watchdog.status.why.case import Answer, Case, Told, message_text

__all__ = ["why_document", "why_page"]

Clock = Callable[[float], str]
MOST_MESSAGES = 4


def why_page(answer: Answer, clock: Clock) -> list[Block]:
    """A block for each row, and below what holds for all."""
    page: list[Block] = []
    for case in answer.cases:
        named = " · ".join(filter(None, (answer.rule, case.target, key_text(case.key))))
        page += [Line.of(Ink(named, "strong"), Ink(f" · {clock(case.at)}", "faint")), Entries(tuple(_entries(case, clock))), Line()]
    page += [Line.of(Ink(note, "odd")) for note in answer.notes]
    return [*page, Line.of(Ink(f"database {answer.database}" if answer.database else "no database", "faint"))]


def _entries(case: Case, clock: Clock) -> Iterator[Entry]:
    yield Entry(("verdict", Ink(case.verdict, _style(case.look))), tuple(_parts(case.look)) if case.look is not None else _values(case))
    if case.state:
        yield Entry(("state", case.state), tuple(Ink(note, "faint") for note in case.notes))
    for told in case.told:
        yield Entry((Ink(told.receiver, "strong"), told.sentence), tuple(_below(told, clock)))


def _style(look: RowLook | None) -> str:
    styles = {Verdict.BREACH: "bad", Verdict.CLEAR: "good"}
    return "odd" if look is None else styles.get(look.finding.verdict, "odd")


def _values(case: Case) -> tuple[Piece, ...]:
    values = case.incident.values if case.incident is not None else {}
    return (Ink(f"values at its last breach: {values_text(values)}", "faint"),) if values else ()


def _parts(look: RowLook) -> Iterator[Piece]:
    """A line for each part of the condition that says something: what is false of what is clear, what is true of a breach."""
    shown = [part for part in look.parts if _tells(part, look)]
    for part in shown or look.parts:
        holds = {True: "true", False: "false", None: "unknown"}[part.holds]
        name = "" if part.of == "when" else f"{part.of}: "
        yield Ink(f"{name}{part.text} is {holds}{f' · {values_text(part.values)}' if part.values else ''}", "faint")


def _tells(part: Part, look: RowLook) -> bool:
    verdict = look.finding.verdict
    by_clear = verdict is Verdict.BREACH and not all(one.holds for one in look.parts if one.of == "when")
    if part.of == "clear":
        return by_clear
    return part.of == ("where" if verdict is Verdict.NOT_COVERED else "when")


def _below(told: Told, clock: Clock) -> Iterator[Piece]:
    if told.next:
        yield Ink(f"next: {told.next}", "faint")
    if len(told.sent) > MOST_MESSAGES:
        yield Ink(f"{len(told.sent) - MOST_MESSAGES} earlier messages", "faint")
    yield from (Ink(message_text(one, clock), "faint") for one in told.sent[-MOST_MESSAGES:])
    yield from (Ink(f"later: {message_text(one, clock)}", "faint") for one in told.later[:MOST_MESSAGES])


def why_document(answer: Answer) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "version": 1,
        "rule": answer.rule,
        "now": iso(answer.now),
        "at": None if answer.at is None else iso(answer.at),
        "database": answer.database or None,
        "rows": [_case(case) for case in answer.cases],
        "notes": list(answer.notes),
    }


def _case(case: Case) -> dict[str, Any]:
    incident, look = case.incident, case.look
    return {
        "target": case.target,
        "key": dict(case.key),
        "at": iso(case.at),
        "verdict": look.finding.verdict.value if look is not None else None,
        "verdict_text": case.verdict,
        "conditions": _conditions(look.parts if look is not None else ()),
        "incident": incident.id if incident is not None else None,
        "state": incident.state.value if incident is not None else None,
        "severity": incident.severity.value if incident is not None else None,
        "state_text": case.state,
        "receivers": [_receiver(told) for told in case.told],
        "notes": list(case.notes),
    }


def _conditions(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [
        {"of": part.of, "text": part.text, "holds": part.holds, "values": {name: json_cell(cell) for name, cell in part.values.items()}}
        for part in parts
    ]


def _receiver(told: Told) -> dict[str, Any]:
    return {
        "receiver": told.receiver,
        **explained_document(told.explained),
        "sentence": told.sentence,
        "next_text": told.next or None,
        "messages": [_sent(one) for one in (*told.sent, *told.later)],
    }


def _sent(one: Sent) -> dict[str, Any]:
    return {
        "event": one.event.value,
        "severity": one.severity.value,
        "state": one.state,
        "created_at": iso(one.created_at),
        "attempts": one.attempts,
        "delivered_at": None if one.delivered_at is None else iso(one.delivered_at),
        "last_error": one.last_error,
    }
