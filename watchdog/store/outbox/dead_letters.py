"""The outbox for operators: waiting messages, dead letters, receivers that are switched off; and the commands `retry` and `drop`.

`retry` does not resend the old text: the dead letter no longer counts as a notification, so that the next cycle notifies the receiver of
what is firing then. Only the end of an incident that is over, and a digest, are resent unchanged. `drop` leaves the notification log as it
is: what may have arrived counts. Both work beside a running daemon, which learns from `retried` which receivers to retry at once.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.messages import DROPPED, Event, Notice
from watchdog.core.model.identity import message_id
from watchdog.core.report.report import Report
from watchdog.store.cycles import notices_of, queue
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.outbox import switched_off
from watchdog.store.outbox.notification_log import recount
from watchdog.store.records import digest_from, message_from, notice_from
from watchdog.store.sql import Connection, Database, Row

__all__ = ["OutboxMessage", "OutboxShown", "ReceiverOff", "Retried", "drop", "outbox_shown", "retried", "retry", "switch_on"]


class OutboxMessage(Struct, frozen=True):
    """A message that is waiting, being sent, or dead. Times are epoch seconds."""

    id: str
    receiver: str
    target: str
    state: str
    since: float
    """When the oldest of its notices was first needed."""
    attempts: int
    not_before: float
    last_attempt_at: float | None
    last_error: str | None
    expires_at: float
    notices: tuple[Notice, ...]
    digest: Report | None = None
    """The report that it brings, in place of notices."""


class ReceiverOff(Struct, frozen=True):
    """A receiver that is switched off, since when (epoch seconds) and why."""

    receiver: str
    at: float
    reason: str


class OutboxShown(Struct, frozen=True):
    """Messages, oldest first, and the receivers that are switched off."""

    messages: tuple[OutboxMessage, ...]
    off: tuple[ReceiverOff, ...]


class Retried(Struct, frozen=True):
    """The result of retrying one message: how many incidents are notified anew, how many ends and digests are resent, how many need nothing
    more.
    """

    receiver: str
    anew: int = 0
    ends: int = 0
    over: int = 0
    digests: int = 0
    at_once: bool = False
    """The message was waiting, and is due now."""


_LETTERS = (
    "SELECT * FROM messages WHERE state IN ('waiting', 'sending') UNION ALL SELECT * FROM messages WHERE state = 'dead' AND handled IS NULL"
)
_NOTICES = f"""
    SELECT notices.message, notices.snapshot FROM notices JOIN ({_LETTERS}) AS letters ON letters.id = notices.message
    ORDER BY notices.message, notices.position"""  # noqa: S608 - our own SQL
_END_QUEUED = """
    SELECT 1 FROM notices JOIN messages ON messages.id = notices.message
    WHERE notices.incident = ? AND notices.event = 'resolved' AND messages.receiver = ? AND messages.state IN ('waiting', 'sending')"""
_OPEN_NOW = f"SELECT 1 FROM incidents WHERE id = ? AND state IN {OPEN_STATES}"  # noqa: S608


def outbox_shown(file: Database) -> OutboxShown:
    """All unfinished messages and unhandled dead letters, and all receivers that are switched off."""
    with file.speaking():
        connection = file.connection()
        notices: dict[str, list[Notice]] = {}
        for row in connection.execute(_NOTICES):
            notices.setdefault(row["message"], []).append(notice_from(row["snapshot"]))
        messages = [_letter(row, notices.get(row["id"], [])) for row in connection.execute(f"{_LETTERS} ORDER BY number")]
        off = connection.execute("SELECT receiver, at, reason FROM switched_off ORDER BY receiver")
        return OutboxShown(tuple(messages), tuple(ReceiverOff(*row) for row in off))


def _letter(row: Row, notices: Sequence[Notice]) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        receiver=row["receiver"],
        target=row["target"],
        state=row["state"],
        since=row["since"] or row["created_at"],
        attempts=row["attempts"],
        not_before=row["not_before"],
        last_attempt_at=row["last_attempt_at"],
        last_error=row["last_error"],
        expires_at=row["expires_at"],
        notices=tuple(notices),
        digest=None if row["digest"] is None else digest_from(row["digest"]),
    )


def retry(connection: Connection, ids: Iterable[str], now: float) -> list[Retried]:
    """Retry these messages, and switch their receivers on. Messages that are gone or being sent are skipped."""
    done: list[Retried] = []
    for row in _still_there(connection, ids):
        done.append(_due_now(connection, row, now) if row["state"] == "waiting" else _told_anew(connection, row, now))
        switch_on(connection, row["receiver"])
    return done


def switch_on(connection: Connection, receiver: str) -> bool:
    """Have the receiver retried now. Returns whether it was switched off."""
    connection.execute("INSERT INTO retries VALUES (?, 1) ON CONFLICT (receiver) DO UPDATE SET number = retries.number + 1", (receiver,))
    return switched_off.switch_on(connection, receiver)


def retried(connection: Connection) -> Mapping[str, int]:
    """Receiver -> a number that grows with every retry, by which the daemon notices one."""
    return {row["receiver"]: row["number"] for row in connection.execute("SELECT receiver, number FROM retries")}


def _due_now(connection: Connection, row: Row, now: float) -> Retried:
    connection.execute("UPDATE messages SET not_before = ?, wait_s = 0 WHERE id = ?", (now, row["id"]))
    return Retried(row["receiver"], at_once=True)


def _told_anew(connection: Connection, row: Row, now: float) -> Retried:
    """Mark the dead letter as retried. The next cycle decides what to send now, except for ends, which no later cycle may revisit."""
    letter, receiver = row["id"], row["receiver"]
    connection.execute("UPDATE messages SET handled = 'retried', handled_at = ? WHERE id = ?", (now, letter))
    recount(connection, letter, receiver)
    if row["digest"] is not None:
        return _digest_again(connection, row, now)
    notices = notices_of(connection, letter)
    open_ = [n for n in notices if connection.execute(_OPEN_NOW, (n.incident,)).fetchone()]
    ends = tuple(n for n in notices if n not in open_ and n.event is Event.RESOLVED and _believes_it_burns(connection, n, receiver))
    unsaid = tuple(n for n in ends if connection.execute(_END_QUEUED, (n.incident, receiver)).fetchone() is None)
    if unsaid:
        again = message_id(receiver, row["target"], now, [letter, *(n.incident for n in unsaid)])
        queue(connection, [replace(message_from(row, unsaid), id=again, created_at=now, not_before=now)], now)
    return Retried(receiver, len(open_), len(ends), len(notices) - len(open_) - len(ends))


def _digest_again(connection: Connection, row: Row, now: float) -> Retried:
    """Queue the same report again: what it says of its time stays true."""
    letter, receiver = row["id"], row["receiver"]
    again = message_id(receiver, row["target"], now, [letter])
    queue(connection, [replace(message_from(row, ()), id=again, created_at=now, not_before=now)], now)
    return Retried(receiver, digests=1)


def _believes_it_burns(connection: Connection, notice: Notice, receiver: str) -> bool:
    row = connection.execute("SELECT event FROM told WHERE incident = ? AND receiver = ?", (notice.incident, receiver)).fetchone()
    return row is not None and row["event"] not in (None, Event.RESOLVED)


def drop(connection: Connection, ids: Iterable[str], now: float) -> list[str]:
    """Give these messages up for good. Returns the ids that were found. A message being sent is skipped: it may be arriving."""
    dropped = []
    for row in _still_there(connection, ids):
        connection.execute(
            "UPDATE messages SET state = 'dead', body = coalesce(body, x''), settings = ?, handled = 'dropped', handled_at = ?"
            " WHERE id = ?",
            (DROPPED, now, row["id"]),
        )
        recount(connection, row["id"], row["receiver"])
        dropped.append(row["id"])
    return dropped


def _still_there(connection: Connection, ids: Iterable[str]) -> list[Row]:
    found = (
        connection.execute("SELECT * FROM messages WHERE id = ? AND state IN ('waiting', 'dead') AND handled IS NULL", (one,)).fetchone()
        for one in ids
    )
    return [row for row in found if row is not None]
