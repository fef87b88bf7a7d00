"""Shared servers: several targets may name the same Redis, RabbitMQ or Flower, and its failure is then one incident of all of them.

Each target keeps an incident of its own; those of the same rule and key about the same server are twins. The one that fired first is told,
with the names of all targets that have one, and the others are held back while it is open. When it ends and another still fires, that one
is told. It holds back only those that came after it, so twins cannot hold back each other.

Input: the twins of one target's incidents. Output: for an incident, the twins that may be told in its stead, and the targets to name.
"""

from collections.abc import Iterable, Iterator, Mapping

from watchdog.core.incidents.lifecycle import Incident, State

__all__ = ["Twins", "server_of"]

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
    sources, common = OF_THE_SERVER.get(table, ((), frozenset()))
    named = next((servers[source] for source in sources or (key.get("name", ""),) if source in servers), "")
    return named if columns <= common else ""


class Twins:
    """The twins of one target's incidents: open ones of other targets, and those that have just ended."""

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        self._same: dict[Same, list[Incident]] = {}
        for incident in incidents:
            if incident.server:
                self._same.setdefault(_same(incident), []).append(incident)
        for twins in self._same.values():
            twins.sort(key=_turn)

    def before(self, incident: Incident) -> Iterator[Incident]:
        """Yield the twins that fired before it, still burn or recover, and are as severe; the first one first."""
        for twin in self._of(incident):
            if _turn(twin) >= _turn(incident):
                return
            if twin.state in (State.FIRING, State.RECOVERING) and twin.severity.at_least(incident.severity):
                yield twin

    def last_fired(self, incident: Incident) -> float:
        """Return when the last of its open twins fired; 0 if none has."""
        return max((twin.fired_at for twin in self._of(incident) if twin.open and twin.fired_at is not None), default=0.0)

    def targets(self, incident: Incident) -> tuple[str, ...]:
        """Return the names of all targets that have the incident, its own first; of an end, those for which it is over, too."""
        over = [twin for twin in self._of(incident) if not twin.open and (twin.resolved_at or 0.0) >= incident.started_at]
        recovering = [twin for twin in self._of(incident) if twin.state is State.RECOVERING]
        named = [twin for twin in self._of(incident) if twin.open] if incident.open else [*over, *recovering]
        return (incident.target, *sorted({twin.target for twin in named} - {incident.target}))

    def _of(self, incident: Incident) -> list[Incident]:
        return self._same.get(_same(incident), []) if incident.server and self._same else []


def _same(incident: Incident) -> Same:
    key = tuple(incident.key.items())
    return incident.rule, incident.server, key if len(key) == 1 else tuple(sorted(key))


def _turn(incident: Incident) -> tuple[float, str]:
    """Return what orders twins: one that has not fired comes last."""
    return float("inf") if incident.fired_at is None else incident.fired_at, incident.id
