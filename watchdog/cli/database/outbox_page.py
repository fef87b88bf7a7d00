"""The outbox for people and machines: the list, one message, the result of a retry.

In: what the store returns, the database's path, now (epoch seconds). Out: pages, and JSON documents.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from watchdog.cli.output.page import Block, Grid, Ink, Line, Piece
from watchdog.cli.status.report_page import report_page
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.payload import headline, iso, title_of
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import counted, key_text
from watchdog.store import OutboxShown

if TYPE_CHECKING:
    from watchdog.store import OutboxMessage, Retried

__all__ = ["message_document", "message_page", "only", "outbox_document", "outbox_page", "retried_page"]

_HEADERS = ("id", "receiver", "target", "state", "since", "attempts", "next", "what", "why")


def only(shown: OutboxShown, receiver: str | None) -> OutboxShown:
    """The entries of one receiver, or all."""
    if receiver is None:
        return shown
    return OutboxShown(
        tuple(message for message in shown.messages if message.receiver == receiver), tuple(o for o in shown.off if o.receiver == receiver)
    )


def outbox_page(shown: OutboxShown, database: str, now: float) -> list[Block]:
    """The list, oldest first."""
    off = {one.receiver for one in shown.off}
    page: list[Block] = [Line.of(Ink(f"{one.receiver} is switched off", "bad"), f" since {iso(one.at)}: {one.reason}") for one in shown.off]
    rows = tuple(_row(message, off, now) for message in shown.messages)
    page += [Grid(_HEADERS, rows)] if rows else []
    dead = sum(message.state == "dead" for message in shown.messages)
    counts = f"{len(shown.messages) - dead} waiting, {dead} given up"
    return [*page, Line.of(Ink(f"{counts} · database {database}", "faint"))]


def _row(message: "OutboxMessage", off: set[str], now: float) -> tuple[Piece, ...]:
    return (
        message.id,
        message.receiver,
        message.target,
        Ink(message.state, "bad" if message.state == "dead" else "odd"),
        iso(message.since),
        str(message.attempts),
        _next(message, message.receiver in off, now),
        _what(message),
        message.last_error or "",
    )


def _next(message: "OutboxMessage", off: bool, now: float) -> str:  # noqa: FBT001
    """When the next attempt is due."""
    if message.state == "dead":
        return "never"
    if message.state == "sending":
        return "now"
    if off:
        return "when switched on"
    away_s = message.not_before - now
    return f"in {format_duration(max(round(away_s), 1))}" if away_s > 0 else "now"


def _what(message: "OutboxMessage") -> str:
    """The content of the message in one line."""
    if not message.notices and message.digest is None:
        return ""
    return headline(Message(message.id, message.receiver, message.target, message.since, message.notices, digest=message.digest))


def message_page(message: "OutboxMessage", database: str, now: float) -> list[Block]:
    """One message."""
    facts = (
        ("id", message.id),
        ("receiver", message.receiver),
        ("target", message.target),
        ("state", message.state),
        ("since", iso(message.since)),
        ("attempts", str(message.attempts)),
        ("last attempt", "" if message.last_attempt_at is None else iso(message.last_attempt_at)),
        ("next attempt", _next(message, off=False, now=now)),
        ("tried until", iso(message.expires_at)),
        ("why", message.last_error or ""),
    )
    page: list[Block] = [Line.of(Ink(label.ljust(13), "faint"), text) for label, text in facts if text]
    if message.digest is not None:
        return [*page, Line(), *report_page(message.digest, database)]
    page += [Line(), Grid(("event", "severity", "rule", "key", "incident", "what"), tuple(map(_notice, message.notices)))]
    return [*page, Line(), Line.of(Ink(f"database {database}", "faint"))]


def _notice(notice: Notice) -> tuple[Piece, ...]:
    severity = Ink(notice.severity.value, notice.severity.value)
    return notice.event.value, severity, notice.rule, key_text(notice.key), notice.incident, title_of(notice)


def retried_page(retried: Sequence["Retried"], switched_on: Sequence[str], in_hand: int) -> list[Block]:
    """The result of a retry."""
    sums = (
        (sum(one.at_once for one in retried), "message", "due now"),
        (sum(one.anew for one in retried), "incident", "to be notified again in the next cycle, if it still fires"),
        (sum(one.ends for one in retried), "end", "to be sent again"),
        (sum(one.digests for one in retried), "digest", "to be sent again"),
        (sum(one.over for one in retried), "incident", "over, with nothing left to send"),
        (in_hand, "message", "being sent just now, left alone"),
    )
    said = [f"{name} is switched on" for name in switched_on]
    said += [f"{counted(count, word)} {what}" for count, word, what in sums if count]
    return [Line.of(line) for line in said or ["nothing to try again"]]


def outbox_document(shown: OutboxShown, database: str) -> dict[str, Any]:
    """The list as JSON values."""
    return {
        "version": 1,
        "database": database,
        "off": [{"receiver": one.receiver, "since": iso(one.at), "reason": one.reason} for one in shown.off],
        "messages": [_document(message) for message in shown.messages],
    }


def message_document(message: "OutboxMessage", database: str) -> dict[str, Any]:
    """One message as JSON values."""
    return {"version": 1, "database": database, "message": _document(message)}


def _document(message: "OutboxMessage") -> dict[str, Any]:
    return {
        "id": message.id,
        "receiver": message.receiver,
        "target": message.target,
        "state": message.state,
        "since": iso(message.since),
        "attempts": message.attempts,
        "last_attempt_at": None if message.last_attempt_at is None else iso(message.last_attempt_at),
        "next_attempt_at": iso(message.not_before) if message.state == "waiting" else None,
        "tried_until": iso(message.expires_at),
        "last_error": message.last_error,
        "what": _what(message),
        "incidents": [
            {
                "id": notice.incident,
                "event": notice.event.value,
                "rule": notice.rule,
                "severity": notice.severity.value,
                "key": dict(notice.key),
                "ended": notice.ended if notice.event is Event.RESOLVED else None,
                "summary": notice.summary,
            }
            for notice in message.notices
        ],
    }
