"""Who is notified of an incident, and on which terms: what a receiver is for, and the tree of routes.

Without routes, every receiver is notified of whatever it selects. With routes, siblings are tried in order; the first that selects the
incident ends the search, unless it has `goes_on`. A route whose own routes select the incident leaves the choice to them.

Input: an incident, what the receiver was last notified of, the current time. Output: terms, or none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Notified
from watchdog.core.incidents.quiet.inhibition import Cause
from watchdog.core.incidents.quiet.matchers import Matcher, labels_of, match
from watchdog.core.incidents.quiet.selection import MOST_REMEMBERED, Selection
from watchdog.core.incidents.quiet.windows import Window, window_of
from watchdog.core.model.severity import Severity

__all__ = ["LONGEST_GROUP_INTERVAL_S", "NO_ROUTES", "Recipient", "Route", "Routing", "Terms", "Way"]

REPEAT_S = 3600.0
LONGEST_REPEAT_S = 86400.0
LONGEST_GROUP_INTERVAL_S = 3600.0
"""Longest `group_wait` and `group_interval`: the messages of this time are looked up in each cycle."""


class Terms(Struct, frozen=True):
    """How a receiver is notified of what a route takes to it.

    `after_s`: only of what has fired that long, and was for the receiver, without being acknowledged. `repeat_s`: time before the first
    reminder, 0 for none; None: an hour for critical incidents, none for others. Each further one comes after twice the time, a day at most,
    and there are at most `repeat_most`. Incidents with equal values of the labels `group_by` are one group: its first message waits
    `group_wait_s`, and a further one that says only that some joined or ended comes `group_interval_s` after the one before.
    """

    after_s: float = 0.0
    repeat_s: float | None = None
    repeat_most: int = 10
    group_by: tuple[str, ...] = ("target", "rule")
    group_wait_s: float = 0.0
    group_interval_s: float = 60.0
    mutes: tuple[Window, ...] = ()

    @property
    def rank(self) -> tuple[float, int]:
        """Where several routes lead to a receiver, the least counts: that with the least `after`, and of these one that is never muted."""
        return self.after_s, len(self.mutes)

    @property
    def soonest_reminder_s(self) -> float:
        """The shortest time after which anything may be repeated."""
        return REPEAT_S if self.repeat_s is None else self.repeat_s or inf

    def reminder_due_at(self, incident: Incident, notified: Notified) -> float | None:
        """Return when an incident that fires is to be said again; None: never. Escalations count as reminders, too."""
        first_s = self.repeat_s if self.repeat_s is not None else REPEAT_S if incident.severity is Severity.CRITICAL else 0.0
        if first_s <= 0 or notified.sequence > self.repeat_most:
            return None
        return notified.at + min(first_s * 2.0 ** (max(notified.sequence, 1) - 1), max(LONGEST_REPEAT_S, first_s))


class Recipient(Struct, frozen=True):
    """A receiver as the core sees it. It may be notified of incidents of at least `min_severity` that all `matchers` select."""

    name: str
    human: bool = False
    settings: str = ""
    min_severity: Severity = Severity.INFO
    matchers: tuple[Matcher, ...] = ()
    terms: Terms = Terms()
    tell_silences: bool = False
    """Whether it is notified of the start and the end of silences and deploys that affect it."""
    tell_acknowledgements: bool = False
    """Whether it keeps alerts of its own, and is told that somebody works on one."""

    def selects(self, incident: Incident) -> bool:
        """Whether it may be notified of this incident. (Who was notified of it hears its end in any case.)"""
        return incident.severity.at_least(self.min_severity) and (not self.matchers or match(self.matchers, labels_of(incident)))


class Route(Struct, frozen=True):
    """A node of the tree: what it selects, and to whom that goes, on which terms."""

    receivers: Mapping[str, Terms] = field(default_factory=dict)
    matchers: tuple[Matcher, ...] = ()
    min_severity: Severity = Severity.INFO
    goes_on: bool = False
    routes: tuple["Route", ...] = ()
    name: str = ""
    """Where it is configured, for people."""


class Way(NamedTuple):
    """How a receiver is reached: by which route, on which terms."""

    route: Route
    receiver: str
    terms: Terms


class Level:
    """Siblings in the tree."""

    def __init__(self, routes: Sequence[Route]) -> None:
        below = [(route, Level(route.routes)) for route in routes]
        self._routes = Selection((route.matchers, (route, level)) for route, level in below)

    def reached(self, labels: Mapping[str, str], severity: Severity) -> list[Way] | None:
        """Return the ways that end in a receiver, in order; one may be reached more than once. None: nothing here selects the incident."""
        found: list[Way] | None = None
        for route, below in self._routes.holding(labels):
            if not severity.at_least(route.min_severity):
                continue
            deeper = below.reached(labels, severity)
            ends = [Way(route, name, terms) for name, terms in route.receivers.items()] if deeper is None else deeper
            found = [*(found or ()), *ends]
            if not route.goes_on:
                break
        return found


class Routing:
    """Which recipients are notified of an incident, and on which terms. Remembers what it worked out; threads may share it."""

    def __init__(self, routes: Sequence[Route] = ()) -> None:
        self.routes = tuple(routes)
        self._top = Level(self.routes)
        self._known: dict[tuple[str, str], tuple[Incident, Recipient, Terms | None]] = {}
        self.has_later = any(terms.after_s for terms in _all_terms(self.routes))
        """Whether there is a next in line: a route with `after`."""
        self._soonest_s = min((terms.soonest_reminder_s for terms in _all_terms(self.routes)), default=inf)

    def terms(self, incident: Incident, recipient: Recipient) -> Terms | None:
        """Return the terms on which a recipient is notified of an incident; None if it is not. Of several, those of the least rank."""
        if not self.routes:
            return self._routed(incident, recipient)
        known = self._known.get((incident.id, recipient.name))
        if known is None or known[0] is not incident or known[1] is not recipient:  # unchanged ones are the same objects in each cycle
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[incident.id, recipient.name] = incident, recipient, self._routed(incident, recipient)
        return known[2]

    def _routed(self, incident: Incident, recipient: Recipient) -> Terms | None:
        if not recipient.selects(incident):
            return None
        if not self.routes:
            return recipient.terms
        ways = self.ways(labels_of(incident), incident.severity)
        return min((way.terms for way in ways if way.receiver == recipient.name), key=lambda terms: terms.rank, default=None)

    def since(self, incident: Incident, recipient: Recipient, hidden_until: Callable[[Incident], float] = lambda _: 0.0) -> float | None:
        """Return since when an incident has fired, is for a recipient, and could be told to somebody. None: it never fired.

        It may be for the recipient only since it got worse. A cause that came later, when it could be told already, does not matter: it
        comes and goes by itself. `hidden_until`: when the last silence or deploy ended that hid it from all.
        """
        if incident.fired_at is None:
            return None
        reached = ((at, replace(incident, severity=Severity(one))) for one, at in incident.severe_since.items())
        for_it = next((at for at, then in reached if self._routed(then, recipient) is not None), 0.0)
        return max(for_it, incident.fired_at, incident.let_go_at, hidden_until(incident))

    def soonest_reminder_s(self, recipient: Recipient) -> float:
        """The shortest time after which a recipient may be reminded of anything."""
        return self._soonest_s if self.routes else recipient.terms.soonest_reminder_s

    def ways(self, labels: Mapping[str, str], severity: Severity) -> list[Way]:
        """Return which receivers an incident with these labels reaches, by which route, on which terms."""
        return self._top.reached(labels, severity) or []

    def selections(self, recipient: Recipient) -> Iterator[tuple[Severity, tuple[Matcher, ...]]]:
        """Yield the least severity and the matchers of each way to a recipient. (A route before it may still end the search.)"""
        if self.routes:
            yield from _selections(self.routes, recipient.name, recipient.min_severity, recipient.matchers)
        else:
            yield recipient.min_severity, recipient.matchers

    def hears_of(
        self, recipient: Recipient, cause: Cause, terms: Terms, now: float, hidden_until: Callable[[Incident], float] = lambda _: 0.0
    ) -> bool:
        """Whether a recipient may be notified of a cause, so that what the cause explains, and is for it on these terms, need not be said.

        Not if it would be notified of the cause later than of that: because the cause is muted now, or for those who are next in line.
        """
        theirs = self.terms(cause.incident, recipient) if cause.about != recipient.name else None
        if theirs is None or theirs is terms:
            return theirs is not None
        since = self.since(cause.incident, recipient, hidden_until) if theirs.after_s > terms.after_s else 0.0
        later = since is None or abs(now - since) < theirs.after_s
        muted = theirs.mutes != terms.mutes and window_of(now, theirs.mutes) is not None and window_of(now, terms.mutes) is None
        return not later and not muted


def _selections(
    routes: Sequence[Route], receiver: str, min_severity: Severity, matchers: tuple[Matcher, ...]
) -> Iterator[tuple[Severity, tuple[Matcher, ...]]]:
    for route in routes:
        severity = route.min_severity if route.min_severity.at_least(min_severity) else min_severity
        if receiver in route.receivers:
            yield severity, (*matchers, *route.matchers)
        yield from _selections(route.routes, receiver, severity, (*matchers, *route.matchers))


def _all_terms(routes: Sequence[Route]) -> Iterator[Terms]:
    for route in routes:
        yield from route.receivers.values()
        yield from _all_terms(route.routes)


NO_ROUTES = Routing()
