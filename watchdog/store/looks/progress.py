"""How far the looks at all targets are, by which clock, and who makes them. For a daemon that does not make all of them itself."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.decoding import ready
from watchdog.core.model.self_seen import LookerSeen
from watchdog.store.looks.in_force import in_force
from watchdog.store.sql import NOW, Database

__all__ = ["Progress", "Progressing"]


ALIVE_S = 15.0
"""How long a process that looks is believed to live after it said something; it does so every five seconds."""
FORGOTTEN_S = 3600.0
_REPORT = "INSERT INTO lookers VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body"


class Progress(Struct, frozen=True):
    """Target -> when its last committed look was (epoch seconds); and two numbers that grow, with messages and with incidents.

    Only what is committed counts: the number that PostgreSQL gave last may be that of a message which nobody can read yet.
    """

    looked_at: Mapping[str, float] = field(default_factory=dict)
    messages: int = 0
    changes: int = 0


class Progressing:
    """The part of the store that says what has been committed."""

    _file: Database

    def progress(self) -> Progress:
        """What has been committed so far."""
        with self._file.speaking():
            connection = self._file.connection()
            looked_at = {str(row["target"]): float(row["at"]) for row in connection.execute("SELECT target, at FROM cycles")}
            last = connection.execute("SELECT max(number) AS number FROM messages").fetchone()
            changes = connection.execute("SELECT number FROM changes").fetchone()["number"]
            return Progress(looked_at, int(last["number"] or 0), int(changes))

    def now(self) -> float:
        """The database's own clock, which is the same for all who look (epoch seconds)."""
        with self._file.speaking():
            return float(self._file.connection().execute(NOW).fetchone()["now"])

    def in_force(self) -> str:
        """The fingerprint of the configuration by which others are to look; empty if nobody is to."""
        with self._file.speaking():
            return in_force(self._file.connection())

    def report(self, looker: LookerSeen) -> None:
        """Keep what a process that looks says of itself, and forget those who have said nothing for long."""
        with self._file.writing() as connection, self._file.speaking():
            connection.execute(_REPORT, (looker.name, looker.at, msgspec.msgpack.encode(looker)))
            connection.execute("DELETE FROM lookers WHERE at < ?", (looker.at - FORGOTTEN_S,))

    def leave(self, name: str) -> None:
        """Forget a process that looks: it has ended."""
        with self._file.writing() as connection, self._file.speaking():
            connection.execute("DELETE FROM lookers WHERE name = ?", (name,))

    def lookers(self, now: float) -> tuple[LookerSeen, ...]:
        """The processes that look for the daemon, as far as they have said so lately, by name."""
        with self._file.speaking():
            rows = self._file.connection().execute("SELECT at, body FROM lookers WHERE at > ? ORDER BY name", (now - ALIVE_S,))
            return tuple(replace(msgspec.msgpack.decode(row["body"], type=ready(LookerSeen)), at=row["at"]) for row in rows)
