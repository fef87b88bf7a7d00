"""The floor of a cycle: the same bytes from the same servers, the same rows, the same statements, one commit; and nothing else.

No timeouts, no faults, no memory, no gaps, no windows: it is what the work costs by itself, and no program that anybody should run.
"""

import re
import socket
import sqlite3
from collections.abc import Iterable, Sequence
from http.client import HTTPConnection
from pathlib import Path

import msgspec

from bench.servers import LOOPBACK, Servers
from watchdog.core.model.rows import Kind
from watchdog.tables import TABLES

__all__ = ["Floor"]

EVENTS = re.compile(rb'flower_events_total\{task="([^"]*)",type="task-([^"]*)",worker="([^"]*)"\} (\S+)')


FILLED = {
    "workers": (
        "name", "kind", "host", "state", "silent_s", "uptime_s", "active", "pool_size", "saturated", "processed", "processed_per_min",
        "reserved", "load1", "load5", "load15", "pid", "restarts", "replaced", "version", "queues",
    ),
    "queues": ("name", "length", "consumers", "oldest_s", "growth_per_min", "drain_s", "declared", "idle_with_backlog_s"),
}  # fmt: skip
"""Table -> the columns that are read here; the others are written as 0."""


class _Beat(msgspec.Struct):
    hostname: str
    status: bool
    heartbeats: list[float]
    active: int
    processed: int
    loadavg: tuple[float, float, float]
    pid: int
    sw_ver: str


class _Beats(msgspec.Struct):
    data: list[_Beat]


class _Named(msgspec.Struct):
    name: str


class _Pool(msgspec.Struct):
    size: int = msgspec.field(name="max-concurrency")


class _Stats(msgspec.Struct):
    uptime: float
    pool: _Pool


class _Inspection(msgspec.Struct):
    stats: _Stats
    active_queues: list[_Named]


class Floor:
    """One bare look after the other."""

    def __init__(self, servers: Servers, conditions: Iterable[tuple[str, str]], database: Path) -> None:
        self._flower = HTTPConnection(LOOPBACK, servers.flower_port)
        self._redis = socket.create_connection((LOOPBACK, servers.redis_port))
        self._memory = sqlite3.connect(":memory:", isolation_level=None, cached_statements=1000)
        self._statements = [f'SELECT rowid FROM "{table}" WHERE ({condition})' for table, condition in conditions]
        self._inspected: dict[str, _Inspection] = {}
        self._file = sqlite3.connect(database, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute("CREATE TABLE cycles (target TEXT PRIMARY KEY, at REAL)")
        affinity = {Kind.NUMBER: "REAL", Kind.TEXT: "TEXT", Kind.BOOLEAN: "INTEGER"}
        self._inserts = {}
        for name, filled in FILLED.items():
            columns = TABLES[name].columns
            self._memory.execute(f'CREATE TABLE "{name}" ({", ".join(f"{c.name} {affinity[c.kind]}" for c in columns)})')
            rest = [c.name for c in columns if c.name not in filled]
            values = ", ".join(["?"] * len(filled) + ["0"] * len(rest))
            self._inserts[name] = f'INSERT INTO "{name}" ({", ".join((*filled, *rest))}) VALUES ({values})'

    def look(self, pages: Iterable[str], requests: Iterable[tuple[bytes, int]], lists: int, now: float) -> int:
        """One look: these pages; these packed Redis commands, each bunch with its number of lines in reply, the last `lists` of which are
        lengths, as many a queue. Returns how many rows the statements gave."""
        answers = {path: self._get(path) for path in pages}
        lines = [line for packed, count in requests for line in self._exchange(packed, count)]
        beats = msgspec.json.decode(answers["/?json=1"], type=_Beats).data
        online = msgspec.json.decode(answers["/api/workers?status=true"], type=dict[str, bool])
        if "/metrics" in answers:
            body = answers["/metrics"]
            first = body.index(b"# TYPE flower_events_total")
            dict.fromkeys(EVENTS.findall(body[first : body.index(b"\n# ", first)]))
        for path in ("/api/workers", "/api/workers?refresh=true"):
            if path in answers:
                self._inspected = msgspec.json.decode(answers[path], type=dict[str, _Inspection])
        return self._judged(self._workers(beats, online, now), self._queues(lines, lists), now)

    def close(self) -> None:
        """Give back sockets and files."""
        self._flower.close()
        self._redis.close()
        self._memory.close()
        self._file.close()

    def _get(self, path: str) -> bytes:
        self._flower.request("GET", path)
        return self._flower.getresponse().read()

    def _exchange(self, packed: bytes, count: int) -> list[bytes]:
        self._redis.sendall(packed)
        received = bytearray()
        while received.count(b"\r\n") < count:
            received += self._redis.recv(65536)
        return bytes(received).split(b"\r\n")[:count]

    def _workers(self, beats: Iterable[_Beat], online: dict[str, bool], now: float) -> Iterable[Sequence[object]]:
        for beat in beats:
            seen = self._inspected[beat.hostname]
            size, queues = float(seen.stats.pool.size), ",".join([queue.name for queue in seen.active_queues])
            yield (
                beat.hostname, beat.hostname, beat.hostname, "online" if online[beat.hostname] else "lost", now - beat.heartbeats[-1],
                seen.stats.uptime, beat.active, size, beat.active >= size, beat.processed, 0.0, None, *beat.loadavg,
                beat.pid, 0.0, False, beat.sw_ver, queues,
            )  # fmt: skip

    def _queues(self, lines: list[bytes], lists: int) -> Iterable[Sequence[object]]:
        names = [queue.name for seen in self._inspected.values() for queue in seen.active_queues]
        lengths = [int(line[1:]) for line in lines[-lists:]]
        each = lists // len(names)
        for n, name in enumerate(names):
            yield name, float(sum(lengths[n * each : n * each + each])), 1.0, 0.0, 0.0, 0.0, True, 0.0

    def _judged(self, workers: Iterable[Sequence[object]], queues: Iterable[Sequence[object]], now: float) -> int:
        memory = self._memory
        memory.execute("BEGIN")
        for name, rows in (("workers", workers), ("queues", queues)):
            memory.execute(f'DELETE FROM "{name}"')
            memory.executemany(self._inserts[name], rows)
        memory.execute("COMMIT")
        found = sum(len(memory.execute(statement).fetchall()) for statement in self._statements)
        self._file.execute("BEGIN IMMEDIATE")
        self._file.execute("INSERT OR REPLACE INTO cycles VALUES ('prod', ?)", (now,))
        self._file.execute("COMMIT")
        return found
