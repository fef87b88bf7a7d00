"""Silences in the file: `watchdog silence` writes them, each cycle reads those that have not ended."""

import msgspec
from msgspec.structs import replace

from watchdog.core.decoding import ready
from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.silences import Silence, amended
from watchdog.store.records import plain
from watchdog.store.refusals import NotFoundError
from watchdog.store.sql import Connection, Row

__all__ = ["add", "amend", "every", "expire", "not_ended", "silence_from"]

_NOT_ENDED = "SELECT * FROM silences WHERE ends_at > coalesce((SELECT max(at) FROM cycles), 0) - 86400 ORDER BY id"
"""A day more than needed: whether a silence applies is decided with the cycle's clock, which may have been set back."""


def not_ended(connection: Connection) -> tuple[Silence, ...]:
    """Those that apply, will apply, or ended within a day."""
    return tuple(map(silence_from, connection.execute(_NOT_ENDED)))


def every(connection: Connection) -> tuple[Silence, ...]:
    """All that are kept, oldest first."""
    return tuple(map(silence_from, connection.execute("SELECT * FROM silences ORDER BY id")))


def add(connection: Connection, silence: Silence) -> None:
    """Insert one."""
    matchers = msgspec.json.encode([(plain(m.label), m.operator, plain(m.value)) for m in silence.matchers]).decode()
    connection.execute(
        "INSERT INTO silences (id, matchers, starts_at, ends_at, comment, author) VALUES (?, ?, ?, ?, ?, ?)",
        (silence.id, matchers, silence.starts_at, silence.ends_at, plain(silence.comment), plain(silence.author)),
    )


def expire(connection: Connection, named: str, now: float) -> Silence:
    """End the silence of this id, or prefix of one, now; `NotFoundError` if none or several that have not ended match."""
    found = [silence for silence in every(connection) if silence.ends_at > now and silence.id.lower().startswith(named.strip().lower())]
    if len(found) != 1 or not named.strip():
        what = "no silence that has not ended begins with" if not found else f"{len(found)} silences begin with"
        raise NotFoundError(f"{what} {named}; `watchdog silence list` shows them")
    connection.execute("UPDATE silences SET ends_at = ? WHERE id = ?", (now, found[0].id))
    return found[0]


def amend(connection: Connection, named: str, asked: Silence, now: float) -> Silence:
    """Change the silence of exactly this id; one that cannot be changed ends now, and what was asked for is added. Returns what holds then.

    `NotFoundError` if there is none.
    """
    old = next((silence for silence in every(connection) if silence.id == named), None)
    if old is None:
        raise NotFoundError("silence not found")
    changed = amended(old, asked, now)
    if changed is None:
        new = replace(asked, starts_at=max(asked.starts_at, now))
        if old.ends_at > now:
            connection.execute("UPDATE silences SET ends_at = ? WHERE id = ?", (now, old.id))
        add(connection, new)
        return new
    connection.execute("DELETE FROM silences WHERE id = ?", (old.id,))
    add(connection, changed)
    return changed


def silence_from(row: Row) -> Silence:
    """The silence of a row."""
    matchers = tuple(Matcher(*parts) for parts in msgspec.json.decode(row["matchers"], type=ready(list[tuple[str, str, str]])))
    return Silence(row["id"], matchers, row["starts_at"], row["ends_at"], row["comment"], row["author"])
