"""The result of `watchdog check`: one poll of every target, judged, with its exit code.

Exit codes: 0: fine. 1: something at or above `fail_on` fires (rules that read `sources.up` excluded), or an expectation is false. 3 ("could
not look"): otherwise, if such a rule fires, a verdict is unknown, or an expectation could not be answered. (2, usage and configuration, is
decided before.) What is on trial is part of the result, and decides nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

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
"""Columns of `cluster` whose values are part of the result."""


class SourceSeen(Struct, frozen=True):
    """The state of one source."""

    target: str
    source: str
    up: bool
    error: str | None
    latency_ms: float | None


class Firing(Struct, frozen=True):
    """One breach. `blind`: its rule reads `sources.up`, so it means "could not look", not "is bad"."""

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
    """The Flower page that shows it; empty if there is none."""
    blind: bool = False
    trial: bool = False
    """Its rule or target is on trial: it decides nothing."""


class Unknown(Struct, frozen=True):
    """One unknown verdict. The key is empty if a whole table could not be read."""

    rule: str
    target: str
    key: Mapping[str, str]
    reason: str
    trial: bool = False


class Idle(Struct, frozen=True):
    """One rule that gives no verdict here, which is not a failure."""

    rule: str
    target: str
    reason: str


class Note(Struct, frozen=True):
    """A remark on how a table's values were obtained. It reports no problem."""

    target: str
    table: str
    note: str


class TargetChecked(Struct, frozen=True):
    """The result of one target. `rules`: the names of the rules applied, in order."""

    sources: tuple[SourceSeen, ...] = ()
    firing: tuple[Firing, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    idle: tuple[Idle, ...] = ()
    target: str = ""
    rules: tuple[str, ...] = ()
    expected: tuple[Answer, ...] = ()
    notes: tuple[Note, ...] = ()
    measured: Mapping[str, Cell] = field(default_factory=dict)
    """`MEASURED` columns of `cluster`. A gap is None, an idle column is absent."""


class CheckResult(Struct, frozen=True):
    """The whole result. `rules` counts the rules applied; `checked_at` is epoch seconds."""

    checked_at: float
    rules: int
    targets: tuple[TargetChecked, ...] = ()
    fail_on: Severity = Severity.WARNING
    idle_elsewhere: tuple[Idle, ...] = field(default_factory=tuple)
    """Rules that `check` never applies: those on watchdog's own tables."""

    @property
    def firing(self) -> tuple[Firing, ...]:
        """All breaches, worst first; those on trial last."""
        return tuple(sorted((f for t in self.targets for f in t.firing), key=lambda f: (f.trial, -f.severity.rank, f.target, f.rule)))

    @property
    def failing(self) -> tuple[Firing, ...]:
        """Breaches at or above `fail_on`, worst first, without those that only mean "could not look" or are on trial."""
        return tuple(f for f in self.firing if f.severity.at_least(self.fail_on) and not f.blind and not f.trial)

    @property
    def expected(self) -> tuple[Answer, ...]:
        """Answers to every expectation, of every target."""
        return tuple(answer for t in self.targets for answer in t.expected)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """All unknown verdicts; those on trial last."""
        return tuple(sorted((u for t in self.targets for u in t.unknown), key=lambda u: u.trial))

    @property
    def idle(self) -> tuple[Idle, ...]:
        """All rules without a verdict here."""
        return tuple(i for t in self.targets for i in t.idle) + self.idle_elsewhere

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes."""
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
        unknown = any(not u.trial for u in self.unknown) or any(answer.ok is None for answer in self.expected)
        return 3 if unknown or any(f.blind and not f.trial for f in self.firing) else 0


def check_target(
    target: str,
    judgements: Iterable[Judgement],
    readings: Mapping[str, Reading],
    expected: Iterable[Answer] = (),
    app: str | None = None,
    link: str | None = None,
    *,
    trial: bool = False,
) -> TargetChecked:
    """Sort one target's judgements by what they mean for the result. A single poll cannot wait, so `for` counts as held.

    `app`, `link`, `trial`: those of the target.
    """
    judgements = list(judgements)
    return TargetChecked(
        sources=_sources(target, readings),
        firing=tuple(
            _firing(target, f, app, link_of(f, link, readings), on_trial=trial)
            for j in judgements
            for f in j.findings
            if f.verdict is Verdict.BREACH
        ),
        unknown=tuple(
            replace(u, trial=u.trial or trial) for j in judgements for u in (*_unknown(target, j), *_missing(target, j, readings))
        ),
        idle=tuple(Idle(j.rule.name, target, j.idle) for j in judgements if j.idle),
        target=target,
        rules=tuple(j.rule.name for j in judgements),
        expected=tuple(expected),
        notes=tuple(Note(target, name, reading.note) for name, reading in readings.items() if reading.note),
        measured=_measured(readings),
    )


def reads_sources_up(rule: Rule) -> bool:
    """Whether a rule reads `sources.up`: its breach then means that nobody could look."""
    return "up" in rule.reads.get("sources", frozenset())


def _firing(target: str, finding: Finding, app: str | None, link: str, *, on_trial: bool) -> Firing:
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
        trial=on_trial or rule.trial,
    )


def _unknown(target: str, judgement: Judgement) -> Sequence[Unknown]:
    rule = judgement.rule
    if judgement.unknown:
        return [Unknown(rule.name, target, {}, judgement.unknown, rule.trial)]
    if judgement.failed:
        return [Unknown(rule.name, target, {}, f"the rule failed: {judgement.failed}", rule.trial)]
    unknown = (f for f in judgement.findings if f.verdict is Verdict.UNKNOWN)
    return [Unknown(rule.name, target, dict(zip(rule.key, f.key, strict=True)), f.reason, f.rule.trial) for f in unknown]


def _missing(target: str, judgement: Judgement, readings: Mapping[str, Reading]) -> Sequence[Unknown]:
    """Return an unknown verdict for a table that may lack rows because a query failed: its missing rows are unknown, not fine."""
    reading = readings.get(judgement.rule.table or "")
    if reading is None or reading.missing is None or judgement.unknown or judgement.idle or judgement.failed:
        return ()
    return [Unknown(judgement.rule.name, target, {}, reading.missing, judgement.rule.trial)]


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
