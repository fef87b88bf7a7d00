"""What the application serves, as a value: the configuration, the database, and what the daemon says of itself."""

from collections.abc import Callable

from flask import current_app
from msgspec import Struct, field

from watchdog.config.settings import Settings
from watchdog.core.model.self_seen import SelfSeen
from watchdog.status.gathering import Days
from watchdog.status.why.today import Today
from watchdog.store import Store
from watchdog.web.acting.attempts import Actor, Attempts

__all__ = ["Site", "current_site"]


def _nobody(target: str) -> Actor:
    raise LookupError(target)


class Site(Struct, frozen=True):
    """One configuration, as it is served. All callables may be called from any thread."""

    settings: Settings
    store: Store
    days: Days
    overdue: Callable[[], list[str]]
    """Targets whose cycles do not finish."""
    delivering: Callable[[], bool]
    """Whether every receiver's thread is running."""
    ready: Callable[[], bool]
    """Whether every target has been looked at."""
    self_seen: Callable[[], SelfSeen]
    clock: Callable[[], float]
    today: Today = field(default_factory=Today)
    """What the configuration says about who is notified."""
    attempts: Attempts | None = None
    """What people began to do to clusters; None where nobody can."""
    actor_of: Callable[[str], Actor] = _nobody
    """Who acts on a target."""
    stands_by: Callable[[], str] = lambda: ""
    """In words, for whom this daemon stands by; empty where it works itself."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the configured targets, in their order."""
        return tuple(target.name for target in self.settings.target)


def current_site() -> Site:
    """What the application of the request in hand serves."""
    site: Site = current_app.extensions["site"]
    return site
