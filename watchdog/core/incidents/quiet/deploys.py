"""Deploys: while one goes on, incidents of rules that are marked `deploy = true` are quiet on its targets.

What still fires when the deploy has ended is notified of then. One that nobody ends, ends by itself.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.model.identity import deploy_id
from watchdog.core.model.target import ANY_TARGET, SELF, matches
from watchdog.core.text.durations import format_duration
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Deploy", "check_globs", "checked_version", "deploy_before", "deploy_of", "new_deploy"]

LONGEST_VERSION = 100

NEARBY_S = 3600.0
"""An incident that begins within so many seconds of the beginning of a deploy may be its doing."""


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

    def hides(self, incident: Incident) -> bool:
        """Whether it is a reason to be quiet about an open incident, while it goes on."""
        return incident.open and incident.deploy and matches(incident.target, self.targets)

    def replaces(self, earlier: "Deploy") -> bool:
        """Whether it is for all targets of an earlier one, which therefore is over."""
        return all(glob in self.targets or matches(glob, self.targets) for glob in earlier.targets)


def checked_version(text: str) -> str:
    """Return a version without spaces around and between its words; ValueError if it is empty or too long."""
    version = " ".join(text.split())
    if not version or len(version) > LONGEST_VERSION:
        found = f"{len(version)} characters" if version else "nothing: is the variable that you gave set?"
        raise ValueError(f"expected 1 to {LONGEST_VERSION} characters, such as v512 or a commit, found {found}")
    return version


def check_globs(globs: Iterable[str], targets: Sequence[str]) -> None:
    """ValueError for a glob that matches no configured target: the deploy would hide nothing."""
    for glob in globs:
        if targets and not any(matches(name, (glob,)) for name in targets):
            hint = did_you_mean(glob, targets) or f"; there are {', '.join(targets)}"
            raise ValueError(f'no target matches "{glob}"{hint}')


def new_deploy(version: str, targets: Sequence[str], starts_at: float, lasts_s: float, author: str) -> Deploy:
    """Return a deploy of these targets (globs; none: all of them)."""
    return Deploy(deploy_id(starts_at, version), version, tuple(targets) or (ANY_TARGET,), starts_at, starts_at + lasts_s, author)


def deploy_of(incident: Incident, deploys: Iterable[Deploy]) -> Deploy | None:
    """Return the deploy that hides an incident, of those that go on: the one that lasts longest; None if none does."""
    if not incident.deploy:
        return None
    return max((one for one in deploys if one.hides(incident)), key=lambda one: one.ends_at, default=None)


def deploy_before(incident: Incident, deploys: Iterable[Deploy]) -> str | None:
    """Return `6m after deploy v512` if a deploy of its target began within the hour before the incident; of several, the last.

    Never of an incident about watchdog itself, such as the announcement of that deploy.
    """
    if incident.target == SELF:
        return None
    near = [one for one in deploys if 0 <= incident.started_at - one.starts_at <= NEARBY_S and matches(incident.target, one.targets)]
    if not near:
        return None
    last = max(near, key=lambda one: one.starts_at)
    minutes = int(incident.started_at - last.starts_at) // 60
    return f"{format_duration(minutes * 60) if minutes else 'less than 1m'} after deploy {last.version}"
