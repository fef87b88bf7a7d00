"""Deploys: while one goes on, incidents of rules that are marked `deploy = true` are quiet on its targets.

What still fires when the deploy has ended is notified of then.
"""

from collections.abc import Iterable

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.model.target import matches

__all__ = ["Deploy", "deploy_of"]


class Deploy(Struct, frozen=True):
    """One deploy. Times are epoch seconds; `targets` are globs. One that was ended by hand has an earlier `ends_at` than it was given."""

    id: str
    version: str
    targets: tuple[str, ...]
    starts_at: float
    ends_at: float
    author: str = ""

    def covers(self, now: float) -> bool:
        """Whether it goes on now."""
        return self.starts_at <= now < self.ends_at


def deploy_of(incident: Incident, deploys: Iterable[Deploy]) -> Deploy | None:
    """Return the deploy that hides an incident, of those that go on: the one that lasts longest; None if none does."""
    if not incident.deploy:
        return None
    return max((one for one in deploys if matches(incident.target, one.targets)), key=lambda one: one.ends_at, default=None)
