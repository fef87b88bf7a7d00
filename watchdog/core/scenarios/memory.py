"""What a database would hold of one target, if every message arrived at once.

In: plans. Out: what the next cycle loads.
"""

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import FIRE, Message, Notified
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.remedies.attempt import Attempt
from watchdog.core.scenarios.audience import Audience

__all__ = ["Memory"]


class Memory(Struct, frozen=True):
    """Open incidents and those whose end somebody has still to hear, what receivers were told, when incidents fired before."""

    open: tuple[Incident, ...] = ()
    unsettled: tuple[Incident, ...] = ()
    notified: Mapping[tuple[str, str], Notified] = field(default_factory=dict)
    said_at: Mapping[tuple[str, str], float] = field(default_factory=dict)
    fired: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Fingerprint -> when its ended incidents fired."""
    messages: int = 0
    previous_at: float | None = None
    attempts: tuple[Attempt, ...] = ()
    """At remedies. Each is done in the moment in which it is begun."""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing that time alone could change."""
        return not self.open and not self.unsettled

    def loaded(self, fired_within: tuple[float, float] | None, audience: Audience, now: float) -> Loaded:
        """Return what a cycle finds. `fired_within`: from when to when earlier firings count. `audience`: what people asked for."""
        return Loaded(
            open=self.open,
            unsettled=self.unsettled,
            notified=self.notified,
            previous_cycle_at=self.previous_at,
            said_at=self.said_at,
            fired=self._fired(*fired_within) if fired_within else {},
            last_message=self.messages,
            attempts=self.attempts,
            silences=audience.silences,
            deploys=audience.deploys,
            acknowledged=audience.acknowledged(self.open, now),
        )

    def _fired(self, since: float, until: float) -> Mapping[str, tuple[float, ...]]:
        """Return those that fired several times within that time, as a database finds them."""
        within = {name: tuple(at for at in times if since <= at <= until) for name, times in self.fired.items()}
        return {name: times for name, times in within.items() if len(times) > 1}

    def after(self, plan: Plan) -> "Memory":
        """Return this memory after a plan was committed and its messages were delivered."""
        if not plan.incidents and not plan.messages:
            return Memory(self.open, self.unsettled, self.notified, self.said_at, self.fired, self.messages, plan.at, self.attempts)
        changed = {incident.id: incident for incident in plan.incidents}
        known = {incident.id for incident in self.open}
        after = [changed.get(one.id, one) for one in self.open] + [one for one in plan.incidents if one.id not in known]
        ended = [one for one in after if not one.open]
        notified = {**self.notified, **_told(plan.messages)}
        believed = {id_ for (id_, _), told in notified.items() if told.event in FIRE}
        return Memory(
            open=tuple(one for one in after if one.open),
            unsettled=tuple(one for one in (*self.unsettled, *ended) if one.id in believed),
            notified=notified,
            said_at={**self.said_at, **{(one.receiver, one.group_id): one.created_at for one in plan.messages}},
            fired=_with(self.fired, ended),
            messages=self.messages + len(plan.messages),
            previous_at=plan.at,
            attempts=_done(self.attempts, plan),
        )


def _told(messages: tuple[Message, ...]) -> dict[tuple[str, str], Notified]:
    return {
        (notice.incident, message.receiver): Notified(
            notice.incident, message.receiver, notice.event, notice.severity, notice.sequence, message.created_at, group_id=message.group_id
        )
        for message in messages
        for notice in message.notices
    }


def _done(known: tuple[Attempt, ...], plan: Plan) -> tuple[Attempt, ...]:
    """Return the attempts, with those that are begun now as done."""
    if not plan.attempts:
        return known
    now = [replace(one, outcome="done", ended_at=plan.at) if one.over_at(plan.at) is None else one for one in plan.attempts]
    return tuple({one.id: one for one in (*known, *now)}.values())


def _with(fired: Mapping[str, tuple[float, ...]], ended: list[Incident]) -> Mapping[str, tuple[float, ...]]:
    """Return when incidents fired, with those that have ended now."""
    more = dict(fired)
    for incident in ended:
        if incident.fired_at is not None:
            more[incident.fingerprint] = (*more.get(incident.fingerprint, ()), incident.fired_at)
    return more
