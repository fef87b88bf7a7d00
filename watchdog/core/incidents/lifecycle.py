"""The life of an incident: its states, its transitions, and the clocks that count watched time.

A breach with an identity (its fingerprint) is pending, fires, recovers, and ends. `MOVES` maps a state and a verdict to the next state; two
more transitions depend on watched time alone. Transitions are applied until nothing changes, so `for = 0` fires at once. An unknown or
missing verdict causes no transition and stops all clocks: what cannot be seen neither fires nor ends an incident.

Input: an incident, a finding, the watched seconds since the previous cycle. Output: the updated incident and its transitions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING, Flapping
from watchdog.core.judging.findings import BREACH, Finding, Verdict
from watchdog.core.judging.texts import NO_TEXTS, Texts
from watchdog.core.model.identity import fingerprint, incident_id
from watchdog.core.model.rows import Cell, Key
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

__all__ = [
    "FIRING", "MOVES", "OPEN", "Ended", "Incident", "State", "Transition", "begin", "close", "end", "open_keys", "step", "watched_seconds",
]  # fmt: skip


class State(StrEnum):
    """The state of an incident."""

    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    DROPPED = "dropped"


FIRING = State.FIRING
"""For what is asked of every open incident in every cycle, as `BREACH`."""


class Ended(StrEnum):
    """Why an incident ended. Only `recovered` is good news."""

    RECOVERED = "recovered"
    FORGOTTEN = "forgotten"
    NOT_COVERED = "not covered"
    RULE_REMOVED = "rule removed"
    RULE_CHANGED = "rule changed"
    TARGET_REMOVED = "target removed"
    CLOSED = "closed by hand"
    RECEIVER_REMOVED = "receiver removed"
    """Only for one receiver, which will not be notified any more. It appears in messages, never on a stored incident."""


OPEN = frozenset({State.PENDING, State.FIRING, State.RECOVERING})

MOVES: Mapping[tuple[State, Verdict], State] = {
    (State.PENDING, Verdict.BREACH): State.PENDING,
    (State.PENDING, Verdict.CLEAR): State.DROPPED,
    (State.FIRING, Verdict.BREACH): State.FIRING,
    (State.FIRING, Verdict.CLEAR): State.RECOVERING,
    (State.RECOVERING, Verdict.BREACH): State.FIRING,
    (State.RECOVERING, Verdict.CLEAR): State.RECOVERING,
}
"""Pairs that are not listed (unknown and none, in any state) cause no transition."""


class Transition(Struct, frozen=True, gc=False):
    """One transition of an incident, with its reason, at `at` (epoch seconds). An escalation keeps the state."""

    incident: str
    at: float
    before: str
    after: str
    reason: str


class Incident(Struct, frozen=True, gc=False):
    """A breach with an identity and a life. Times are epoch seconds; `held_s` and `quiet_s` are watched seconds."""

    id: str
    fingerprint: str
    rule: str
    identity: str
    target: str
    key: Mapping[str, str]
    state: State
    severity: Severity
    started_at: float
    fired_at: float | None = None
    resolved_at: float | None = None
    ended: Ended | None = None
    held_s: float = 0.0
    quiet_s: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Cell] = field(default_factory=dict)
    """Values at the last breach."""
    seen_at: float = 0.0
    """When its row was last present."""
    summary: str = ""
    description: str = ""
    runbook: str = ""
    link: str = ""
    """The Flower page that shows it; empty if there is none."""
    inhibits: tuple[str, ...] = ()
    verdict: str = ""
    """The last verdict on it while it was open: `breach`, `clear`, `unknown`, `none` (its rule had none), or empty (never stored).

    Only what is not breaching may be closed by hand.
    """
    flapping: bool = False
    """Whether it is the third or later firing of its fingerprint within a short time (`flapping`)."""
    fires: int = 0
    """How often it began to fire; if it is flapping, together with the earlier incidents that count."""
    first_fire_at: float | None = None
    last_fire_at: float | None = None
    """The first and the last of these."""
    trial: bool = False
    """Whether its rule or target is on trial: judged and kept, and nobody is notified."""
    deploy: bool = False
    """Whether deploys of its target are a reason to be quiet about it."""
    closed_by: str = ""
    """Who closed it by hand."""
    closed_because: str = ""
    """The reason that they gave."""
    server: str = ""
    """Identifies the Redis or Flower that it is about, which other targets may name, too; empty: it is about its target alone."""

    severe_since: Mapping[str, float] = field(default_factory=dict)
    """Severity -> when it became that severe, the mildest first; empty: it never got worse."""
    held_back: bool = False
    """Whether, ever since it fired, there has been a reason to tell nobody of it. Noted only where some route has `after`."""
    let_go_at: float = 0.0
    """When there was none any more; 0: never, or there was none when it fired."""
    remedy: str = ""
    """What was done about it by itself, whether it helped, and what the next attempt waits for; empty: its rule has no remedy."""
    remedy_news_at: float | None = None
    """When an attempt was last found not to have helped (epoch seconds): who was notified before is told."""

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN

    @property
    def breaching(self) -> bool:
        """Whether it was in breach at the last verdict, as far as is known: without a stored verdict, its state says so."""
        return self.open and (self.verdict == Verdict.BREACH or (not self.verdict and self.state is not State.RECOVERING))


def begin(
    finding: Finding, target: str, now: float, texts: Texts = NO_TEXTS, link: str = "", *, trial: bool = False
) -> tuple[Incident, Transition]:
    """Begin an incident for a breach that has none, with its rendered `texts` and its `link`. `trial`: whether it is on trial.

    The poll that begins it adds no watched time.
    """
    rule = finding.rule
    key = dict(zip(rule.key, finding.key, strict=True))
    print_ = fingerprint(rule.name, target, key)
    incident = Incident(
        id=incident_id(print_, now),
        fingerprint=print_,
        rule=rule.name,
        identity=rule.identity,
        target=target,
        key=key,
        state=State.PENDING,
        severity=finding.severity,
        started_at=now,
        labels=dict(rule.labels),
        values=dict(finding.values),
        seen_at=now,
        summary=texts.summary,
        description=texts.description,
        runbook=texts.runbook,
        link=link,
        inhibits=rule.inhibits,
        verdict=finding.verdict.value,
        deploy=rule.deploy,
        trial=trial,
    )
    return incident, Transition(incident.id, now, "", State.PENDING, "breach")


def step(
    incident: Incident,
    finding: Finding,
    watched_s: float,
    now: float,
    flapping: Flapping = NEVER_FLAPPING,
    earlier: Sequence[float] = (),
) -> tuple[Incident, list[Transition]]:
    """Apply one verdict to one open incident, until nothing changes. `earlier`: when incidents of its fingerprint fired before."""
    if finding.verdict is BREACH and incident.state is FIRING and finding.severity.rank <= incident.severity.rank:
        return incident, []  # no clock runs while an incident fires and does not get worse
    if finding.verdict is Verdict.NOT_COVERED:
        return end(incident, Ended.NOT_COVERED, now)
    after = MOVES.get((incident.state, finding.verdict))
    if after is None:
        return incident, []
    moved = _entered(incident, after, now)
    if after is incident.state:
        moved = _count(moved, finding.verdict, watched_s)
    transitions = _transition(incident, moved, now, finding.verdict.value)
    if finding.verdict is Verdict.BREACH and finding.severity.rank > moved.severity.rank:
        reason = f"escalated from {moved.severity} to {finding.severity}"
        since = moved.severe_since or {moved.severity.value: moved.started_at}
        moved = replace(moved, severity=finding.severity, severe_since={**since, finding.severity.value: now})
        transitions.append(Transition(moved.id, now, moved.state, moved.state, reason))
    return _by_time(moved, finding, now, transitions, flapping, earlier)


def end(incident: Incident, why: Ended, now: float) -> tuple[Incident, list[Transition]]:
    """End an incident for a reason that is not a verdict. An incident that never fired is dropped."""
    state = State.DROPPED if incident.fired_at is None else State.RESOLVED
    ended = replace(incident, state=state, ended=why, resolved_at=now)
    return ended, _transition(incident, ended, now, why.value)


def close(incident: Incident, by: str, because: str, now: float) -> tuple[Incident, list[Transition]]:
    """End an incident by hand. The reason stays with it: those who were notified of the beginning read it at the end."""
    ended, made = end(incident, Ended.CLOSED, now)
    said = f"{Ended.CLOSED.value}{f' by {by}' if by else ''}: {because}"
    return replace(ended, closed_by=by, closed_because=because), [replace(one, reason=said) for one in made]


def _count(incident: Incident, verdict: Verdict, watched_s: float) -> Incident:
    if not watched_s:
        return incident
    if incident.state is State.PENDING and verdict is Verdict.BREACH:
        return replace(incident, held_s=incident.held_s + watched_s)
    if incident.state is State.RECOVERING and verdict is Verdict.CLEAR:
        return replace(incident, quiet_s=incident.quiet_s + watched_s)
    return incident


def _by_time(
    incident: Incident, finding: Finding, now: float, so_far: list[Transition], flapping: Flapping, earlier: Sequence[float]
) -> tuple[Incident, list[Transition]]:
    rule = finding.rule
    if incident.state is State.PENDING and finding.verdict is Verdict.BREACH and incident.held_s >= rule.for_s:
        fired = _flapping(_entered(incident, State.FIRING, now), flapping.counted(rule, earlier, now))
        often = f"; flapping, firing {fired.fires} of its kind" if fired.flapping else ""
        return fired, so_far + _transition(incident, fired, now, f"breach held {round(incident.held_s, 1):g}s{often}")
    quiet_s = flapping.quiet_needed_s(rule, flapping=incident.flapping)
    if incident.state is State.RECOVERING and finding.verdict is Verdict.CLEAR and incident.quiet_s >= quiet_s:
        over, moved = end(incident, Ended.RECOVERED, now)
        since = max(now - incident.quiet_s, incident.fired_at or incident.started_at)
        return replace(over, resolved_at=since), so_far + moved  # it ended when the quiet time began; the rest only confirmed it
    return incident, so_far


def _flapping(fired: Incident, earlier: Sequence[float]) -> Incident:
    """Return what just fired, as flapping together with these earlier firings; unchanged if there are none."""
    return replace(fired, flapping=True, fires=len(earlier) + 1, first_fire_at=min(earlier)) if earlier else fired


def _entered(incident: Incident, state: State, now: float) -> Incident:
    """Return the incident as it enters a state, or unchanged if it is already in that state."""
    if state is incident.state:
        return incident
    if state is State.FIRING:
        first = now if incident.first_fire_at is None else incident.first_fire_at
        fired_at = incident.fired_at or now
        return replace(
            incident, state=state, fired_at=fired_at, quiet_s=0.0, fires=incident.fires + 1, first_fire_at=first, last_fire_at=now
        )
    if state is State.RECOVERING:
        return replace(incident, state=state, quiet_s=0.0)
    return replace(incident, state=state, ended=Ended.RECOVERED, resolved_at=now)


def _transition(before: Incident, after: Incident, now: float, reason: str) -> list[Transition]:
    if before.state is after.state:
        return []
    return [Transition(before.id, now, before.state, after.state, reason)]


def watched_seconds(now: float, previous: float | None, interval_s: float) -> float:
    """Return the watched time since the previous cycle: between 0 and two intervals, whatever the clock did."""
    if previous is None:
        return 0.0
    return min(max(now - previous, 0.0), 2 * interval_s)


def open_keys(incidents: Iterable[Incident]) -> Callable[[Rule], dict[Key, bool]]:
    """Return a function that maps each key for which a rule has an open incident to whether the incident fires or recovers."""
    of_rule: dict[str, list[Incident]] = {}
    for incident in incidents:
        if incident.open:
            of_rule.setdefault(incident.rule, []).append(incident)

    def of(rule: Rule) -> dict[Key, bool]:
        mine, pending = of_rule.get(rule.name, ()), State.PENDING
        return {tuple(map(one.key.__getitem__, rule.key)): one.state is not pending for one in mine if one.identity == rule.identity}

    return of
