"""Attempts at remedies in the file. Each is a line of the audit log, too, under the same id and with the daemon as its author.

A cycle adds one with its plan, before anything is sent; whoever carries it out ends it; a later cycle writes whether it helped.
"""

import socket
from collections.abc import Iterable

import msgspec
from msgspec.structs import astuple, fields

from watchdog.core.actions.outcome import Word
from watchdog.core.actions.record import ActionRecord
from watchdog.core.decoding import ready
from watchdog.core.incidents.remedies.attempt import COUNTED_S, Attempt, Helped
from watchdog.store.records import plain
from watchdog.store.requests import actions
from watchdog.store.sql import Connection, Row

__all__ = ["attempt_from", "counting", "end", "under_way", "write"]

_NAMES = tuple(field.name for field in fields(Attempt))
_INSERT = (
    f"INSERT INTO remedies ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))}) ON CONFLICT (id) DO UPDATE SET"  # noqa: S608 - our own names
    " helped = excluded.helped, outcome = excluded.outcome, ended_at = excluded.ended_at"
)
_COUNTING = """
    SELECT * FROM remedies WHERE at > coalesce((SELECT at FROM cycles WHERE target = ?), 0) - ?
    UNION SELECT * FROM remedies WHERE helped = '' OR ended_at IS NULL ORDER BY at, id"""


def counting(connection: Connection, target: str) -> tuple[Attempt, ...]:
    """Those that may count for an `at_most`, and those that are not settled, of all targets, oldest first."""
    return tuple(map(attempt_from, connection.execute(_COUNTING, (target, COUNTED_S))))


def under_way(connection: Connection) -> tuple[Attempt, ...]:
    """Those that were begun and have not ended."""
    return tuple(map(attempt_from, connection.execute("SELECT * FROM remedies WHERE ended_at IS NULL ORDER BY at, id")))


def write(connection: Connection, attempts: Iterable[Attempt]) -> None:
    """Add new attempts, with their lines in the audit log; of known ones, write whether they helped."""
    for one in attempts:
        known = connection.execute("SELECT 1 FROM remedies WHERE id = ?", (one.id,)).fetchone()
        connection.execute(_INSERT, tuple(_cell(cell) for cell in astuple(one)))
        if not known:
            actions.add(connection, _record(one))


def end(connection: Connection, named: str, outcome: Word, text: str, now: float) -> None:
    """Write how an attempt ended, here and in the audit log."""
    connection.execute("UPDATE remedies SET outcome = ?, text = ?, ended_at = ? WHERE id = ?", (outcome.value, plain(text), now, named))
    actions.end(connection, named, outcome, text, now)


def attempt_from(row: Row) -> Attempt:
    """The attempt of a row."""
    given = {name: row[name] for name in _NAMES}
    workers = tuple(msgspec.json.decode(row["workers"], type=ready(list[str])))
    return Attempt(**{**given, "workers": workers, "helped": Helped(row["helped"])})


def _record(one: Attempt) -> ActionRecord:
    about = {"queue": one.queue, "workers": list(one.workers), "incident": one.incident}
    author, host = f"watchdog (rule {one.rule})", socket.gethostname()
    return ActionRecord(one.id, one.at, author, host, one.remedy, one.target, about, one.workers, Word(one.outcome), one.text, one.ended_at)


def _cell(cell: object) -> object:
    if isinstance(cell, tuple):
        return plain(msgspec.json.encode(cell).decode())
    return plain(str(cell)) if isinstance(cell, str) else cell
