"""Makes a report of some hours from the database of a daemon: for `watchdog report`, and for digests.

In: an open store, the settings and rules in force, the time. Out: a `Report`; its lists are as long as people read them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from watchdog.config.rulebook import RuleBook, rules_for
from watchdog.config.settings import Settings, to_target
from watchdog.core.history.series import Slice
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.quiet.matchers import labels_of, match
from watchdog.core.incidents.quiet.silences import Silence, is_announcement
from watchdog.core.judging.blindness import BLIND
from watchdog.core.judging.idleness import idle_by_configuration
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF, Target
from watchdog.core.report.figures import LOOKED_AT, REPORTED, Gathered, gather, target_report
from watchdog.core.report.report import Act, BurnedIncident, Report, Span, TargetReport, ToldRule
from watchdog.core.report.rules import LoadedRule, RuleOnTarget, TargetSeen, quiet_rules
from watchdog.core.report.spans import clipped, covered, seconds_of
from watchdog.store.looks.history import BUCKET_S
from watchdog.tables import TABLES
from watchdog.tables.history.kept import KEPT

if TYPE_CHECKING:
    from watchdog.store import Store
    from watchdog.store.reads.incident_history import Life

__all__ = ["report_of"]

LEAST_GAP_S = 120.0
"""The shortest time without a look that is a gap."""
INTERVALS_APART = 3.0
"""With long intervals, so many of them are no gap yet."""
HOURS_READ_S = 6 * 3600.0
"""How much of history is read at once: whole buckets."""
LEAST_S = 0.001
"""A look at the very end of what is read at once belongs to the next part."""
MOST_INCIDENTS = 20
MOST_RULES = 5


def report_of(
    store: "Store", settings: Settings, book: RuleBook, window: Span, zone: tzinfo | None = None, names: Sequence[str] = ()
) -> Report:
    """Return the report of a time. `zone`: of the clock that it shows, by default that of this machine; `names`: these targets alone."""
    targets = [target for one in settings.target if not names or one.name in names for target in (to_target(settings, one),)]
    of_targets = {target.name for target in targets} if names else None
    lives = [life for life in store.lives(window.since) if of_targets is None or life.incident.target in of_targets]
    incidents = _burned(lives, store.silences(), window)
    told = _told(store.told_by_rule(window.since, window.until, of_targets))
    seen, reported = dict[str, TargetSeen](), list[TargetReport]()
    for target in targets:
        gathered = gather(_slices(store, target.name, window), KEPT, window)
        least_gap_s = max(LEAST_GAP_S, INTERVALS_APART * target.interval_s)
        reported.append(target_report(target.name, gathered, least_gap_s))
        seen[target.name] = _seen(gathered, least_gap_s, _blind(lives, book, target.name, window))
    loaded = _loaded(book, targets if names else [*targets, Target(SELF)])
    quiet = quiet_rules(loaded, told, _by_rule(incidents), seen, window)
    wall = datetime.fromtimestamp(window.until, UTC).astimezone(zone)
    offset = wall.utcoffset()
    return Report(
        window.since,
        window.until,
        tuple(reported),
        tuple(incidents[:MOST_INCIDENTS]),
        len(incidents),
        sum(one.burning for one in incidents),
        sum(not one.acts and not one.trial for one in incidents),
        tuple(told[:MOST_RULES]),
        len(told),
        quiet,
        len(quiet),
        len(loaded),
        settings.history,
        wall.tzname() or "UTC",
        0.0 if offset is None else offset.total_seconds(),
    )


def _burned(lives: "Iterable[Life]", silences: Sequence[Silence], window: Span) -> list[BurnedIncident]:
    """The incidents that fired within the time, the worst first. Those that report a silence are left out: they say who acted."""
    found = [
        _incident(life, spans, silences, window)
        for life in lives
        if not is_announcement(life.incident) and (spans := _firing(life, window)) and clipped(spans, window)
    ]
    return sorted(found, key=lambda one: (not one.burning, -Severity(one.severity).rank, -one.burned_s, one.id))


def _firing(life: "Life", window: Span) -> list[Span]:
    """When it fired, up to the end of the time."""
    begins = [(move.at, move.after == State.FIRING) for move in life.transitions if move.at < window.until]
    ends = [*(at for at, _ in begins[1:]), window.until]
    return covered(Span(at, until) for (at, fires), until in zip(begins, ends, strict=False) if fires)


def _incident(life: "Life", spans: Sequence[Span], silences: Sequence[Silence], window: Span) -> BurnedIncident:
    incident = life.incident
    ended = incident.resolved_at is not None and incident.resolved_at < window.until
    return BurnedIncident(
        incident.id,
        incident.rule,
        incident.target,
        incident.severity.value,
        incident.key,
        incident.summary,
        spans[0].since,
        seconds_of(spans),
        burning=spans[-1].until >= window.until,
        ended_at=incident.resolved_at if ended else None,
        ended=incident.ended.value if ended and incident.ended is not None else "",
        acts=tuple(sorted(_acts(life, spans, silences, window), key=lambda act: act.at)),
        trial=incident.trial,
    )


def _acts(life: "Life", spans: Sequence[Span], silences: Sequence[Silence], window: Span) -> Iterable[Act]:
    incident = life.incident
    for given in life.acknowledgements:
        if given.at < window.until:
            yield Act("acknowledged", given.at, given.author, given.comment)
    for silence in silences:
        if clipped(spans, Span(silence.starts_at, silence.ends_at)) and match(silence.matchers, labels_of(incident)):
            yield Act("silenced", max(silence.starts_at, spans[0].since), silence.author, silence.comment)
    if incident.ended is Ended.CLOSED and incident.resolved_at is not None and incident.resolved_at < window.until:
        yield Act("closed", incident.resolved_at, incident.closed_by, incident.closed_because)


def _told(counts: Mapping[str, tuple[int, int]]) -> list[ToldRule]:
    found = [ToldRule(rule, notifications, incidents) for rule, (notifications, incidents) in counts.items()]
    return sorted(found, key=lambda one: (-one.notifications, one.rule))


def _by_rule(incidents: Iterable[BurnedIncident]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in incidents:
        counts[one.rule] = counts.get(one.rule, 0) + 1
    return counts


def _slices(store: "Store", target: str, window: Span) -> Iterator[Slice]:
    """The history of a time, a few hours in memory at once."""
    begin = window.since - BUCKET_S
    while begin < window.until:
        end = (begin // HOURS_READ_S + 1) * HOURS_READ_S
        yield from store.history(target, begin, end - LEAST_S if end < window.until else window.until, REPORTED)
        begin = end


def _seen(gathered: Gathered, least_gap_s: float, blind: Mapping[str, tuple[Span, ...]]) -> TargetSeen:
    read = {table: tuple(gathered.seen(least_gap_s, (table,))) for table in LOOKED_AT}
    return TargetSeen(tuple(gathered.seen(least_gap_s)), read, blind, least_gap_s)


def _blind(lives: "Iterable[Life]", book: RuleBook, target: str, window: Span) -> dict[str, tuple[Span, ...]]:
    """Rule -> when it had lost its verdicts, as the incidents of rules on the table `blind` tell."""
    telling = {rule.name for rule in book.rules if rule.table == BLIND}
    found: dict[str, list[Span]] = {}
    for life in lives:
        incident = life.incident
        if incident.rule in telling and incident.target == target:
            [*lost] = clipped([Span(incident.started_at, _until(incident, window))], window)
            for rule in str(incident.values.get("rules", "")).split(", "):
                found.setdefault(rule, []).extend(lost)
    return {rule: tuple(spans) for rule, spans in found.items()}


def _until(incident: Incident, window: Span) -> float:
    return window.until if incident.resolved_at is None else incident.resolved_at


def _loaded(book: RuleBook, targets: Sequence[Target]) -> list[LoadedRule]:
    """Every rule that applies to one of the targets, and where it does."""
    places: dict[str, list[RuleOnTarget]] = {}
    trials: dict[str, list[bool]] = {}
    for target in targets:
        rules = [tuned.rule for tuned in rules_for(book, target.name, TABLES)]
        idle = idle_by_configuration(TABLES, target, rules)
        for rule in rules:
            tables = frozenset(rule.reads) | ({rule.table} if rule.table else frozenset())
            places.setdefault(rule.name, []).append(RuleOnTarget(target.name, tables, idle.get(rule.name, "")))
            trials.setdefault(rule.name, []).append(rule.trial or target.trial)
    return [LoadedRule(name, tuple(on), trial=all(trials[name])) for name, on in places.items()]
