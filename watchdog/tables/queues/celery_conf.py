"""How this target's Celery uses its Redis: configured here, otherwise read from the workers' `conf`, otherwise Celery's defaults.

What the workers reported last is remembered, so that key names remain known when no worker is left. Sources of the defaults:
kombu/transport/redis.py (`priority_steps`, `sep`, `visibility_timeout`), celery/app/defaults.py.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct

from watchdog.core.model.replies import WorkerConf, WorkerInspection
from watchdog.core.model.target import Target

__all__ = ["CeleryConf", "Said", "celery_conf", "confs_of", "current"]

T = TypeVar("T")

SEPARATOR = "\x06\x16"
STEPS = (0, 3, 6, 9)
EVERY_STEP = tuple(range(10))
"""Used if no worker reports its steps: a missing key costs nothing."""
VISIBILITY_TIMEOUT_S = 3600.0
SAME_TIME_S = 600.0
"""Seconds. Answers that are older than the newest by more come from workers that are gone, or of the previous release."""


class Said(Struct, frozen=True):
    """The settings that workers reported; None if nobody did. Celery's default then applies if other settings are `known`."""

    prefix: str | None = None
    steps: tuple[int, ...] | None = None
    separator: str | None = None
    visibility_timeout_s: float | None = None
    declared: tuple[str, ...] = ()
    known: bool = False


class CeleryConf(Struct, frozen=True):
    """The settings needed to name keys and to judge ages. `prefix` is None if nobody reported it."""

    prefix: str | None
    steps: tuple[int, ...]
    separator: str
    visibility_timeout_s: float
    declared: frozenset[str]
    said: Said
    """To be remembered."""


def celery_conf(target: Target, latest: list[WorkerInspection], before: Said) -> CeleryConf:
    """Return the settings in force, from the target's configuration, what its workers report, and what they reported before.

    `latest`: the `current` inspections.
    """
    said = _said(latest, before)
    steps = target.priority_steps or said.steps or (STEPS if said.known else EVERY_STEP)
    return CeleryConf(
        prefix=target.key_prefix if target.key_prefix is not None else said.prefix,
        steps=tuple(sorted(set(steps))),
        separator=target.separator or said.separator or SEPARATOR,
        visibility_timeout_s=target.visibility_timeout_s or said.visibility_timeout_s or VISIBILITY_TIMEOUT_S,
        declared=frozenset(target.declared_queues) | frozenset(said.declared),
        said=said,
    )


def current(inspections: Iterable[WorkerInspection]) -> list[WorkerInspection]:
    """Return the inspections with a conf that are about as new as the newest, by name. The first that reports a setting is used."""
    told = sorted([i for i in inspections if i.conf is not None], key=attrgetter("name"))
    newest = max((i.at for i in told if i.at is not None), default=0.0)
    return [i for i in told if newest - (i.at or 0.0) <= SAME_TIME_S]


def confs_of(latest: Iterable[WorkerInspection]) -> list[WorkerConf]:
    """Return their confs. All workers of an app and release usually share one, which is then here once."""
    return list({id(i.conf): i.conf for i in latest if i.conf is not None}.values())


def _said(latest: list[WorkerInspection], before: Said) -> Said:
    """Take each setting from the first worker, by name, that reports it (an app has one conf; versions may differ during a deploy)."""
    confs = confs_of(latest)
    if not confs:
        return before
    prefix = _first(confs, lambda c: c.key_prefix)
    if prefix is None and any(i.pid is not None for i in latest):
        prefix = ""  # `stats` include the transport options, and there is no prefix among them (in `conf` it is only censored)
    return Said(
        prefix=before.prefix if prefix is None else prefix,
        steps=_first(confs, lambda c: c.priority_steps or None),
        separator=_first(confs, lambda c: c.separator or None),
        visibility_timeout_s=_first(confs, lambda c: c.visibility_timeout_s or None),
        declared=tuple(sorted(_declared(confs))),
        known=True,
    )


def _first(confs: list[WorkerConf], setting: Callable[[WorkerConf], T | None]) -> T | None:
    return next((said for conf in confs if (said := setting(conf)) is not None), None)


def _declared(confs: list[WorkerConf]) -> frozenset[str]:
    names = {name for c in confs for name in (*c.queues, *c.routed_queues)}
    return frozenset(names | {c.default_queue for c in confs if c.default_queue and not c.queues})
