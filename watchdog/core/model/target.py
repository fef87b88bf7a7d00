"""A target as the core sees it: what is watched and what is known of it by configuration; no secrets, no URLs but `link`."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct, field

__all__ = ["ANY_TARGET", "SELF", "Target", "TargetsMeant", "covers", "matches"]

SELF = "watchdog"
"""The reserved target: watchdog itself."""

ANY_TARGET = "*"
"""The name of the one that stands for whatever may be configured, where nothing is."""


class Target(Struct, frozen=True):
    """One Celery deployment. None means: not configured, read from the workers or left at Celery's default."""

    name: str
    sources: frozenset[str] = frozenset()
    interval_s: float = 10.0
    forget_after_s: float = 3600.0
    workers: tuple[str, ...] = ()
    """Globs: only these are this target's; empty: all."""
    queues: tuple[str, ...] = ()
    """Globs, likewise."""
    declared_queues: tuple[str, ...] = ()
    """Queue names from the configuration (`redis.queues`), watched whoever else knows them."""
    min_workers: int | None = None
    min_workers_by_name: Mapping[str, int] = field(default_factory=dict)
    expected_workers: tuple[str, ...] = ()
    key_prefix: str | None = None
    priority_steps: tuple[int, ...] | None = None
    separator: str | None = None
    visibility_timeout_s: float | None = None
    redis_db: int | None = None
    """The database of its `redis`; None where it has none."""
    app: str | None = None
    """What its users write behind `celery -A`."""
    link: str | None = None
    """Where people open its Flower, without a slash at the end; None: messages link to nothing."""
    results_prefix: str | None = None
    """The global_keyprefix of its results (`results.key_prefix`)."""


class TargetsMeant(Struct, frozen=True):
    """The targets of a configuration, as far as they can be told; `to_set`: source -> how one gets it there, in words.

    `by_flag`: the command line put one in place of those that are configured, which the configured rules were written for.
    """

    targets: tuple[Target, ...] = ()
    to_set: Mapping[str, str] = field(default_factory=dict)
    by_flag: bool = False

    def named(self, names: Collection[str]) -> tuple[Target, ...]:
        """Those of these names; all of them without any."""
        return tuple(target for target in self.targets if not names or target.name in names)


def covers(name: str | None, patterns: tuple[str, ...]) -> bool:
    """Whether a filter lets a name through; no patterns let everything through, and nothing else one that is not known."""
    return not patterns or (name is not None and matches(name, patterns))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name equals or fits one of the globs; no patterns fit nothing."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
