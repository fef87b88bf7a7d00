"""What is on trial for people and machines: which messages each rule would have been, so that one sees whether it is worth enabling.

In: incidents from the database, the names of what is on trial now (epoch seconds). Out: a page, and a JSON document.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from watchdog.cli.output.page import Block, ByMedium, Entries, Entry, Grid, Ink, Line, Piece
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.payload import iso
from watchdog.core.model.severity import worst
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import counted, key_text

__all__ = ["RuleTried", "Tried", "trial_document", "trial_page", "would_have_told"]

_NAMED = 3
HEADERS = ("rule", "severity", "began", "ended", "open", "longest", "about", "last")


class RuleTried(Struct, frozen=True):
    """One rule's incidents on trial that fired: `began` and `ended` within the time looked at, or `open` now. The newest is last."""

    rule: str
    began: int
    ended: int
    open: int
    incidents: tuple[Incident, ...]

    @property
    def messages(self) -> int:
        """How many beginnings and ends it would have sent."""
        return self.began + self.ended

    def longest_s(self, now: float) -> float:
        """How long the longest of them lasts or lasted."""
        return max((one.resolved_at or now) - one.started_at for one in self.incidents)

    @property
    def about(self) -> Sequence[tuple[str, int]]:
        """(target and key, how many incidents), most first."""
        return Counter(" ".join(filter(None, [key_text(one.key), f"in {one.target}"])) for one in self.incidents).most_common()


class Tried(Struct, frozen=True):
    """What was not sent, most first; and what is on trial now."""

    told: tuple[RuleTried, ...]
    rules: tuple[str, ...]
    targets: tuple[str, ...]
    since_s: float

    @property
    def silent(self) -> tuple[str, ...]:
        """Rules on trial that would have sent nothing."""
        return tuple(rule for rule in self.rules if rule not in {one.rule for one in self.told})


def would_have_told(incidents: Iterable[Incident], since: float) -> tuple[RuleTried, ...]:
    """Return the incidents on trial by rule, the rule that would have sent most first. What never fired would have sent nothing."""
    of_rule: dict[str, list[Incident]] = {}
    for incident in incidents:
        if incident.trial and incident.fired_at is not None:
            of_rule.setdefault(incident.rule, []).append(incident)
    tried = [
        RuleTried(
            rule,
            began=sum(1 for one in mine if (one.fired_at or 0.0) >= since),
            ended=sum(1 for one in mine if one.state is State.RESOLVED),
            open=sum(1 for one in mine if one.open),
            incidents=tuple(mine),
        )
        for rule, mine in of_rule.items()
    ]
    return tuple(sorted(tried, key=lambda one: (-one.messages, one.rule)))


def trial_page(tried: Tried, database: str, now: float) -> list[Block]:
    """The page: on a terminal one entry per rule, to a pipe a table."""
    page: list[Block] = []
    if tried.told:
        piped = Grid(HEADERS, tuple(_row(one, now) for one in tried.told))
        page.append(ByMedium((piped,), (Entries(tuple(_entry(one, now) for one in tried.told)),)))
    if tried.silent:
        page.append(Line.of("On trial, and would have sent nothing: ", Ink(", ".join(tried.silent), "strong")))
    if tried.targets:
        page.append(Line.of("Targets on trial: ", Ink(", ".join(tried.targets), "strong")))
    if not page:
        page.append(
            Line.of("Nothing is on trial. `trial = true` of a rule, a target or an override: judged and kept, but nobody is notified.")
        )
    messages = sum(one.messages for one in tried.told)
    said = f"{counted(messages, 'message')} not sent in the last {format_duration(tried.since_s)}"
    return [*page, Line.of(Ink(f"{said} · database {database}", "faint"))]


def _entry(one: RuleTried, now: float) -> Entry:
    severity = worst([incident.severity for incident in one.incidents])
    fires = f", {counted(one.open, 'incident')} open now" if one.open else ""
    count = f"would have sent {counted(one.began, 'beginning')} and {counted(one.ended, 'end')}{fires}"
    lasts = f"the longest {'lasts' if one.open == len(one.incidents) else 'lasted'} {_longest(one, now)}"
    return Entry(
        (Ink(severity.value, severity.value), Ink(one.rule, "strong")),
        (count, Ink(f"{_about(one)}; {lasts}", "faint"), Ink(f"last: {one.incidents[-1].summary or one.rule}", "faint")),
    )


def _row(one: RuleTried, now: float) -> tuple[Piece, ...]:
    severity = worst([incident.severity for incident in one.incidents])
    counts = (str(one.began), str(one.ended), str(one.open))
    return one.rule, Ink(severity.value, severity.value), *counts, _longest(one, now), _about(one), one.incidents[-1].summary


def _longest(one: RuleTried, now: float) -> str:
    return format_duration(max(round(one.longest_s(now)), 0))


def _about(one: RuleTried) -> str:
    """`name=indexing in prod (4 times), and 3 others`."""
    named = [what if times == 1 else f"{what} ({times} times)" for what, times in one.about[:_NAMED]]
    others = len(one.about) - _NAMED
    return ", ".join([*named, *([counted(others, "other")] if others > 0 else [])])


def trial_document(tried: Tried, database: str, now: float) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "version": 1,
        "database": database,
        "since": iso(now - tried.since_s),
        "on_trial": {"rules": list(tried.rules), "targets": list(tried.targets)},
        "rules": [
            {
                "rule": one.rule,
                "severity": worst([incident.severity for incident in one.incidents]).value,
                "began": one.began,
                "ended": one.ended,
                "open": one.open,
                "longest_s": round(max(one.longest_s(now), 0.0)),
                "incidents": [_incident(incident) for incident in one.incidents],
            }
            for one in tried.told
        ],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "target": incident.target,
        "key": dict(incident.key),
        "state": incident.state.value,
        "ended": incident.ended.value if incident.ended else None,
        "fired_at": None if incident.fired_at is None else iso(incident.fired_at),
        "resolved_at": None if incident.resolved_at is None else iso(incident.resolved_at),
        "summary": incident.summary,
    }
