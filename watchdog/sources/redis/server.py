"""Parses INFO into `RedisServer`. In: bytes. Out: the fields that watchdog uses, or a gap for a server that cannot be Celery's broker."""

import math
import re

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import RedisServer

__all__ = ["CLUSTER", "SENTINEL", "redis_server"]

CLUSTER = (
    "this is a Redis Cluster, which Celery does not support as a broker: point the URL at the plain Redis server of Celery's broker_url"
)

SENTINEL = "this is a sentinel, which holds no queues: write sentinel://HOST:PORT/MASTER/DB, and watchdog asks it for the master"
_LONGEST_LINE = 200


def redis_server(raw: object) -> RedisServer | Gap | None:
    """The server's state; a gap for a Redis Cluster or a sentinel; None if this is not an answer to INFO. Missing fields are None.

    Valkey's `redis_version` is only the version it is compatible with, permanently 7.2.4: its own version is used instead.
    """
    if not isinstance(raw, bytes) or b":" not in raw:
        return None
    told = dict(
        line[:_LONGEST_LINE].split(":", 1)
        for line in raw.decode("utf-8", "replace").splitlines()
        if ":" in line[:_LONGEST_LINE] and not line.startswith("#")
    )
    if told.get("cluster_enabled") == "1":
        return Gap(f"redis: {CLUSTER}")
    if "sentinel" in (told.get("redis_mode"), told.get("server_mode")):
        return Gap(f"redis: {SENTINEL}")
    return RedisServer(
        run_id=told.get("run_id"),
        version=f"valkey {told['valkey_version']}" if "valkey_version" in told else told.get("redis_version"),
        uptime_s=_number(told.get("uptime_in_seconds")),
        used_memory=_whole(told.get("used_memory")),
        max_memory=_whole(told.get("maxmemory")),
        eviction_policy=told.get("maxmemory_policy"),
        evicted_keys=_whole(told.get("evicted_keys")),
        clients=_whole(told.get("connected_clients")),
        max_clients=_whole(told.get("maxclients")),
        blocked_clients=_whole(told.get("blocked_clients")),
        role=told.get("role"),
        replica_link_up=told["master_link_status"] == "up" if "master_link_status" in told else None,
        last_save_ok=_saved(told),
        keyspace=_keyspace(told) if b"# Keyspace" in raw else None,
        clock_at=_clock(told),
        unsaved_s=_unsaved_s(told),
    )


def _clock(told: dict[str, str]) -> float | None:
    """Its clock; None before Redis 6, which does not tell it."""
    micros = _number(told.get("server_time_usec"))
    return None if micros is None else micros / 1e6


def _unsaved_s(told: dict[str, str]) -> float | None:
    """Since when there is neither an append-only file nor a snapshot of what changed, by its own clock."""
    if told.get("aof_enabled") == "1" or told.get("rdb_changes_since_last_save") == "0":
        return 0.0
    clock, saved = _clock(told), _number(told.get("rdb_last_save_time"))
    return None if clock is None or saved is None else max(clock - saved, 0.0)


def _keyspace(told: dict[str, str]) -> dict[int, tuple[int, int]]:
    """Database -> (keys, those that expire), of lines such as `db0:keys=3,expires=1,avg_ttl=0`."""
    found = (re.fullmatch(r"db(\d{1,9}):keys=(\d{1,15}),expires=(\d{1,15})\b.*", f"{name}:{rest}") for name, rest in told.items())
    return {int(one[1]): (int(one[2]), int(one[3])) for one in found if one is not None}


def _saved(told: dict[str, str]) -> bool | None:
    """Whether the last snapshot and the last write of the append-only file succeeded; None if neither is reported."""
    statuses = [told[name] for name in ("rdb_last_bgsave_status", "aof_last_write_status") if name in told]
    return all(status == "ok" for status in statuses) if statuses else None


def _whole(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
