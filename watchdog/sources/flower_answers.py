"""Flower's JSON into reply types: in: the bytes of one answer, out: a reply or a gap that says what was expected and what was found.

Only the wanted fields are decoded. A wrong shape at the top is a gap; inside a worker's entry everything may be missing, because
an inspect reply is assembled from several answers, any of which the worker may have failed to give.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from watchdog.core.gaps import Gap
from watchdog.core.names import LONGEST_NAME, short_named
from watchdog.core.replies import WorkerBeat, WorkerConf, WorkerInspection
from watchdog.sources.celery_urls import celery_place
from watchdog.sources.flower_json import UNREADABLE, as_kind, decoded, kind_found, maybe

__all__ = ["inspections", "worker_beats", "worker_status"]

_NULL = Raw(b"null")
_CENSORED = "*" * 8
"""What Celery prints for a setting whose name smells of a secret; `global_keyprefix` does."""

_POOLS = {"thread": "threads"}
"""Module name -> the name users give to `--pool`, where they differ."""

_USERINFO = re.compile(r"(?<=://).*@")  # greedy: an unescaped password may hold @ and /


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


class _Standing(Struct):
    status: str | bool


_ONLINE = frozenset({"OK", "ONLINE", "UP", "ALIVE"})
_OFFLINE = frozenset({"OFFLINE", "DOWN", "DEAD", "LOST"})


class _Entry(Struct):
    stats: Raw = _NULL
    active_queues: Raw = _NULL
    reserved: Raw = _NULL
    conf: Raw = _NULL
    timestamp: Raw = _NULL


def worker_status(body: bytes) -> dict[str, bool] | Gap:
    """`/api/workers?status=true`: worker -> whether its heartbeats come. Some servers answer with a `status` for each worker instead."""
    try:
        return short_named(msgspec.json.decode(body, type=dict[str, bool]))
    except UNREADABLE:
        expected = "an object of worker -> true or false"
        loose = decoded(body, dict[str, _Standing], "/api/workers?status=true", expected)
    if isinstance(loose, Gap):
        return loose
    standing = {name: _is_online(entry.status) for name, entry in loose.items()}
    known = {name: online for name, online in standing.items() if online is not None}
    if len(known) < len(standing):
        return Gap(f"flower: expected {expected} from /api/workers?status=true, found a worker whose status is neither OK nor OFFLINE")
    return short_named(known)


def _is_online(status: object) -> bool | None:
    """What a status in words means; None for words that are not known."""
    if isinstance(status, bool):
        return status
    word = status.upper() if isinstance(status, str) else None
    return True if word in _ONLINE else False if word in _OFFLINE else None


def worker_beats(body: bytes) -> dict[str, WorkerBeat] | Gap:
    """`/?json=1`: worker -> what its events said."""
    try:
        beats = msgspec.json.decode(body, type=_Beats).data
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
    )


def _beat(entry: Mapping[str, Any]) -> _Beat | None:
    """A worker of which some field has an unexpected shape: that field is left out; None without its name and status."""
    kept = {name: value for name, value in entry.items() if name in _FIELDS and as_kind(value, _FIELDS[name]) is not None}
    return as_kind(kept, _Beat)


_FIELDS: dict[str, Any] = {field.encode_name: field.type for field in msgspec.structs.fields(_Beat)}


def inspections(body: bytes) -> dict[str, WorkerInspection] | Gap:
    """`/api/workers`: worker -> Flower's cache of its last inspect. Fields the worker did not answer are None."""
    raw = decoded(body, dict[str, Raw], "/api/workers", "an object of worker -> its inspect answers")
    if isinstance(raw, Gap):
        return raw
    found: dict[str, WorkerInspection] = {}
    for name, entry in raw.items():
        answers = maybe(entry, _Entry)
        if answers is None or not (_says_something(answers) or maybe(entry, _Standing) is not None):
            return Gap(f"flower: expected an object of inspect answers for each worker from /api/workers, found {kind_found(bytes(entry))}")
        found[name] = _inspection(name, answers)
    return short_named(found)


