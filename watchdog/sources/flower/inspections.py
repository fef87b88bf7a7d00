"""Decodes `/api/workers`. In: the bytes of the answer. Out: each worker's inspection, or a gap that says what was found.

A wrong type at the top level is a gap; in a worker's entry anything may be missing or have another type, because an inspect reply is
assembled from several answers, any of which the worker may have failed to give. So there are two decoders: a fast one for answers in which
everything has the type that Celery gives it; and one that goes entry by entry and field by field, leaving out fields of other types.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import WorkerConf, WorkerInspection
from watchdog.core.text.names import LONGEST_NAME, short_named
from watchdog.sources.celery_urls import celery_place
from watchdog.sources.flower.answers import StatusEntry
from watchdog.sources.flower.json import UNREADABLE, as_kind, decoded, kind_found, maybe
from watchdog.sources.setting_names import as_documented
from watchdog.sources.worker_settings import SETTINGS, worker_settings

__all__ = ["inspections", "read_leniently"]

_CENSORED = "*" * 8
"""What Celery prints instead of a setting whose name looks like a secret's; `global_keyprefix` does."""

_POOLS = {"thread": "threads"}
"""Module name -> the name used for `--pool`, if they differ."""

_USERINFO = re.compile(r"(?<=://).*@")  # greedy: an unescaped password may contain @ and /

_NULL = Raw(b"null")

_RATE_LIMIT = re.compile(r"(.+?) \[(?:[^\[\]]* )?rate_limit=([^\s\]]+)[^\[\]]*\]")  # a name may hold spaces
_NO_LIMIT = frozenset({"None", "0", "0/s", "0/m", "0/h"})
_MOST_LIMITED = 5


class _Pool(Struct):
    implementation: Any = None
    size: int | None = msgspec.field(default=None, name="max-concurrency")


class _Usage(Struct):
    utime: float | None = None
    stime: float | None = None
    maxrss: int | None = None


class _Stats(Struct):
    pool: _Pool | None = None
    pid: int | None = None
    uptime: float | None = None
    prefetch_count: int | None = None
    total: Any = None
    autoscaler: Any = None
    broker: Raw = _NULL
    rusage: _Usage | str | None = None
    """A text where the worker's system has none."""


class _Conf(Struct):
    """The needed ones of about a hundred settings."""

    task_queues: Any = None
    task_default_queue: Any = None
    task_routes: Any = None
    broker_url: Any = None
    broker_transport_options: Any = None
    result_backend: Any = None
    result_backend_transport_options: Any = None
    worker_eta_task_limit: Any = None


class _Queue(Struct):
    name: str


class _Active(Struct):
    id: str


class _Entry(Struct):
    stats: _Stats | None = None
    active_queues: list[_Queue] | None = None
    active: list[_Active] | None = None
    reserved: list[Raw] | None = None
    conf: Raw = _NULL
    timestamp: float | None = None
    registered: Raw = _NULL


def inspections(body: bytes) -> dict[str, WorkerInspection] | Gap:
    """Worker -> Flower's cache of its last inspect. Fields that the worker did not answer are None."""
    try:
        entries = msgspec.json.decode(body, type=ready(dict[str, _Entry]))
    except UNREADABLE:
        return read_leniently(body)
    if not all(map(_says_something, entries.values())):
        return read_leniently(body)
    return short_named({name: _inspection(name, entry) for name, entry in entries.items()})


def read_leniently(body: bytes) -> dict[str, WorkerInspection] | Gap:
    """The same for any body; several times slower than the fast decoder, with the same result where that works."""
    raw = decoded(body, dict[str, Raw], "/api/workers", "an object of worker -> its inspect answers")
    if isinstance(raw, Gap):
        return raw
    found: dict[str, WorkerInspection] = {}
    for name, entry in raw.items():
        parts = maybe(entry, dict[str, Raw])
        answered = parts is not None and any(bytes(parts[part]) != b"null" for part in _Entry.__struct_fields__ if part in parts)
        if parts is None or not (answered or maybe(entry, StatusEntry) is not None):
            return Gap(f"flower: expected an object of inspect answers for each worker from /api/workers, found {kind_found(bytes(entry))}")
        found[name] = _inspection(name, _entry(parts))
    return short_named(found)


