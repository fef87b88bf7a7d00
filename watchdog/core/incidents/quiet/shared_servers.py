"""Shared servers: several targets may name the same Redis, RabbitMQ or Flower, and its failure is then one incident of all of them.

Each target keeps an incident of its own; those of the same rule and key about the same server are twins. The one that fired first is told,
with the names of all targets that have one, and the others are held back while it is open. When it ends and another still fires, that one
is told. It holds back only those that came after it, so twins cannot hold back each other.

Input: the twins of one target's incidents. Output: for an incident, the twins that may be told in its stead, and the targets to name.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from watchdog.core.incidents.lifecycle import Incident, State

__all__ = ["NO_TWINS", "Twins", "server_of"]

OF_THE_SERVER: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "sources": ((), frozenset({"name", "up", "error", "version", "restarted_s"})),
    "broker": (
        ("redis", "rabbitmq"),
        frozenset({
            "used_memory", "max_memory", "memory_ratio", "evicted", "eviction_policy", "clients", "client_ratio", "blocked_clients", "role",
            "replica_link_up", "last_save_ok", "alarms", "disk_free", "disk_limit", "nodes_down", "partitions",
        }),
    ),
}  # fmt: skip
"""Table -> the sources that it may describe (none: the one that its key `name` names), and the columns that are the same for all who use
that server. The others belong to one target, such as the unacknowledged messages of its database."""

Same = tuple[str, str, tuple[tuple[str, str], ...]]


def server_of(reads: Mapping[str, frozenset[str]], key: Mapping[str, str], servers: Mapping[str, str]) -> str:
    """Return the server that an incident is about; empty if it may be about its target alone.

    `reads`: table -> the columns that decide in its rule. `servers`: source of the target -> what identifies its server.
    """
    if len(reads) != 1:
        return ""
    ((table, columns),) = reads.items()
    if table not in OF_THE_SERVER:
        return ""
    sources, common = OF_THE_SERVER[table]
    named = next((servers[source] for source in sources or (key.get("name", ""),) if source in servers), "")
    return named if columns <= common else ""


def _same(incident: Incident) -> Same:
    key = tuple(incident.key.items())
    return incident.rule, incident.server, key if len(key) == 1 else tuple(sorted(key))


def _turn(incident: Incident) -> tuple[float, str]:
    """Return what orders twins: one that has not fired comes last."""
    return float("inf") if incident.fired_at is None else incident.fired_at, incident.id


class Twins:
    """Incidents about servers that several targets may name: open ones, and those that have just ended. It never changes.

    An incident is no twin of others of its own target. So one value serves all targets, however many share a server.
    """

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        self._of_same: dict[Same, _Same] = {}
        self._add(incidents, ())

    def plus(self, incidents: Iterable[Incident], without: Iterable[Incident] = ()) -> "Twins":
        """Return these twins with some that are new or have changed, and without others, each as it was before."""
        made = Twins()
        made._of_same = dict(self._of_same)
        made._add(incidents, without)
        return made

    def _add(self, incidents: Iterable[Incident], without: Iterable[Incident]) -> None:
        added: dict[Same, list[Incident]] = {}
        for incident in incidents:
            if incident.server:
                added.setdefault(_same(incident), []).append(incident)
        gone: dict[Same, set[str]] = {}
        for incident in without:
            gone.setdefault(_same(incident), set()).add(incident.id)
        for same in {**added, **gone}:
            before = self._of_same.get(same, NOBODY).members
            new = {incident.id: incident for incident in added.get(same, ())}
            kept = [one for one in before if one.id not in new and one.id not in gone.get(same, ())]
            if kept or new:
                self._of_same[same] = _Same([*kept, *new.values()])
            else:
                self._of_same.pop(same, None)

    def before(self, incident: Incident) -> Iterator[Incident]:
        """Yield the twins that fired before it, still burn or recover, and are as severe; the first one first."""
        for twin in self._of(incident).members:
            if twin.target == incident.target:
                continue
            if _turn(twin) >= _turn(incident):
                return
            if twin.state in (State.FIRING, State.RECOVERING) and twin.severity.at_least(incident.severity):
                yield twin

    def last_fired(self, incident: Incident) -> float:
        """Return when the last of its open twins fired; 0 if none has."""
        fired = (twin.fired_at for twin in self._of(incident).members if twin.open and twin.target != incident.target)
        return max((at for at in fired if at is not None), default=0.0)

    def targets(self, incident: Incident) -> tuple[str, ...]:
        """Return the names of all targets that have the incident, its own first; of an end, those for which it is over, too."""
        of_same = self._of(incident)
        if incident.open:
            return (incident.target, *[name for name in of_same.open_targets if name != incident.target])
        ended = [twin for twin in of_same.members if not twin.open and (twin.resolved_at or 0.0) >= incident.started_at]
        recovering = [twin for twin in of_same.members if twin.state is State.RECOVERING]
        return (incident.target, *sorted({twin.target for twin in (*ended, *recovering)} - {incident.target}))

    def _of(self, incident: Incident) -> "_Same":
        return self._of_same.get(_same(incident), NOBODY) if incident.server and self._of_same else NOBODY


class _Same:
    """Incidents of one rule and key about one server, in their turn."""

    def __init__(self, incidents: Iterable[Incident]) -> None:
        self.members = tuple(sorted(incidents, key=_turn))

    @cached_property
    def open_targets(self) -> tuple[str, ...]:
        """The targets that have an open one, by name."""
        return tuple(sorted({one.target for one in self.members if one.open}))


NOBODY = _Same(())
NO_TWINS = Twins()
