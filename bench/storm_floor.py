"""The floor of many incidents at once: the leanest Python program that does the same real work, to the same bytes, and nothing else.

The storm: one SELECT that returns the breaching rows with what is shown of them; an incident of each (two digests, text, cells), all
inserted with executemany in one transaction, together with the bodies of 100 incidents each, encoded by msgspec; then each body is posted
over one kept-alive connection, and its delivery recorded with a commit of its own. A cycle after that: the same SELECT, and all incidents
read from the file. The rows are in SQLite already. No gaps, no texts that a user may write, no history, no memory of what was sent where,
no receiver that fails: nobody should run such a program.
"""

import hashlib
import sqlite3
from base64 import b32encode
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from watchdog.core.model.rows import Row

__all__ = ["StormFloor"]

IN_A_BODY = 100
_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
COLUMNS = (
    "id", "fingerprint", "rule", "identity", "target", "key", "state", "severity", "started_at", "fired_at", "resolved_at", "ended",
    "held_s", "quiet_s", "labels", "values", "seen_at", "summary", "description", "runbook", "inhibits", "link",
)  # fmt: skip


class StormFloor:
    """One storm of these rows at this time (epoch seconds)."""

    def __init__(self, folder: Path, url: str, rows: Sequence[Row], limit: float, now: float) -> None:
        self._now = now
        self._memory = sqlite3.connect(":memory:", isolation_level=None)
        self._memory.execute("CREATE TABLE queues (name TEXT, length REAL)")
        self._memory.executemany("INSERT INTO queues VALUES (?, ?)", [(row.cells["name"], row.cells["length"]) for row in rows])
        self._select = f"SELECT name, length FROM queues WHERE length > {limit}"
        self._file = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        self._file.execute(f"CREATE TABLE incidents ({columns}, PRIMARY KEY (id)) WITHOUT ROWID")
        self._file.execute("CREATE TABLE messages (number INTEGER PRIMARY KEY, body BLOB, state TEXT)")
        address = urlsplit(url)
        self._path = address.path
        self._receiver = HTTPConnection(address.hostname or "", address.port)

    def strike(self) -> None:
        """The storm."""
        stored, shown = [], []
        at = datetime.fromtimestamp(self._now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, length in self._memory.execute(self._select).fetchall():
            cells, incident = self._incident(name, length, at)
            stored.append(cells)
            shown.append(incident)
        group = hashlib.sha256(f"group\x1f{shown[0]['id']}\x1frule=Jumped\x1ftarget=prod".encode()).hexdigest()[:16]
        shown.sort(key=lambda incident: incident["id"])
        bodies = [msgspec.json.encode(_message(shown[n : n + IN_A_BODY], at, group)) for n in range(0, len(shown), IN_A_BODY)]
        self._file.execute("BEGIN IMMEDIATE")
        self._file.executemany(f"INSERT INTO incidents VALUES ({', '.join('?' * len(COLUMNS))})", stored)
        self._file.executemany("INSERT INTO messages VALUES (?, ?, 'waiting')", enumerate(bodies))
        self._file.execute("COMMIT")
        for number, body in enumerate(bodies):
            self._receiver.request("POST", self._path, body, {"content-type": "application/json"})
            if self._receiver.getresponse().read():
                raise AssertionError("the receiver was to say nothing")
            self._file.execute("UPDATE messages SET state = 'delivered' WHERE number = ?", (number,))

    def look(self) -> None:
        """A cycle in which nothing changes."""
        self._memory.execute(self._select).fetchall()
        self._file.execute("SELECT * FROM incidents").fetchall()

    def _incident(self, name: str, length: float, at: str) -> tuple[tuple[object, ...], dict[str, Any]]:
        """What is stored of it, and what is sent."""
        now, key, values = self._now, {"name": name}, {"length": int(length)}
        fingerprint = hashlib.sha256(f"Jumped\x1fprod\x1fname={name}".encode()).hexdigest()[:16]
        digest = hashlib.sha256(f"incident\x1f{fingerprint}\x1f{now!r}".encode()).digest()
        letters = b32encode(bytes(4) + int(now * 1000).to_bytes(6, "big") + digest[:10])[6:]
        identity = letters.translate(_TO_CROCKFORD).decode()
        summary = f"{name} holds {length:,.0f} messages"
        cells = (
            identity, fingerprint, "Jumped", "", "prod", msgspec.json.encode(key), "firing", "warning", now, now, None, None,
            0.0, 0.0, "{}", msgspec.json.encode(values), now, summary, "", "", "[]", "",
        )  # fmt: skip
        incident = {
            "id": identity, "fingerprint": fingerprint, "event": "first", "rule": "Jumped", "target": "prod", "severity": "warning",
            "state": "firing", "ended": None, "closed_by": None, "closed_because": None, "key": key, "labels": {}, "values": values,
            "summary": summary, "description": "", "runbook": "", "link": None, "because": [], "deploy": None,
            "trend": None, "remedy": None,
            "started_at": at, "fired_at": at, "resolved_at": None, "flapping": False, "targets": ["prod"],
            "sequence": 1,
        }  # fmt: skip
        return cells, incident

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._receiver.close()
        self._memory.close()
        self._file.close()


def _message(incidents: list[dict[str, Any]], at: str, group: str) -> dict[str, Any]:
    titles = [incident["summary"] for incident in incidents[:5]]
    headline = f"{len(incidents)} incidents: {'; '.join(titles)}; and {len(incidents) - len(titles)} more"
    return {
        "type": "incident.firing", "timestamp": at, "service": "watchdog", "level": "WARNING", "message": headline,
        "data": {"receiver": "ops", "target": "prod", "group": group, "incidents": incidents},
    }  # fmt: skip
