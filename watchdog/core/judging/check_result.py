"""What `watchdog check` answers: one look at every target, judged, with the exit code that follows.

Exit codes: 0 fine; 1 something at or above `fail_on` fires, rules that read `sources.up` aside, or an expectation is false;
3 otherwise, when such a rule fires, a verdict is unknown or an expectation could not be answered: could not look. (2, usage
and configuration, never gets this far.)
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from watchdog.core.judging.expectations import Answer
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.judging.links import link_of
from watchdog.core.judging.texts import texts_of
from watchdog.core.model.identity import fingerprint
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

__all__ = ["MEASURED", "CheckResult", "Firing", "Idle", "Note", "SourceSeen", "TargetChecked", "Unknown", "check_target"]

MEASURED = ("workers_online", "backlog", "unacked")
"""Columns of `cluster` whose values an answer carries along."""


class SourceSeen(Struct, frozen=True):
    """One source as it was found."""

    target: str
    source: str
    up: bool
    error: str | None
    latency_ms: float | None


class Firing(Struct, frozen=True):
    """One breach. `blind`: its rule reads `sources.up`, so that it says "could not look", not "is bad"."""

    rule: str
    target: str
    severity: Severity
    key: Mapping[str, str]
    labels: Mapping[str, str]
    values: Mapping[str, Cell]
    summary: str
    fingerprint: str
    description: str = ""
    runbook: str = ""
    link: str = ""
    """The page of Flower that shows it; empty where there is none."""
    blind: bool = False


class Unknown(Struct, frozen=True):
    """One verdict that could not be had; an empty key where a whole table could not be read."""

    rule: str
    target: str
    key: Mapping[str, str]
    reason: str


class Idle(Struct, frozen=True):
    """One rule that gives no verdict here, which is no failure."""

    rule: str
    target: str
    reason: str


class Note(Struct, frozen=True):
    """What should be known of how a table's values were had, though nothing is amiss."""

    target: str
    table: str
    note: str