def _says_something(entry: _Entry) -> bool:
    said = (entry.stats, entry.active_queues, entry.active, entry.reserved, entry.timestamp)
    return any(part is not None for part in said) or bytes(entry.conf) != b"null"


def _entry(parts: Mapping[str, Raw]) -> _Entry:
    """The fields of a worker's answers that have the expected type."""
    queues = _part(parts, "active_queues", list[Any])
    return _Entry(
        stats=_stats(_part(parts, "stats", dict[str, Any]), _part(parts, "stats", dict[str, Raw])),
        active_queues=None if queues is None else [_Queue(name) for name in _names(queues)],
        active=_active(_part(parts, "active", list[Any])),
        reserved=_part(parts, "reserved", list[Raw]),
        conf=parts.get("conf", _NULL),
        timestamp=_part(parts, "timestamp", float),
        registered=parts.get("registered", _NULL),
    )


def _active(requests: list[Any] | None) -> list[_Active] | None:
    """Their ids, if all can be read: a missing one would look like a task that has ended."""
    ids = [request.get("id") for request in requests or () if isinstance(request, dict)]
    known = [_Active(task_id) for task_id in ids if isinstance(task_id, str)]
    return known if requests is not None and len(known) == len(requests) else None


def _part(parts: Mapping[str, Raw], name: str, kind: Any) -> Any:
    return maybe(parts[name], kind) if name in parts else None


def _stats(stats: dict[str, Any] | None, raw: dict[str, Raw] | None) -> _Stats | None:
    if stats is None or raw is None:
        return None
    pool = _object(stats.get("pool"))
    return _Stats(
        pool=_Pool(pool.get("implementation"), as_kind(pool.get("max-concurrency"), int)),
        pid=as_kind(stats.get("pid"), int),
        uptime=as_kind(stats.get("uptime"), float),
        prefetch_count=as_kind(stats.get("prefetch_count"), int),
        total=stats.get("total"),
        autoscaler=stats.get("autoscaler"),
        broker=raw.get("broker", _NULL),
        rusage=_usage(_object(stats.get("rusage"))),
    )


def _usage(usage: dict[str, Any]) -> _Usage:
    return _Usage(as_kind(usage.get("utime"), float), as_kind(usage.get("stime"), float), as_kind(usage.get("maxrss"), int))


def _inspection(name: str, entry: _Entry) -> WorkerInspection:
    stats = entry.stats or _Stats()
    pool = stats.pool or _Pool()
    total = stats.total
    usage = stats.rusage if isinstance(stats.rusage, _Usage) else _Usage()
    return WorkerInspection(
        name=name,
        at=entry.timestamp,
        queues=None if entry.active_queues is None else tuple([q.name for q in entry.active_queues if len(q.name) <= LONGEST_NAME]),
        pool=_pool(pool.implementation),
        pool_size=_pool_size(pool, stats.autoscaler),
        pid=stats.pid,
        uptime_s=stats.uptime,
        prefetch=stats.prefetch_count,
        reserved=None if entry.reserved is None else len(entry.reserved),
        processed=sum([n for n in total.values() if isinstance(n, int)]) if isinstance(total, dict) else None,
        conf=_conf(bytes(entry.conf), bytes(stats.broker)),
        active=None if entry.active is None else tuple([request.id for request in entry.active]),
        rate_limited=_rate_limited(bytes(entry.registered)),
        cpu_s=None if usage.utime is None or usage.stime is None else usage.utime + usage.stime,
        max_rss=usage.maxrss,
    )


@lru_cache(maxsize=16)  # all workers of an app and release send the same
def _rate_limited(registered: bytes) -> tuple[str, ...]:
    """The registered tasks with a rate limit: `shop.report [rate_limit=6/h]` (celery/worker/control.py `registered`)."""
    tasks = maybe(Raw(registered), list[Any]) or []
    found = (_RATE_LIMIT.fullmatch(task) for task in tasks if isinstance(task, str) and len(task) <= 2 * LONGEST_NAME)
    limited = (f"{match[1]}, {match[2]}" for match in found if match and match[2] not in _NO_LIMIT)
    return tuple(sorted(limited)[:_MOST_LIMITED])


