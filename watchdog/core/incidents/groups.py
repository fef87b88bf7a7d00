"""Groups: incidents of one receiver that are told together, and when the next message of a group is due.

A group lives from its first member that is told to the last end that is told, under one id. The first message of a group may wait for more
members (`group_wait_s`). A later message waits for `group_interval_s` after the one before, if all it says is that incidents below critical
joined or ended: an escalation, a critical incident and the last end never wait. What waits is in no message yet: it is decided anew in each
cycle, so that nothing has to be remembered, and what is over by then is never told.

Input: what one receiver should be told now, and what it was told. Output: the wishes of each group that is due; or until when the others
wait.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event, Notice
from watchdog.core.incidents.quiet.matchers import labels_of
from watchdog.core.incidents.routing import Terms
from watchdog.core.model.identity import group_id
from watchdog.core.model.severity import Severity

__all__ = ["Member", "Wish", "due_groups", "held_until"]


class Member(Struct, frozen=True):
    """An incident that the receiver was told of, and not yet of its end; or one in a message that has not left."""

    incident: Incident
    group: str
    terms: Terms
    told: bool = True


class Wish(Struct, frozen=True):
    """What should be told of one incident, on which terms."""

    incident: Incident
    notice: Notice
    terms: Terms


class Group(Struct):
    """The wishes of one group, and how many of its members were told and have not been told the end."""

    wishes: list[Wish]
    members: int = 0


def due_groups(
    wishes: Sequence[Wish], members: Iterable[Member], said_at: Mapping[str, float], unsent: Iterable[str], now: float
) -> dict[str, list[Notice]]:
    """Return group id -> its notices, in a stable order, for each group that has something to say now.

    `said_at`: group id -> when its last message was created. `unsent`: groups with a message that has not left, which takes up more.
    """
    if not wishes:
        return {}
    grouped = _grouped(wishes, tuple(members))
    waiting = set(unsent)
    return {
        name: [wish.notice for wish in sorted(group.wishes, key=lambda wish: (wish.notice.started_at, wish.notice.incident))]
        for name, group in grouped.items()
        if name in waiting or _due_at(group, said_at.get(name), now) <= now
    }


def held_until(
    wishes: Sequence[Wish], members: Iterable[Member], said_at: Mapping[str, float], unsent: Iterable[str], now: float
) -> dict[str, float]:
    """Return incident id -> until when its group waits, for each that is not told now. The same input as for `due_groups`."""
    waiting = set(unsent)
    held: dict[str, float] = {}
    for name, group in _grouped(wishes, tuple(members)).items():
        due_at = _due_at(group, said_at.get(name), now)
        if name not in waiting and due_at > now:
            held |= {wish.incident.id: due_at for wish in group.wishes}
    return held


def _grouped(wishes: Sequence[Wish], members: Sequence[Member]) -> dict[str, Group]:
    """Assign each wish to a group: that of its incident, if it has one, else that of a member with the same labels, else a new one."""
    members = _named(members)
    own = {member.incident.id: member.group for member in members}
    by_labels: dict[tuple[tuple[str, str], ...], str] = {}
    if any(wish.incident.id not in own for wish in wishes):
        for member in members:
            by_labels.setdefault(_key(member.incident, member.terms), member.group)
    grouped: dict[str, Group] = {}
    for wish in wishes:
        name = own.get(wish.incident.id)
        if name is None:
            key = _key(wish.incident, wish.terms)
            name = by_labels.setdefault(key, "") or group_id(wish.incident.id, key)
            by_labels[key] = name
        grouped.setdefault(name, Group([])).wishes.append(wish)
    for member in members:
        if member.told and member.group in grouped:
            grouped[member.group].members += 1
    return grouped


def _named(members: Sequence[Member]) -> Sequence[Member]:
    """Give a group to members without one, which an earlier version told of."""
    if all(member.group for member in members):
        return members
    names: dict[tuple[tuple[str, str], ...], str] = {}
    found = []
    for member in members:
        key = _key(member.incident, member.terms)
        found.append(replace(member, group=member.group or names.setdefault(key, group_id(member.incident.id, key))))
    return found


def _key(incident: Incident, terms: Terms) -> tuple[tuple[str, str], ...]:
    """Return what the members of a group have in common. It always contains the target: each target is decided on its own."""
    labels = labels_of(incident)
    return tuple((label, labels.get(label, "")) for label in sorted({"target", *terms.group_by}))


def _due_at(group: Group, said_at: float | None, now: float) -> float:
    """Return when the group's next message may leave: now, or later, but as soon as the terms of any of its wishes allow."""
    if not group.members:
        return min(_waited(wish.incident.fired_at or now, wish.terms.group_wait_s, now) for wish in group.wishes)
    ends = sum(wish.notice.event is Event.RESOLVED for wish in group.wishes)
    last_end = ends == len(group.wishes) == group.members
    if said_at is None or last_end or any(_urgent(wish) for wish in group.wishes):
        return now
    return _waited(said_at, min(wish.terms.group_interval_s for wish in group.wishes), now)


def _waited(since: float, for_s: float, now: float) -> float:
    """Return when something has waited long enough. Where the clock was set back, nothing waits."""
    return since + for_s if since <= now < since + for_s else now


def _urgent(wish: Wish) -> bool:
    return wish.notice.severity is Severity.CRITICAL or wish.notice.event in (Event.ESCALATED, Event.REMINDER, Event.ACKNOWLEDGED)
