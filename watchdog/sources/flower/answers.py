"""Decodes Flower's answers about workers. In: the bytes of one answer. Out: a reply, or a gap that says what was expected and found.

Only the needed fields are decoded.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import WorkerBeat
from watchdog.core.text.names import LONGEST_NAME, short_named
from watchdog.sources.flower.json import UNREADABLE, as_kind, decoded

__all__ = ["StatusEntry", "worker_beats", "worker_status"]


class _Beat(Struct):
    hostname: str
    status: bool
    heartbeats: list[float] = []
    freq: float | None = None
    active: int | None = None
    processed: int | None = None
    loadavg: tuple[float, float, float] | None = None
    pid: int | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None
    hellos: int = msgspec.field(default=0, name="worker-online")  # counts; a key is missing while its count is 0
    goodbyes: int = msgspec.field(default=0, name="worker-offline")
    pulses: int = msgspec.field(default=0, name="worker-heartbeat")


class _Beats(Struct):
    data: list[_Beat]


class _LooseBeats(Struct):
    data: list[dict[str, Any]]


class StatusEntry(Struct):
    """A worker as described by some Flower-compatible servers."""

    status: str | bool


_ONLINE = frozenset({"OK", "ONLINE", "UP", "ALIVE"})
_OFFLINE = frozenset({"OFFLINE", "DOWN", "DEAD", "LOST"})


def worker_status(body: bytes) -> dict[str, bool] | Gap:
    """`/api/workers?status=true`: worker -> whether its heartbeats arrive. Some servers answer with a `status` for each worker instead."""
    try:
        return short_named(msgspec.json.decode(body, type=ready(dict[str, bool])))
    except UNREADABLE:
        expected = "an object of worker -> true or false"
        loose = decoded(body, dict[str, StatusEntry], "/api/workers?status=true", expected)
    if isinstance(loose, Gap):
        return loose
    listed = {name: _is_online(entry.status) for name, entry in loose.items()}
    known = {name: online for name, online in listed.items() if online is not None}
    if len(known) < len(listed):
        return Gap(f"flower: expected {expected} from /api/workers?status=true, found a worker whose status is neither OK nor OFFLINE")
    return short_named(known)


def _is_online(status: object) -> bool | None:
    """The meaning of a status in words; None for unknown words."""
    if isinstance(status, bool):
        return status
    word = status.upper() if isinstance(status, str) else None
    return True if word in _ONLINE else False if word in _OFFLINE else None


def worker_beats(body: bytes) -> dict[str, WorkerBeat] | Gap:
    """`/?json=1`: worker -> what its events reported."""
    try:
        beats = msgspec.json.decode(body, type=ready(_Beats)).data
    except UNREADABLE:
        loose = decoded(body, _LooseBeats, "/?json=1", '{"data": [workers]}')
        if isinstance(loose, Gap):
            return loose
        sure = [_beat(entry) for entry in loose.data]
        if None in sure:
            return Gap("flower: expected a hostname and a status for each worker from /?json=1, found a worker without")
        beats = [beat for beat in sure if beat is not None]
    return short_named({beat.hostname: _worker_beat(beat) for beat in beats})


def _worker_beat(beat: _Beat) -> WorkerBeat:
    return WorkerBeat(
        name=beat.hostname,
        online=beat.status,
        heartbeats=tuple(sorted(beat.heartbeats)),
        freq_s=beat.freq,
        active=beat.active,
        processed=beat.processed,
        load=beat.loadavg,
        pid=beat.pid,
        version=beat.sw_ver and beat.sw_ver[:LONGEST_NAME],
        hellos=beat.hellos,
        goodbyes=beat.goodbyes,
        pulses=beat.pulses,
        system=beat.sw_sys and beat.sw_sys[:LONGEST_NAME],
    )


def _beat(entry: Mapping[str, Any]) -> _Beat | None:
    """A worker with fields of unexpected types, which are left out; None if name or status is missing."""
    kept = {name: value for name, value in entry.items() if name in _FIELDS and as_kind(value, _FIELDS[name]) is not None}
    return as_kind(kept, _Beat)


_FIELDS: dict[str, Any] = {field.encode_name: field.type for field in msgspec.structs.fields(_Beat)}