class TargetChecked(Struct, frozen=True):
    """One target's part. `rules`: the names of those asked, in order."""

    sources: tuple[SourceSeen, ...] = ()
    firing: tuple[Firing, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    idle: tuple[Idle, ...] = ()
    target: str = ""
    rules: tuple[str, ...] = ()
    expected: tuple[Answer, ...] = ()
    notes: tuple[Note, ...] = ()
    measured: Mapping[str, Cell] = field(default_factory=dict)
    """`MEASURED` columns of `cluster`; a gap is None, an idle column is absent."""


class CheckResult(Struct, frozen=True):
    """The whole answer. `rules` counts the rules asked; `checked_at` is epoch seconds."""

    checked_at: float
    rules: int
    targets: tuple[TargetChecked, ...] = ()
    fail_on: Severity = Severity.WARNING
    idle_elsewhere: tuple[Idle, ...] = field(default_factory=tuple)
    """Rules that `check` never asks: those on watchdog's own tables."""

    @property
    def firing(self) -> tuple[Firing, ...]:
        """All that fires, worst first."""
        return tuple(sorted((f for t in self.targets for f in t.firing), key=lambda f: (-f.severity.rank, f.target, f.rule)))

    @property
    def failing(self) -> tuple[Firing, ...]:
        """What fires at or above `fail_on`, worst first; not those that only say "could not look"."""
        return tuple(f for f in self.firing if f.severity.at_least(self.fail_on) and not f.blind)

    @property
    def expected(self) -> tuple[Answer, ...]:
        """Every expectation, of every target."""
        return tuple(answer for t in self.targets for answer in t.expected)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """All verdicts that could not be had."""
        return tuple(u for t in self.targets for u in t.unknown)

    @property
    def idle(self) -> tuple[Idle, ...]:
        """All rules without a verdict here."""
        return tuple(i for t in self.targets for i in t.idle) + self.idle_elsewhere

    @property
    def notes(self) -> tuple[Note, ...]:
        """All that is to be said of how values were had."""
        return tuple(note for t in self.targets for note in t.notes)

    @property
    def sources(self) -> tuple[SourceSeen, ...]:
        """All sources."""
        return tuple(s for t in self.targets for s in t.sources)

    @property
    def exit_code(self) -> int:
        """0, 1 or 3."""
        if self.failing or any(answer.ok is False for answer in self.expected):
            return 1
        blind = self.unknown or any(f.blind for f in self.firing) or any(answer.ok is None for answer in self.expected)
        return 3 if blind else 0


def check_target(
    target: str,
    judgements: Iterable[Judgement],
    readings: Mapping[str, Reading],
    expected: Iterable[Answer] = (),
    app: str | None = None,
    link: str | None = None,
) -> TargetChecked:
    """One target's judgements, sorted by what they mean for the answer. One look cannot wait: `for` counts as held.

    `app`, `link`: the target's.
    """
    judgements = list(judgements)
    return TargetChecked(
        sources=_sources(target, readings),
        firing=tuple(
            _firing(target, f, app, link_of(f, link, readings)) for j in judgements for f in j.findings if f.verdict is Verdict.BREACH
        ),
        unknown=tuple(u for j in judgements for u in (*_unknown(target, j), *_missing(target, j, readings))),
        idle=tuple(Idle(j.rule.name, target, j.idle) for j in judgements if j.idle),
        target=target,
        rules=tuple(j.rule.name for j in judgements),
        expected=tuple(expected),
        notes=tuple(Note(target, name, reading.note) for name, reading in readings.items() if reading.note),
        measured=_measured(readings),
    )


def reads_sources_up(rule: Rule) -> bool:
    """Whether a rule asks if a source is up: its breach means that nobody could look."""
    return "up" in rule.reads.get("sources", frozenset())


def _firing(target: str, finding: Finding, app: str | None, link: str) -> Firing:
    rule = finding.rule
    key = dict(zip(rule.key, finding.key, strict=True))
    texts = texts_of(finding, target, finding.severity, app)
    return Firing(
        rule=rule.name,
        target=target,
        severity=finding.severity,
        key=key,
        labels=rule.labels,
        values=finding.values,
        summary=texts.summary,
        fingerprint=fingerprint(rule.name, target, key),
        description=texts.description,
        runbook=texts.runbook,
        link=link,
        blind=reads_sources_up(rule),
    )


def _unknown(target: str, judgement: Judgement) -> Sequence[Unknown]:
    rule = judgement.rule
    if judgement.unknown:
        return [Unknown(rule.name, target, {}, judgement.unknown)]
    if judgement.failed:
        return [Unknown(rule.name, target, {}, f"the rule failed: {judgement.failed}")]
    unknown = (f for f in judgement.findings if f.verdict is Verdict.UNKNOWN)
    return [Unknown(rule.name, target, dict(zip(rule.key, f.key, strict=True)), f.reason) for f in unknown]


def _missing(target: str, judgement: Judgement, readings: Mapping[str, Reading]) -> Sequence[Unknown]:
    """A rule on a table that may lack rows, for a question failed, says nothing of those: that is not fine, it is unknown."""
    reading = readings.get(judgement.rule.table or "")
    if reading is None or reading.missing is None or judgement.unknown or judgement.idle or judgement.failed:
        return ()
    return [Unknown(judgement.rule.name, target, {}, reading.missing)]


def _measured(readings: Mapping[str, Reading]) -> Mapping[str, Cell]:
    rows = readings["cluster"].rows if "cluster" in readings else ()
    return {name: row.cells[name] for row in rows for name in MEASURED if name in row.cells}


def _sources(target: str, readings: Mapping[str, Reading]) -> tuple[SourceSeen, ...]:
    rows = readings["sources"].rows if "sources" in readings else ()
    return tuple(
        SourceSeen(
            target,
            str(row.cells["name"]),
            row.cells["up"] is True,
            str(row.cells["error"]) or None,
            latency if isinstance(latency := row.cells.get("latency_ms"), float) else None,
        )
        for row in rows
    )
