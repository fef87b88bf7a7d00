"""Why nobody is notified of an incident that fires: every reason to be quiet, in one order.

1. Another incident explains it (`inhibition`).
2. A person silenced it (`silences`).

Reasons are no states: they are worked out anew in each cycle, from the open incidents and what people asked for. The end of an incident is
never kept from those who were notified of its beginning.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.inhibition import Cause, Inhibitions
from watchdog.core.incidents.quiet.silences import Silence, silence_of

__all__ = ["NOT_QUIET", "Quiet", "Reason", "quiet_reasons"]


class Reason(Struct, frozen=True):
    """Why an incident is quiet: the incident that explains it, or a silence."""

    cause: Incident | None = None
    silence: Silence | None = None


class Quiet:
    """The reasons to be quiet on one target now."""

    def __init__(self, causes: Iterable[Cause], silences: Iterable[Silence], now: float) -> None:
        self._inhibitions = Inhibitions(causes)
        self._silences = [silence for silence in silences if silence.covers(now)]

    def reason(self, incident: Incident, hears_of: Callable[[Cause], bool] = lambda _: True) -> Reason | None:
        """Return why a recipient is not notified of an open incident; None if it may be. `hears_of`: which causes it may be notified of."""
        cause = self._inhibitions.cause_of(incident, hears_of)
        if cause is not None:
            return Reason(cause=cause)
        silence = silence_of(incident, self._silences)
        return None if silence is None else Reason(silence=silence)


NOT_QUIET = Quiet((), (), 0.0)


def quiet_reasons(incidents: Iterable[Incident], silences: Sequence[Silence], now: float) -> dict[str, Reason]:
    """Return the id of each open incident that is quiet -> why, for all open incidents of all targets."""
    of_target: dict[str, list[Incident]] = {}
    for incident in incidents:
        if incident.open:
            of_target.setdefault(incident.target, []).append(incident)
    found: dict[str, Reason] = {}
    for together in of_target.values():
        quiet = Quiet([Cause(incident) for incident in together if incident.inhibits], silences, now)
        found |= {incident.id: reason for incident in together if (reason := quiet.reason(incident)) is not None}
    return found
