"""Flower's JSON into reply types: in: the bytes of one answer, out: a reply or a gap that says what was expected and what was found.

Only the wanted fields are decoded. A wrong shape at the top is a gap; inside a worker's entry everything may be missing, because
an inspect reply is assembled from several answers, any of which the worker may have failed to give.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from watchdog.core.gaps import Gap
from watchdog.core.replies import WorkerBeat, WorkerConf, WorkerInspection

__all__ = ["inspections", "worker_beats", "worker_status"]

T = TypeVar("T")

_NULL = Raw(b"null")
_CENSORED = "*" * 8
"""What Celery prints for a setting whose name smells of a secret; `global_keyprefix` does."""

_POOLS = {"thread": "threads"}
"""Module name -> the name users give to `--pool`, where they differ."""

_USERINFO = re.compile(r"(?<=://).*@")  # greedy: an unescaped password may hold @ and /
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


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
    hellos: int = msgspec.field(default=0, name="worker-online")  # counts; a key is missing while its count is 0
    goodbyes: int = msgspec.field(default=0, name="worker-offline")
    pulses: int = msgspec.field(default=0, name="worker-heartbeat")


class _Beats(Struct):
    data: list[_Beat]


class _LooseBeats(Struct):
    data: list[dict[str, Any]]


class _Entry(Struct):
    stats: Raw = _NULL
    active_queues: Raw = _NULL
    reserved: Raw = _NULL
    conf: Raw = _NULL
    timestamp: Raw = _NULL


def worker_status(body: bytes) -> dict[str, bool] | Gap:
    """`/api/workers?status=true`: worker -> whether its heartbeats come."""
    return _decoded(body, dict[str, bool], "/api/workers?status=true", "an object of worker -> true or false")


def worker_beats(body: bytes) -> dict[str, WorkerBeat] | Gap:
    """`/?json=1`: worker -> what its events said."""
    try:
        beats = msgspec.json.decode(body, type=_Beats).data
    except _UNREADABLE:
        loose = _decoded(body, _LooseBeats, "/?json=1", '{"data": [workers]}')
        if isinstance(loose, Gap):
            return loose
        sure = [_beat(entry) for entry in loose.data]
        if None in sure:
            return Gap("flower: expected a hostname and a status for each worker from /?json=1, found a worker without")
        beats = [beat for beat in sure if beat is not None]
    return {beat.hostname: _worker_beat(beat) for beat in beats}


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
        version=beat.sw_ver,
        hellos=beat.hellos,
        goodbyes=beat.goodbyes,
        pulses=beat.pulses,
    )


def _beat(entry: Mapping[str, Any]) -> _Beat | None:
    """A worker of which some field has an unexpected shape: that field is left out; None without its name and status."""
    kept = {name: value for name, value in entry.items() if name in _FIELDS and _as(value, _FIELDS[name]) is not None}
    return _as(kept, _Beat)


_FIELDS: dict[str, Any] = {field.encode_name: field.type for field in msgspec.structs.fields(_Beat)}


def inspections(body: bytes) -> dict[str, WorkerInspection] | Gap:
    """`/api/workers`: worker -> Flower's cache of its last inspect. Fields the worker did not answer are None."""
    raw = _decoded(body, dict[str, Raw], "/api/workers", "an object of worker -> its inspect answers")
    if isinstance(raw, Gap):
        return raw
    found: dict[str, WorkerInspection] = {}
    for name, entry in raw.items():
        answers = _maybe(entry, _Entry)
        if answers is None or all(bytes(getattr(answers, field)) == b"null" for field in _Entry.__struct_fields__):
            return Gap(f"flower: expected an object of inspect answers for each worker from /api/workers, found {_kind(bytes(entry))}")
        found[name] = _inspection(name, answers)
    return found


