"""Why somebody was, or was not, notified of one incident, as the database knows it: nothing is polled.

In: the incident, an open store, what today's configuration says, now (epoch seconds). Out: a case.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.routing import Routing
from watchdog.status.why.case import Case
from watchdog.status.why.stored import Stored
from watchdog.status.why.today import Today

if TYPE_CHECKING:
    from watchdog.store import Store

__all__ = ["case_of", "last_verdict"]

VERDICTS = {"breach": "in breach", "clear": "clear", "unknown": "unknown", "none": "none"}


def case_of(incident: Incident, store: "Store", today: Today, now: float, clock: Callable[[float], str]) -> Case | None:
    """What each receiver is told now; of what has ended, as it was when it last fired. None: nothing of that is kept."""
    mine = replace(today, routing=Routing(today.routing.routes))  # it remembers, and is not made for several threads
    stored = Stored(store, mine, clock)
    if incident.open:
        return stored.open_now(incident, now, last_verdict(incident))
    return stored.last(incident.rule, (incident.target,), lambda one: one.id == incident.id, now)


def last_verdict(incident: Incident) -> str:
    """`the last verdict was in breach`; empty if there was none."""
    return f"the last verdict was {VERDICTS.get(incident.verdict, 'none')}" if incident.verdict else ""
