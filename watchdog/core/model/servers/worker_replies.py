"""What is said of one worker: by its events, by Flower's inspect cache, by itself. Part of `replies`, from which tables import it.

Times are epoch seconds by Flower's clock; of a worker that was asked directly, by ours. A field that the server did not send is None.
"""

from collections.abc import Mapping

from msgspec import Struct, field

__all__ = ["HeldMessages", "WorkerBeat", "WorkerConf", "WorkerHeard", "WorkerInspection", "WorkerSettings", "WorkersHeard"]


class WorkerBeat(Struct, frozen=True, gc=False, omit_defaults=True):
    """One worker as Flower's event stream shows it (`/?json=1`; celery/events/state.py `Worker`).

    `heartbeats` are the times at which Flower received the last four, ascending; a goodbye (`worker-offline`) clears them.
    """

    name: str
    online: bool
    heartbeats: tuple[float, ...]
    freq_s: float | None
    active: int | None
    processed: int | None
    load: tuple[float, float, float] | None
    pid: int | None
    version: str | None
    hellos: int | None = None
    """Number of `worker-online` events since Flower's start; `goodbyes` and `pulses` count `worker-offline` and `worker-heartbeat`.

    Task events that arrive after a goodbye look like heartbeats but are none. None: Flower does not report it.
    """
    goodbyes: int | None = None
    pulses: int | None = None
    system: str | None = None
    """The name of its operating system: Linux, Darwin."""


class WorkerSettings(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a worker's `conf` says of how it runs tasks; Celery's default where it does not (celery/app/defaults.py, 5.7).

    Options of its command line (`--time-limit`, `-E`, `--prefetch-multiplier`) are not in `conf` (measured on 5.7), nor are those of single
    tasks. `result_expires_s` is None if results are kept for ever.
    """

    acks_late: bool = False
    acks_on_failure: bool = True
    reject_on_worker_lost: bool = False
    track_started: bool = False
    ignore_result: bool = False
    send_sent_event: bool = False
    time_limit_s: float | None = None
    soft_time_limit_s: float | None = None
    result_expires_s: float | None = 86400.0
    max_tasks_per_child: int | None = None
    max_memory_per_child_kb: int | None = None
    prefetch_multiplier: float = 4.0
    eta_limit: int | None = None
    pool_restarts: bool = False
    cancel_on_loss: bool = False


class WorkerHeard(Struct, frozen=True, gc=False):
    """One worker by its own events, as they reached watchdog. Ages are seconds before the answer.

    `beat` has the form of Flower's: its times are by our clock, and it counts since watchdog first heard this worker.
    """

    beat: WorkerBeat
    ago_s: float
    """Since its last event."""
    gone: bool = False
    """Whether its last event is a goodbye, and no other process under its name was heard lately."""
    turned_s: float | None = None
    """Since an earlier process was last heard again: two processes share the name. None: never."""
    ahead_s: float | None = None
    """Seconds by which its clock is ahead of ours; None: too few events yet. Time zones play no part."""
    spoke_busy: bool = False
    """Whether a heartbeat of it came while it executed a task: a solo pool's never does."""


class WorkersHeard(Struct, frozen=True):
    """All workers heard since `since_s` seconds, for which the connection to the broker has held without interruption."""

    since_s: float
    workers: Mapping[str, WorkerHeard]


class WorkerConf(Struct, frozen=True, gc=False, omit_defaults=True):
    """The part of a worker's `conf` and `stats` that watchdog reads; None if the worker did not report it.

    `key_prefix` is "" if the worker reported that it has none.
    """

    queues: tuple[str, ...] = ()
    default_queue: str | None = None
    routed_queues: tuple[str, ...] = ()
    key_prefix: str | None = None
    priority_steps: tuple[int, ...] | None = None
    separator: str | None = None
    visibility_timeout_s: float | None = None
    result_backend: str | None = None
    """Without userinfo."""
    results_db: int | None = None
    """The database of the results, if they are on the broker's own server; None if they are not, or it is not known."""
    results_elsewhere: bool = False
    """Whether the results are on another server than the broker."""
    results_prefix: str | None = ""
    """The prefix of the keys of results; None if there is one that `conf` censors."""
    transport: str | None = None
    """The transport of its messages (`redis`, `amqp`, `sqs`, …)."""
    broker_db: int | None = None
    """The database of its broker, if that is Redis."""
    broker_vhost: str | None = None
    """The virtual host of its broker as it reports it; that of a Redis is its database."""
    eta_task_limit: int | None = None
    """`worker_eta_task_limit`: most tasks with an ETA that it fetches."""
    settings: WorkerSettings | None = None
    """How it runs tasks."""


class WorkerInspection(Struct, frozen=True, gc=False, omit_defaults=True):
    """One entry of Flower's inspect cache. `at` is when the worker last answered (Flower's clock)."""

    name: str
    at: float | None
    queues: tuple[str, ...] | None
    pool: str | None
    pool_size: int | None
    pid: int | None
    uptime_s: float | None
    prefetch: int | None
    reserved: int | None
    processed: int | None
    conf: WorkerConf | None
    active: tuple[str, ...] | None = None
    """Ids of the tasks that it executes. Flower 2.2 reports them only if this worker alone is refreshed."""
    rate_limited: tuple[str, ...] = ()
    """Its rate-limited tasks, each with the limit: `shop.report, 6/h`."""
    cpu_s: float | None = None
    """CPU time that its main process has used."""
    max_rss: int | None = None
    """The most memory that its main process ever held, in the unit of its system."""


class HeldMessages(Struct, frozen=True, gc=False):
    """The messages that a worker has fetched and not started, without those that wait for their ETA: routing key -> how many."""

    reserved: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many in all."""
        return sum(self.reserved.values())