def _inspection(name: str, entry: _Entry) -> WorkerInspection:
    stats = _object(_maybe(entry.stats, dict[str, Any]))
    pool = _object(stats.get("pool"))
    reserved = _maybe(entry.reserved, list[Raw])
    total = stats.get("total")
    return WorkerInspection(
        name=name,
        at=_maybe(entry.timestamp, float),
        queues=_names(_maybe(entry.active_queues, list[Any])),
        pool=_pool(pool.get("implementation")),
        pool_size=_as(pool.get("max-concurrency"), int),
        pid=_as(stats.get("pid"), int),
        uptime_s=_as(stats.get("uptime"), float),
        prefetch=_as(stats.get("prefetch_count"), int),
        reserved=None if reserved is None else len(reserved),
        processed=sum(n for n in total.values() if isinstance(n, int)) if isinstance(total, dict) else None,
        conf=_conf(_maybe(entry.conf, dict[str, Any]), stats),
    )


def _conf(conf: dict[str, Any] | None, stats: Mapping[str, Any]) -> WorkerConf | None:
    """What the worker says of the broker's keys. The transport options of `stats` come first: `conf` censors the key prefix."""
    if conf is None:
        return None
    broker = stats.get("broker")
    told = _object(_object(broker).get("transport_options"))
    options = {**_object(conf.get("broker_transport_options")), **told}
    backend = _text(conf.get("result_backend"))
    return WorkerConf(
        queues=_names(_as(conf.get("task_queues"), list[Any])) or (),
        default_queue=_text(conf.get("task_default_queue")),
        routed_queues=_routed(conf.get("task_routes")),
        key_prefix=_text(options.get("global_keyprefix", "" if isinstance(broker, dict) else None)),
        priority_steps=_as(options.get("priority_steps"), tuple[int, ...]),
        separator=_text(options.get("sep")),
        visibility_timeout_s=_as(options.get("visibility_timeout"), float),
        result_backend=None if backend is None else _USERINFO.sub("***@", backend),
    )


def _routed(routes: object) -> tuple[str, ...]:
    """The queues that `task_routes` names in its dict form: `{task: {"queue": name}}` or `{task: name}`."""
    named = [route.get("queue") if isinstance(route, dict) else route for route in _object(routes).values()]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _names(queues: list[Any] | None) -> tuple[str, ...] | None:
    """The names of a list of queues; None where there is no list."""
    if queues is None:
        return None
    return tuple(queue["name"] for queue in queues if isinstance(queue, dict) and isinstance(queue.get("name"), str))


def _pool(implementation: object) -> str | None:
    """`celery.concurrency.prefork:TaskPool` -> `prefork`; a custom pool keeps its module's last name."""
    module = _text(implementation)
    if module is None:
        return None
    short = module.partition(":")[0].rpartition(".")[2]
    return _POOLS.get(short, short)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value != _CENSORED else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as(value: object, kind: type[T]) -> T | None:
    """The value as that type (text of a number counts); None where it is another, or absent."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return None


def _maybe(raw: Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE:
        return None


def _decoded(body: bytes, kind: Callable[..., T], path: str, expected: str) -> T | Gap:
    """The whole answer as that type, or what was found instead."""
    try:
        decoded: T = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        return Gap(f"flower: expected {expected} from {path}, found {_kind(body)}")
    except _UNREADABLE:
        return Gap(_not_json(body, path))
    return decoded


def _not_json(body: bytes, path: str) -> str:
    start = body[:256].lstrip()
    if not start:
        return f"flower: expected JSON from {path}, found an empty answer"
    if start.startswith(b"<"):
        return f"flower: expected JSON from {path}, found an HTML page: is this Flower's own address, or a login page in front of it?"
    if start[:1] in b"{[":
        return f"flower: expected JSON from {path}, found JSON that breaks off or is damaged after {len(body)} bytes"
    return f"flower: expected JSON from {path}, found something else: is this Flower's address?"


def _kind(body: bytes) -> str:
    """The JSON type of a text, in a user's words."""
    first = body[:256].lstrip()[:1]
    names = {b"{": "an object of another shape", b"[": "a list", b'"': "a text", b"n": "null", b"t": "true", b"f": "false"}
    return names.get(first, "a number")
