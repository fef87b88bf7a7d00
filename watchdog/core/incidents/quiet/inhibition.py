"""Inhibition: an incident is not notified of while another one explains it, so that one cause is one message.

A rule names what it explains in `inhibits`. An incident of such a rule is held back while an incident of the first rule is open in the same
target, with equal values in the columns that both have. An incident about a server (a source, as BrokerUnreachable) explains all that its
rule names: its key says which server, and not which queue or worker. The cause comes first: a pending cause holds back as well, for as
long as its own `for` may take; then it either fires, and is the message, or is dropped. A cause that is held back itself goes on holding
back. It holds back only for those who may be notified of the cause.

Input: the open incidents of one target with their rules' `for`. Output: for an incident and a recipient, what holds it back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.rows import Cell

__all__ = ["Cause", "Inhibitions", "holds_back"]


class Cause(Struct, frozen=True, gc=False):
    """An incident that holds others back. `about`: the receiver whose failure it reports, which is not notified of it; or empty."""

    incident: Incident
    about: str = ""


def holds_back(incident: Incident, for_s: float, now: float, interval_s: float, keep_firing_for_s: float = inf) -> bool:
    """Whether an incident, whose rule has this `for` and this `keep_firing_for`, holds back what it explains.

    `for` counts watched time, which blindness stops. So a pending incident that was in breach in this cycle is on its way to fire, however
    slow the cycles are; one that was not seen must not hide others for longer than its `for` takes by the clock.

    One that flaps is kept open for much longer than its rule asks for, to be one message: what fires for longer is not its doing any more.
    """
    if not incident.inhibits or not incident.open:
        return False
    if incident.flapping and incident.state is State.RECOVERING and incident.quiet_s >= keep_firing_for_s:
        return False
    on_its_way = incident.state is not State.PENDING or incident.verdict == Verdict.BREACH
    return on_its_way or 0 <= now - incident.started_at <= for_s + 2 * interval_s


class Inhibitions:
    """What holds back what, among the incidents of one target."""

    def __init__(self, causes: Iterable[Cause]) -> None:
        self._of_rule: dict[str, dict[tuple[str, ...], list[Cause]]] = {}
        for cause in causes:
            for rule in cause.incident.inhibits:
                columns = () if cause.incident.server else tuple(cause.incident.key)
                self._of_rule.setdefault(rule, {}).setdefault(columns, []).append(cause)
        self._found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], dict[tuple[Cell, ...], list[Cause]]] = {}

    def cause_of(self, incident: Incident, hears_of: Callable[[Cause], bool] = lambda _: True) -> Incident | None:
        """Return the incident that holds this one back, the first link of a chain; None if none does.

        `hears_of`: whether a recipient may be notified of a cause.
        """
        first, seen = self._cause_of(incident, hears_of), {incident.id}
        while first is not None and first.id not in seen:
            seen.add(first.id)
            first = self._cause_of(first, hears_of) or first
        # Rules in a circle are refused, but incidents may remember an older `inhibits`: such a circle must not keep all of it quiet.
        return None if first is not None and first.id == incident.id else first

    def explained_by(self, incident: Incident) -> list[Incident]:
        """Return all incidents that explain this one directly, whoever may be notified of them, oldest first."""
        found = {cause.incident.id: cause.incident for cause in self._causes(incident) if cause.incident.id != incident.id}
        return sorted(found.values(), key=lambda cause: (cause.started_at, cause.id))

    def _cause_of(self, incident: Incident, hears_of: Callable[[Cause], bool]) -> Incident | None:
        for cause in self._causes(incident):
            if cause.incident.id != incident.id and hears_of(cause):
                return cause.incident
        return None

    def _causes(self, incident: Incident) -> Iterator[Cause]:
        for columns, causes in self._of_rule.get(incident.rule, {}).items():
            shared = tuple(column for column in columns if column in incident.key or column in incident.values)
            values = tuple(incident.key[column] if column in incident.key else incident.values[column] for column in shared)
            yield from self._by_value(incident.rule, columns, shared, causes).get(values, ())

    def _by_value(
        self, rule: str, columns: tuple[str, ...], shared: tuple[str, ...], causes: Sequence[Cause]
    ) -> dict[tuple[Cell, ...], list[Cause]]:
        """Return these causes by their values in the shared columns. There may be thousands of either."""
        found = self._found.get((rule, columns, shared))
        if found is None:
            found = self._found[rule, columns, shared] = {}
            for cause in causes:
                found.setdefault(tuple(cause.incident.key[column] for column in shared), []).append(cause)
        return found