@lru_cache(maxsize=16)  # all workers of an app and release send the same
def _conf(of_conf: bytes, of_broker: bytes) -> WorkerConf | None:
    """A worker's settings for the broker's keys, from its `conf` and the `broker` of its `stats`, both as JSON.

    The transport options of `stats` take precedence: `conf` censors the key prefix.
    """
    reported = maybe(Raw(of_conf), dict[str, Any])
    if reported is None:
        return None
    conf = _Conf(**as_documented(reported, _Conf.__struct_fields__))
    broker = maybe(Raw(of_broker), dict[str, Any])
    told = _object(_object(broker).get("transport_options"))
    options = {**_object(conf.broker_transport_options), **told}
    backend = _text(conf.result_backend)
    results = _object(conf.result_backend_transport_options)
    return WorkerConf(
        queues=_names(conf.task_queues),
        default_queue=_text(conf.task_default_queue),
        routed_queues=_routed(conf.task_routes),
        key_prefix=_text(options.get("global_keyprefix", "" if isinstance(broker, dict) else None)),
        priority_steps=as_kind(options.get("priority_steps"), tuple[int, ...]),
        separator=_text(options.get("sep")),
        visibility_timeout_s=as_kind(options.get("visibility_timeout"), float),
        result_backend=None if backend is None else _USERINFO.sub("***@", backend),
        results_prefix=_text(results.get("global_keyprefix") or ""),
        **_results(backend, _text(conf.broker_url), results.get("master_name"), options.get("master_name")),
        transport=_text(_object(broker).get("transport")),
        broker_db=_broker_database(_object(broker)),
        broker_vhost=_text(_object(broker).get("virtual_host")),
        eta_task_limit=as_kind(conf.worker_eta_task_limit, int),
        settings=worker_settings(as_documented(reported, SETTINGS)),
    )


def _results(backend: str | None, broker: str | None, master: object, brokers_master: object) -> dict[str, Any]:
    """Where results are stored, relative to the broker: both URLs are from the same worker, so the same name means the same server."""
    theirs, its = celery_place(backend or ""), celery_place(broker or "")
    if theirs is None or its is None:
        return {}
    if theirs.server != its.server or master != brokers_master:
        return {"results_elsewhere": True}
    return {"results_db": theirs.db}


def _broker_database(broker: Mapping[str, Any]) -> int | None:
    """The database of a Redis broker. Of a socket, kombu shows the whole URL as the host, and `/` as the virtual host (measured, 5.7)."""
    host = _text(broker.get("hostname")) or ""
    if "://" not in host:
        return _database(broker.get("virtual_host"))
    place = celery_place(host)
    return None if place is None else place.db


def _database(virtual_host: object) -> int | None:
    """The database in a Redis transport's virtual host; None if there is none."""
    name = str(virtual_host).strip("/") if isinstance(virtual_host, str | int) else None
    return None if name is None else int(name or 0) if name.isascii() and (name.isdigit() or not name) else None


def _routed(routes: object) -> tuple[str, ...]:
    """The queues named by `task_routes` in its dict form: `{task: {"queue": name}}` or `{task: name}`."""
    named = [route.get("queue") if isinstance(route, dict) else route for route in _object(routes).values()]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME))


def _names(queues: object) -> tuple[str, ...]:
    """The names of a list of queues, or of an object of name -> queue."""
    listed = queues if isinstance(queues, list) else []
    named = list(queues) if isinstance(queues, dict) else [queue.get("name") for queue in listed if isinstance(queue, dict)]
    return tuple(name for name in named if isinstance(name, str) and len(name) <= LONGEST_NAME)


def _pool_size(pool: _Pool, autoscaler: object) -> int | None:
    """How many tasks the pool can run at once. With --autoscale, max-concurrency is the minimum, however far it has grown (measured)."""
    most = as_kind(_object(autoscaler).get("max"), int)
    return pool.size if most is None else max(most, pool.size or 0)


def _pool(implementation: object) -> str | None:
    """`celery.concurrency.prefork:TaskPool` -> `prefork`; for a custom pool, the last part of its module name."""
    module = _text(implementation)
    if module is None:
        return None
    short = module.partition(":")[0].rpartition(".")[2]
    return _POOLS.get(short, short)


def _text(value: object) -> str | None:
    return value[:LONGEST_NAME] if isinstance(value, str) and value != _CENSORED else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
