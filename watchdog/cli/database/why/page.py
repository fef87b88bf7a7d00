"""The answer for people: a block for each row, with a line for each thing that decides.

In: an `Answer`, a function that writes times. Out: a page.
"""

from collections.abc import Callable, Iterator

from watchdog.cli.output.page import Block, Entries, Entry, Ink, Line, Piece
from watchdog.core.judging.findings import Verdict
from watchdog.core.judging.parts import Part, RowLook
from watchdog.core.text.wording import key_text, values_text
from watchdog.status.why.case import Answer, Case, Told, message_text

__all__ = ["why_page"]

Clock = Callable[[float], str]
MOST_MESSAGES = 4


def why_page(answer: Answer, clock: Clock) -> list[Block]:
    """A block for each row, and below what holds for all."""
    page: list[Block] = []
    for case in answer.cases:
        named = " · ".join(filter(None, (answer.rule, case.target, key_text(case.key))))
        page += [
            Line.of(Ink(named, "strong"), Ink(f" · {clock(case.at)}", "faint")),
            Entries(tuple(_entries(case, clock, answer.at))),
            Line(),
        ]
    page += [Line.of(Ink(note, "odd")) for note in answer.notes]
    return [*page, Line.of(Ink(f"database {answer.database}" if answer.database else "no database", "faint"))]


def _entries(case: Case, clock: Clock, at: float | None) -> Iterator[Entry]:
    yield Entry(("verdict", Ink(case.verdict, _style(case.look))), tuple(_parts(case.look)) if case.look is not None else _values(case, at))
    if case.state:
        yield Entry(("state", case.state), tuple(Ink(note, "faint") for note in case.notes))
    if case.incident is not None and case.incident.remedy:
        yield Entry(("remedy", case.incident.remedy))
    for told in case.told:
        yield Entry((Ink(told.receiver, "strong"), told.sentence), tuple(_below(told, clock)))


def _style(look: RowLook | None) -> str:
    styles = {Verdict.BREACH: "bad", Verdict.CLEAR: "good"}
    return "odd" if look is None else styles.get(look.finding.verdict, "odd")


def _values(case: Case, at: float | None) -> tuple[Piece, ...]:
    """Only those of the last breach are kept, which may have been after the time that was asked about."""
    values = case.incident.values if case.incident is not None else {}
    last = "its last breach" if at is None else "the last breach of all"
    return (Ink(f"values at {last}: {values_text(values)}", "faint"),) if values else ()


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
