"""Where unconfigured settings come from: the values that this target's Celery uses, each with its origin.

Input: the target, one poll's replies. Output: a `LiveSetting` each: configured, reported by a worker, found in Redis, or Celery's default;
also workers that report another value; a gap if the source of the value could not be polled. The values are those in force: `queue_keys`
computes them.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Inspected, Ping, WorkerStatus
from watchdog.core.model.replies import KeysFound, Pong, Replies, WorkerConf, WorkerInspection
from watchdog.core.model.target import Target
from watchdog.core.text.durations import format_duration
from watchdog.tables.queues.celery_conf import current
from watchdog.tables.queues.keys import QueueKeys, Queues, queue_keys
from watchdog.tables.queues.names import scan
from watchdog.tables.workers.memory import KnownWorkers, inspections

__all__ = ["CONFIGURED", "LiveSetting", "live_settings", "unanswered"]

CONFIGURED = "configured"
DEFAULT = "Celery's default"
NOBODY = "Celery's default: no worker reports it"
UNTOLD = ("not known", "no worker reports it")
Value = str | tuple[str, ...]
"""Text unchanged, durations as people write them, names sorted."""


class LiveSetting(Struct, frozen=True):
    """One setting in force. `value` is None if unknown, and `gap` says why. `others`: workers that report another value -> that value."""

    name: str
    value: Value | None
    origin: str = ""
    others: tuple[tuple[str, str], ...] = ()
    gap: str = ""


class _Asked(Struct, frozen=True):
    """One setting: its name, the configured value, how to read it from a worker's conf, and the fallback."""

    name: str
    configured: str | None
    said: Callable[[WorkerConf], str | None]
    otherwise: tuple[str, str]


def unanswered(target: Target, replies: Replies) -> dict[str, str]:
    """Return source -> why its settings are unknown."""
    first = {"flower": (WorkerStatus(), Inspected()), "redis": (Ping(), scan(Queues().bindings))}
    gaps = {
        name: next((a.reason for q in first[name] if isinstance(a := replies.get(q, object), Gap)), "")
        for name in sorted(target.sources)
        if name in first
    }
    return {name: why for name, why in gaps.items() if why}


def live_settings(target: Target, replies: Replies) -> list[LiveSetting]:
    """Return every setting that is read from somewhere, in the order of the configuration."""
    seen = inspections(replies, KnownWorkers(), target)
    keys = queue_keys(target, replies, KnownWorkers(), Queues())
    confs = [(i.name, i.conf) for i in current(seen.values()) if i.conf is not None]
    silent = unanswered(target, replies).get("flower", "") if not confs else ""
    found = [_setting(asked, confs, silent) for asked in _asked(target, keys)]
    if keys.conf.prefix is None:
        found[0] = _prefix_found(found[0], keys, replies)
    return [*found, *_queues(target, keys, confs, seen, silent), *_bound(target, keys, replies)]


def _asked(target: Target, keys: QueueKeys) -> Iterator[_Asked]:
    conf = keys.conf
    steps = ("0 to 9: any of them", "no worker reports which") if not conf.said.known else (_steps(conf.steps) or "", DEFAULT)
    default = DEFAULT if conf.said.known else NOBODY
    yield _Asked("key_prefix", target.key_prefix, lambda c: c.key_prefix, ("", default))
    yield _Asked("priority_steps", _steps(target.priority_steps), lambda c: _steps(c.priority_steps), steps)
    yield _Asked("separator", target.separator or None, lambda c: c.separator or None, (conf.separator, default))
    timeout = (format_duration(conf.visibility_timeout_s), default)
    yield _Asked("visibility_timeout", _time(target.visibility_timeout_s), lambda c: _time(c.visibility_timeout_s), timeout)
    yield _Asked("result_backend", None, lambda c: c.result_backend, ("none", DEFAULT) if conf.said.known else UNTOLD)
    yield _Asked("broker_transport", None, lambda c: c.transport, UNTOLD)


def _setting(asked: _Asked, confs: list[tuple[str, WorkerConf]], silent: str) -> LiveSetting:
    said = [(name, value) for name, conf in confs if (value := asked.said(conf)) is not None]
    if asked.configured is not None:
        return LiveSetting(asked.name, asked.configured, CONFIGURED, tuple(s for s in said if s[1] != asked.configured))
    if said:
        name, value = said[0]
        return LiveSetting(asked.name, value, f"worker {name}", tuple(s for s in said if s[1] != value))
    return LiveSetting(asked.name, None, gap=silent) if silent else LiveSetting(asked.name, *asked.otherwise)


def _prefix_found(said: LiveSetting, keys: QueueKeys, replies: Replies) -> LiveSetting:
    """Return the prefix found in bindings, if no worker reports it."""
    if keys.unsure is not None:
        return replace(said, value=None, origin="", gap=keys.unsure)
    if keys.prefix_found is not None:
        return replace(said, value=keys.prefix, origin="found in Redis' bindings", gap="")
    found = replies.get(scan(Queues().bindings), KeysFound)
    if isinstance(found, Gap) and replies.asked(scan(Queues().bindings)):
        return replace(said, value=None, origin="", gap=said.gap or found.reason)
    return said


def _queues(
    target: Target, keys: QueueKeys, confs: list[tuple[str, WorkerConf]], seen: dict[str, WorkerInspection], silent: str
) -> Iterator[LiveSetting]:
    if target.declared_queues:
        yield LiveSetting("declared_queues", _listed(target.declared_queues), CONFIGURED)
    if silent:
        yield LiveSetting("declared_queues", None, gap=silent)
        yield LiveSetting("consumed_queues", None, gap=silent)
        return
    by_workers = keys.conf.said.declared
    if by_workers:
        yield LiveSetting("declared_queues", _listed(by_workers), "worker" + _of([name for name, _ in confs]))
    consumers = [name for name, inspection in seen.items() if inspection.queues]
    if keys.consumed:
        yield LiveSetting("consumed_queues", _listed(keys.consumed), "worker" + _of(consumers))


def _bound(target: Target, keys: QueueKeys, replies: Replies) -> Iterator[LiveSetting]:
    if "redis" not in target.sources:
        return
    pong, found = replies.get(Ping(), Pong), replies.get(scan(Queues().bindings), KeysFound)
    gap = next((answer.reason for answer in (pong, found) if isinstance(answer, Gap)), keys.unsure or "")
    if gap:
        yield LiveSetting("bound_queues", None, gap=gap)
    elif keys.bindings.queues:
        part = "" if keys.bindings.whole else " (the scan has not been round yet)"
        yield LiveSetting("bound_queues", _listed(keys.bindings.queues), "found in Redis' bindings" + part)


def _of(names: list[str]) -> str:
    return (
        f" {names[0]}"
        if len(names) == 1
        else f"s {', '.join(sorted(names)[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    )


def _steps(steps: tuple[int, ...] | None) -> str | None:
    return ", ".join(map(str, sorted(set(steps)))) if steps else None


def _time(seconds: float | None) -> str | None:
    return format_duration(seconds) if seconds else None


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
