"""A Celery app as its own code declares it, without a worker and without a broker: settings, tasks, queues, routes, schedules.

Made from what `sources/celery_app/probe.py` prints. Texts are as the app wrote them; numbers that are no numbers there are None.
"""

from msgspec import Struct

from watchdog.core.model.servers.worker_replies import WorkerSettings

__all__ = ["AppSeen", "AppTask", "DeclaredSchedule"]


class AppTask(Struct, frozen=True):
    """One registered task. Limits and flags are its own or, where it has none, those of the app."""

    name: str
    queue: str | None = None
    """Where `delay()` sends it by the app's routes; None: not known, because `unrouted`."""
    unrouted: str | None = None
    time_limit_s: float | None = None
    soft_time_limit_s: float | None = None
    acks_late: bool = False
    acks_on_failure: bool = True
    reject_on_worker_lost: bool = False
    retries: bool = False
    """It retries by `autoretry_for`, or its code calls `retry`."""
    retries_itself: bool = False
    """By `autoretry_for`."""
    backoff: bool = False
    retry_delay_s: float | None = None
    """The longest that it waits before a run, as declared."""
    max_retries: float | None = None
    """None: without end."""


class DeclaredSchedule(Struct, frozen=True):
    """One entry of `beat_schedule`."""

    name: str
    task: str
    queue: str | None = None
    countdown_s: float | None = None


class AppSeen(Struct, frozen=True):
    """The whole app. `app`: as people name it, `proj.celery:app`."""

    app: str
    transport: str
    pool: str
    settings: WorkerSettings
    results: bool
    visibility_timeout_s: float | None = None
    """As the app sets it; None: the transport's default."""
    always_eager: bool = False
    creates_queues: bool = True
    default_queue: str = "celery"
    declared_queues: tuple[str, ...] | None = None
    """Names in `task_queues`; None: it is not set."""
    consumed_queues: tuple[str, ...] = ()
    """What workers are started with (`-Q`), as far as told."""
    route_queues: tuple[str, ...] = ()
    """Queues that `task_routes` names, also for tasks that are not registered."""
    tasks: tuple[AppTask, ...] = ()
    schedules: tuple[DeclaredSchedule, ...] = ()
