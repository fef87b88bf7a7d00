"""A target as the core sees it: what is monitored and what the configuration says of it. No secrets, no URLs except `link`."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct, field

from watchdog.core.model.schedules.periodic import Scheduler
from watchdog.core.model.schedules.schedule import Schedule

__all__ = ["ANY_TARGET", "HEARD_LATER", "MONTH_S", "SELF", "Objective", "Target", "TargetsMeant", "covers", "matches"]

SELF = "watchdog"
"""The reserved target: watchdog itself."""

HEARD_LATER = "`watchdog run` hears it from the workers' events, a single look does not"
NO_TASKS = 'needs Flower, or the events of tasks (events = "all"), and this target has neither'

ANY_TARGET = "*"
"""The name of the target that stands for any target, if none is configured."""
MONTH_S = 30 * 86400.0


class Objective(Struct, frozen=True):
    """What a team promises of its tasks: `share` of those of a queue, or with a name like `task`, within the last `over_s` seconds.

    With `max_wait_s`: start within that time after they were sent. Without: succeed.
    """

    name: str
    share: float
    queue: str | None = None
    task: str | None = None
    max_wait_s: float | None = None
    over_s: float = MONTH_S

    @property
    def counts(self) -> str:
        """Return what is counted for it, in words: counts of another question are not continued."""
        what = f"queue {self.queue}" if self.queue is not None else f"task {self.task}"
        return f"{what}: succeeded" if self.max_wait_s is None else f"{what}: started within {self.max_wait_s:g}s"


class Target(Struct, frozen=True):
    """One Celery deployment. None means: not configured; the value is read from the workers or is Celery's default."""

    name: str
    sources: frozenset[str] = frozenset()
    interval_s: float = 10.0
    forget_after_s: float = 3600.0
    workers: tuple[str, ...] = ()
    """Globs: only these workers belong to this target; empty: all."""
    queues: tuple[str, ...] = ()
    """Globs for queues, likewise."""
    kinds: tuple[str, ...] = ()
    """Globs: all workers that match one are of one kind; the first that matches counts. Kinds of others are derived from their names."""
    declared_queues: tuple[str, ...] = ()
    """Queue names from the configuration (`redis.queues`), monitored even if nobody else knows them."""
    min_workers: int | None = None
    min_workers_by_name: Mapping[str, int] = field(default_factory=dict)
    expected_workers: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    """Tasks that are expected to succeed regularly."""
    objectives: tuple[Objective, ...] = ()
    """What is promised of its tasks."""
    schedulers: tuple[Scheduler, ...] = ()
    """Where the list of such tasks is taken from."""
    key_prefix: str | None = None
    priority_steps: tuple[int, ...] | None = None
    separator: str | None = None
    visibility_timeout_s: float | None = None
    redis_db: int | None = None
    """The database of its `redis`; None without one."""
    app: str | None = None
    """The argument of `celery -A` that its users write."""
    link: str | None = None
    """The address at which people open its Flower, without a slash at the end; None: messages contain no links."""
    rabbitmq_vhost: str = "/"
    """The virtual host of its queues (`rabbitmq.vhost`)."""
    results_prefix: str | None = None
    """The global_keyprefix of its results (`results.key_prefix`)."""
    show_arguments: bool = False
    """Whether arguments and return values of tasks are shown."""
    trial: bool = False
    """Whether it is on trial: its incidents are kept, and nobody is notified."""
    hears_tasks: bool = False
    """Whether a daemon hears of its tasks by their events, and there is no Flower: they are all that it knows of tasks."""
    hears_beside_flower: bool = False
    """Whether it hears of them beside a Flower, which is asked as well."""
    heard_by_daemon: frozenset[str] = frozenset()
    """What `watchdog run` hears of it and this look does not: events of `workers`, of `tasks`."""

    @property
    def without_tasks(self) -> str:
        """Why nothing can be known of its tasks; empty if something can."""
        if self.hears_tasks or "flower" in self.sources:
            return ""
        return NO_TASKS if "events" in self.sources else self.without_flower("tasks")

    def without_flower(self, of: str) -> str:
        """Why nothing is known, without Flower, of what the events of `workers` or of `tasks` would tell."""
        return HEARD_LATER if of in self.heard_by_daemon else "needs Flower, and this target has no `flower`"


class TargetsMeant(Struct, frozen=True):
    """The targets of a configuration, as far as they are known. `to_set`: source -> how to configure it, in words.

    `by_flag`: the command line replaced the configured targets, for which the configured rules were written.
    """

    targets: tuple[Target, ...] = ()
    to_set: Mapping[str, str] = field(default_factory=dict)
    by_flag: bool = False

    def named(self, names: Collection[str]) -> tuple[Target, ...]:
        """Return the targets with these names; all if there are no names."""
        return tuple(target for target in self.targets if not names or target.name in names)


def covers(name: str | None, patterns: tuple[str, ...]) -> bool:
    """Whether a filter accepts a name. No patterns accept everything; otherwise an unknown name is not accepted."""
    return not patterns or (name is not None and matches(name, patterns))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name equals or matches one of the globs. No patterns match nothing."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
