"""What Redis answers of itself, and of what heads its queues.

Times are epoch seconds by its own clock; sizes are bytes. A field that it did not send is None.
"""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["MessageHead", "Pong", "RedisServer"]


class Pong(Struct, frozen=True):
    """Redis answers."""

    latency_ms: float


class RedisServer(Struct, frozen=True):
    """The fields of INFO that watchdog reads. `unsaved_s`: since when changes are in memory alone, by its own `clock_at`; 0: none."""

    run_id: str | None
    version: str | None
    uptime_s: float | None
    used_memory: int | None
    max_memory: int | None
    eviction_policy: str | None
    evicted_keys: int | None
    clients: int | None
    max_clients: int | None
    blocked_clients: int | None
    role: str | None
    replica_link_up: bool | None
    last_save_ok: bool | None
    keyspace: Mapping[int, tuple[int, int]] | None = None
    """Database -> its keys, and those of them that expire; None if INFO has no such section."""
    clock_at: float | None = None
    unsaved_s: float | None = None


class MessageHead(Struct, frozen=True, gc=False):
    """The message at the head of a queue: its task id, and when it was published.

    `published_at` (epoch seconds) is None if the publisher sets neither `headers.published_at` nor `headers.enqueued_at`. The rest are
    headers of Celery's protocol 2 (celery/app/amqp.py `as_task_v2`), at most `LONGEST_NAME` characters; None if absent.
    """

    id: str | None
    published_at: float | None
    task: str | None = None
    """The task's name as Celery shows it: `shadow` if one is set."""
    origin: str | None = None
    """The process that sent it: `gen<pid>@<host>`."""
    eta_at: float | None = None
    """Earliest time at which it may start (epoch seconds)."""
    nothing: bool = False
    """The list is empty: there is no message."""
