"""When a remedy is due, and why it is not: every condition stands in `why_not`, in one order.

Input: an incident that fires with its finding, the attempts so far, what was seen in this look, the reasons to be quiet. Output: an attempt
to begin, or a sentence that says what it waits for. An attempt counts from the moment at which it is stored, whatever becomes of it: a
restart never makes more of them than `at_most`.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.reasons import Quiet, Reason
from watchdog.core.incidents.remedies.attempt import NOT_DONE, Attempt, Helped
from watchdog.core.judging.findings import Finding
from watchdog.core.model.identity import action_id
from watchdog.core.model.rows import Reading, Row
from watchdog.core.model.target import matches
from watchdog.core.rules.remedy import Remedy
from watchdog.core.text.durations import format_duration

__all__ = ["Circumstances", "attempt_due"]

BROKERS = ("redis", "rabbitmq")
WITNESSES = ("flower", "events", "celery")
"""The sources that know how workers are: one of them is enough."""


class Circumstances(Struct, frozen=True):
    """What a remedy depends on, besides its incident. `allowed`: the remedies in `[actions] allow`."""

    target: str
    now: float
    interval_s: float
    allowed: Collection[str]
    readings: Mapping[str, Reading]
    quiet: Quiet
    deploys: Sequence[Deploy] = ()
    attempts: Sequence[Attempt] = ()
    """Of all incidents: those that count for some `at_most`, and those that go on."""


def attempt_due(incident: Incident, finding: Finding, remedy: Remedy, now: Circumstances) -> Attempt | str:
    """Return the attempt to begin in this look, or what it waits for. The incident fires, and is seen to."""
    if remedy.name not in now.allowed:
        return f"{remedy.name} is not done: it is not in allow of [actions]"
    if remedy.after_s and now.now - (incident.fired_at or now.now) < remedy.after_s:
        return f"{remedy.name} is done once this has fired for {format_duration(remedy.after_s)}"
    if (deploy := next((one for one in now.deploys if one.covers(now.now) and matches(now.target, one.targets)), None)) is not None:
        return f"{remedy.name} is not done now: deploy {deploy.version} goes on"
    reason = now.quiet.reason(incident)
    if reason is not None and not reason.trial:
        return f"{remedy.name} is not done now: {_quiet(reason)}"
    workers = _consumers(now.readings, _queue(incident))
    if isinstance(workers, str):
        return f"{remedy.name} is not done now: {workers}"
    if not finding.still:
        return f"{remedy.name} is not done now: when_still does not hold"
    trial = reason is not None
    counted = [one for one in now.attempts if _counts(one, incident, remedy, now.now, trial=trial)]
    if len(counted) >= remedy.most:
        return f"{remedy.name} is not done again (at most {remedy.at_most}): it is up to you now"
    if taken := _under_way(now, workers):
        return f"{remedy.name} is not done now: another one is under way on {taken}"
    attempt = Attempt(
        action_id(now.now, remedy.name, incident.id),
        incident.id,
        incident.fingerprint,
        now.target,
        incident.rule,
        remedy.name,
        _queue(incident),
        workers,
        now.now,
        len(counted) + 1,
        remedy.most,
        remedy.within_s,
    )
    return replace(attempt, outcome=NOT_DONE, text="on trial", ended_at=now.now, helped=Helped.TRIAL) if trial else attempt


def _counts(one: Attempt, incident: Incident, remedy: Remedy, now: float, *, trial: bool) -> bool:
    """Whether an attempt counts for `at_most`. What was only on trial is counted by itself."""
    return one.fingerprint == incident.fingerprint and abs(now - one.at) < remedy.within_s and (one.helped is Helped.TRIAL) is trial


def _queue(incident: Incident) -> str:
    """Return the queue that an incident of a rule on `queues` is about."""
    return incident.key.get("name", "")


def _quiet(reason: Reason) -> str:
    """Return why nobody wants it now. At the hours of a muted receiver it is done: nobody else is awake."""
    if reason.cause is not None:
        return f"{reason.cause.rule} explains it"
    if reason.same_as is not None:
        return f"it is an incident of {reason.same_as.target}, too"
    return "it is acknowledged" if reason.acknowledged is not None else "it is silenced"


def _consumers(readings: Mapping[str, Reading], queue: str) -> tuple[str, ...] | str:
    """Return the workers that consume a queue, or why they are not known well enough to be told anything."""
    if down := _down(_rows(readings, "sources")):
        return f"{', '.join(down)} cannot be asked"
    workers = readings.get("workers")
    if workers is None or workers.unread is not None:
        return f"the workers are not known{f': {workers.unread}' if workers else ''}"
    mine = [row for row in workers.rows if queue in str(row.cells.get("queues") or "").split(",")]
    unknown = [str(row.cells["name"]) for row in mine if "state" in row.gaps]
    if unknown:
        return f"whether {unknown[0]} is online is not known"
    online = tuple(sorted(str(row.cells["name"]) for row in mine if row.cells.get("state") == "online"))
    return online or f"no worker online is known to consume {queue}"


def _down(sources: Sequence[Row]) -> list[str]:
    """Return the sources whose silence makes blind: a broker, or all witnesses."""
    up = {str(row.cells.get("name")): row.cells.get("up") is True for row in sources}
    witnesses = [name for name in WITNESSES if name in up]
    down = [name for name in BROKERS if not up.get(name, True)]
    return down + (witnesses if not any(up[name] for name in witnesses) else [])


def _rows(readings: Mapping[str, Reading], table: str) -> Sequence[Row]:
    return readings[table].rows if table in readings else ()


def _under_way(now: Circumstances, workers: Collection[str]) -> str:
    """Return a worker among these that an attempt about any incident goes on with; empty if there is none."""
    busy = {name for one in now.attempts if one.over_at(now.now) is None for name in one.workers}
    return next((name for name in workers if name in busy), "")