def _says_something(entry: _Entry) -> bool:
    return any(bytes(getattr(entry, field)) != b"null" for field in _Entry.__struct_fields__)


def _inspection(name: str, entry: _Entry) -> WorkerInspection:
    stats = _object(maybe(entry.stats, dict[str, Any]))
    pool = _object(stats.get("pool"))
    reserved = maybe(entry.reserved, list[Raw])
    total = stats.get("total")
    return WorkerInspection(
        name=name,
        at=maybe(entry.timestamp, float),
        queues=_names(maybe(entry.active_queues, list[Any])),
        pool=_pool(pool.get("implementation")),
        pool_size=as_kind(pool.get("max-concurrency"), int),
        pid=as_kind(stats.get("pid"), int),
        uptime_s=as_kind(stats.get("uptime"), float),
        prefetch=as_kind(stats.get("prefetch_count"), int),
        reserved=None if reserved is None else len(reserved),
        processed=sum(n for n in total.values() if isinstance(n, int)) if isinstance(total, dict) else None,
        conf=_conf(maybe(entry.conf, dict[str, Any]), stats),
    )


def _conf(conf: dict[str, Any] | None, stats: Mapping[str, Any]) -> WorkerConf | None:
    """What the worker says of the broker's keys. The transport options of `stats` come first: `conf` censors the key prefix."""
    if conf is None:
        return None
    broker = stats.get("broker")
    told = _object(_object(broker).get("transport_options"))
    options = {**_object(conf.get("broker_transport_options")), **told}
    backend = _text(conf.get("result_backend"))
    results = _object(conf.get("result_backend_transport_options"))
    return WorkerConf(
        queues=_names(as_kind(conf.get("task_queues"), list[Any])) or (),
        default_queue=_text(conf.get("task_default_queue")),
        routed_queues=_routed(conf.get("task_routes")),
        key_prefix=_text(options.get("global_keyprefix", "" if isinstance(broker, dict) else None)),
        priority_steps=as_kind(options.get("priority_steps"), tuple[int, ...]),
        separator=_text(options.get("sep")),
        visibility_timeout_s=as_kind(options.get("visibility_timeout"), float),
        result_backend=None if backend is None else _USERINFO.sub("***@", backend),
        results_prefix=_text(results.get("global_keyprefix") or ""),
        **_results(backend, _text(conf.get("broker_url")), results.get("master_name"), options.get("master_name")),
        transport=_text(_object(broker).get("transport")),
    )


def _results(backend: str | None, broker: str | None, master: object, brokers_master: object) -> dict[str, Any]:
    """Where results live, beside the broker: both URLs are the worker's own, so that the same name means the same server."""
    theirs, its = celery_place(backend or ""), celery_place(broker or "")
    if theirs is None or its is None:
        return {}
    if theirs.server != its.server or master != brokers_master:
        return {"results_elsewhere": True}
    return {"results_db": theirs.db}


def _routed(routes: object) -> tuple[str, ...]:
    """The queues that `task_routes` names in its dict form: `{task: {"queue": name}}` or `{task: name}`."""
    named = [route.get("queue") if isinstance(route, dict) else route for route in _object(routes).values()]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME))


def _names(queues: list[Any] | None) -> tuple[str, ...] | None:
    """The names of a list of queues; None where there is no list."""
    if queues is None:
        return None
    named = (queue.get("name") for queue in queues if isinstance(queue, dict))
    return tuple(name for name in named if isinstance(name, str) and len(name) <= LONGEST_NAME)


def _pool(implementation: object) -> str | None:
    """`celery.concurrency.prefork:TaskPool` -> `prefork`; a custom pool keeps its module's last name."""
    module = _text(implementation)
    if module is None:
        return None
    short = module.partition(":")[0].rpartition(".")[2]
    return _POOLS.get(short, short)


def _text(value: object) -> str | None:
    return value[:LONGEST_NAME] if isinstance(value, str) and value != _CENSORED else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
