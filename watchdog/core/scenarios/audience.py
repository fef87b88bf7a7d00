"""Who is told in a course of looks, and what people asked for: silences, deploys, acknowledgements.

In: recipients and routes, what was asked for and when. Out: the acknowledgements that hold for the incidents that are open at a time. In a
scenario one listener hears everything at once; in a replay it is who the configuration says, and what stood at the time.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.acknowledgements import OVERTAKEN, Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.routing import NO_ROUTES, Recipient, Routing
from watchdog.core.model.queries import sources_asked

__all__ = ["LISTENER", "SERVERS", "Audience", "Given"]

LISTENER = Recipient("scenario")
"""Who is told everything, at once."""
SERVERS = {source: source for source in sources_asked()}
"""Source -> its server: each target of a scenario has its own."""


class Given(Struct, frozen=True):
    """An acknowledgement as it was given to an incident of this fingerprint, which ended at `ended_at` (None: it had not)."""

    fingerprint: str
    acknowledgement: Acknowledgement
    ended_at: float | None = None

    def holds(self, incident: Incident, now: float) -> bool:
        """Whether it holds now for an incident that would be open: the same thing, begun before the one that was acknowledged ended.

        One that was taken back because the incident got worse holds until it would get worse: `holds_for` decides that.
        """
        given = self.acknowledgement
        over = given.until is not None and given.why != OVERTAKEN and now >= given.until
        same = self.ended_at is None or incident.started_at < self.ended_at
        return incident.fingerprint == self.fingerprint and given.at <= now and not over and same


class Audience(Struct, frozen=True):
    """Recipients and routes; all silences and deploys of the time that is played, each with its own times; acknowledgements."""

    recipients: tuple[Recipient, ...] = (LISTENER,)
    routing: Routing = NO_ROUTES
    silences: tuple[Silence, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    given: tuple[Given, ...] = ()
    servers: Mapping[str, str] = field(default_factory=lambda: SERVERS)
    """Source -> what identifies its server."""

    def acknowledged(self, incidents: Iterable[Incident], now: float) -> Mapping[str, Acknowledgement]:
        """Return incident id -> the last acknowledgement that holds for it."""
        if not self.given:
            return {}
        return {one.id: given.acknowledgement for one in incidents for given in self.given if given.holds(one, now)}
