"""A target as the core sees it: what is watched and what is known of it by configuration; no URLs, no secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

__all__ = ["SELF", "Target", "covers", "matches"]

SELF = "watchdog"
"""The reserved target: watchdog itself."""


@dataclass(frozen=True, slots=True)
class Target:
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
    results_prefix: str | None = None
    """The global_keyprefix of its results (`results.key_prefix`)."""


def covers(name: str | None, patterns: tuple[str, ...]) -> bool:
    """Whether a filter lets a name through; no patterns let everything through, and nothing else one that is not known."""
    return not patterns or (name is not None and matches(name, patterns))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name equals or fits one of the globs; no patterns fit nothing."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
