"""Actions for people and for machines: what one will touch, what came back, and the audit log."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from watchdog.cli.output.page import Block, ByMedium, Entries, Entry, Grid, Ink, Line, Piece
from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer, Outcome
from watchdog.core.actions.record import ActionRecord
from watchdog.core.actions.request import Foreseen, Request
from watchdog.core.incidents.payload import iso
from watchdog.core.text.wording import counted

__all__ = ["action_document", "foreseen_page", "log_document", "log_page", "outcome_page"]

_SIGNS = {True: Ink("done     ", "good"), False: Ink("failed   ", "bad"), None: Ink("unknown  ", "odd")}


def foreseen_page(request: Request, foreseen: Foreseen) -> list[Block]:
    """What it will touch, and what may be unexpected about it."""
    head = Line.of(f"{KINDS[request.kind].does} ({request.kind}, target {request.target})")
    touches = [Line.of(text, indent=2) for text in foreseen.touches]
    return [head, *touches, *(Line.of(Ink(f"! {text}", "odd"), indent=2) for text in foreseen.notes)]


def outcome_page(outcome: Outcome) -> list[Block]:
    """What each worker answered, and the outcome in a word."""
    lines: list[Block] = [Line.of(_sign(answer), f"{name}: {answer.text}") for name, answer in outcome.answers.items()]
    return [*lines, Line.of(Ink(outcome.word.value, "faint"))]


def _sign(answer: Answer) -> Ink:
    return Ink("nothing  ", "odd") if answer.nothing else _SIGNS[answer.worked]


def action_document(record: ActionRecord, foreseen: Foreseen, outcome: Outcome | None) -> dict[str, Any]:
    """The same for machines. `outcome` is null for a dry run."""
    answers = {} if outcome is None else {name: asdict(answer) for name, answer in outcome.answers.items()}
    return {
        "version": 1,
        "id": None if outcome is None else record.id,
        "action": record.action,
        "target": record.target,
        "arguments": dict(record.arguments),
        "workers": list(foreseen.workers),
        "touches": [text.strip() for text in foreseen.touches],
        "notes": list(foreseen.notes),
        "outcome": None if outcome is None else outcome.word.value,
        "answers": answers,
    }


def log_page(records: Sequence[ActionRecord]) -> list[Block]:
    """The audit log: to a pipe a table; on a terminal one entry each."""
    if not records:
        return [Line.of(Ink("no action in this time", "faint"))]
    headers = ("at", "outcome", "action", "target", "who", "arguments", "said", "id")
    rows = tuple((iso(r.at), r.outcome.value, r.action, r.target, _who(r), r.arguments_text, r.text, r.id) for r in records)
    entries = tuple(_entry(record) for record in records)
    return [ByMedium((Grid(headers, rows),), (Entries(entries),)), Line.of(Ink(counted(len(records), "action"), "faint"))]


def log_document(records: Sequence[ActionRecord]) -> dict[str, Any]:
    """The same for machines."""
    return {"version": 1, "actions": [_logged(record) for record in records]}


def _logged(record: ActionRecord) -> dict[str, Any]:
    times = {"at": iso(record.at), "ended_at": None if record.ended_at is None else iso(record.ended_at)}
    return {**asdict(record), **times, "workers": list(record.workers), "outcome": record.outcome.value}


def _entry(record: ActionRecord) -> Entry:
    about = f"{iso(record.at)} · {_who(record)} · {record.id}"
    lines: list[Piece] = [*([record.text] if record.text else []), Ink(about, "faint")]
    return Entry((Ink(record.outcome.value, "odd"), f"{record.action} {record.arguments_text} on {record.target}"), tuple(lines))


def _who(record: ActionRecord) -> str:
    return f"{record.author}@{record.host}"
