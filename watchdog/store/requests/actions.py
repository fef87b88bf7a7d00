"""The audit log in the file: every action on a cluster, from before it is sent. `watchdog act` writes it, `watchdog act log` reads it."""

import msgspec

from watchdog.core.actions.outcome import Word
from watchdog.core.actions.record import ActionRecord
from watchdog.core.decoding import ready
from watchdog.store.records import plain
from watchdog.store.sql import Connection, Row

__all__ = ["action_from", "add", "end", "since"]


def add(connection: Connection, record: ActionRecord) -> None:
    """Insert one."""
    connection.execute(
        "INSERT INTO actions (id, at, author, host, action, target, arguments, workers, outcome, text, ended_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.id, record.at, plain(record.author), plain(record.host), record.action, plain(record.target),
            plain(msgspec.json.encode(record.arguments).decode()), plain(msgspec.json.encode(record.workers).decode()),
            record.outcome.value, plain(record.text), record.ended_at,
        ),
    )  # fmt: skip


def end(connection: Connection, named: str, outcome: Word, text: str, now: float) -> None:
    """Write how an action ended."""
    connection.execute("UPDATE actions SET outcome = ?, text = ?, ended_at = ? WHERE id = ?", (outcome.value, plain(text), now, named))


def since(connection: Connection, at: float) -> tuple[ActionRecord, ...]:
    """Those since then, oldest first."""
    return tuple(map(action_from, connection.execute("SELECT * FROM actions WHERE at >= ? ORDER BY at, id", (at,))))


def action_from(row: Row) -> ActionRecord:
    """The record of a row."""
    return ActionRecord(
        row["id"], row["at"], row["author"], row["host"], row["action"], row["target"],
        msgspec.json.decode(row["arguments"], type=ready(dict[str, object])),
        tuple(msgspec.json.decode(row["workers"], type=ready(list[str]))),
        Word(row["outcome"]), row["text"], row["ended_at"],
    )  # fmt: skip
