"""Lasting blindness: what rules could judge before and cannot judge now, grouped by cause.

Input: the blindness so far, this cycle's judgements, the current time. Output: the blindness now. What had no verdict from the first poll
on is not blindness: it was never covered. Reasons that differ only in their numbers, or in the worker they begin with, are one cause. A row
stays under the cause it went blind of even if its reason changes: a broker that is gone first appears as silence, then as a query without
an answer.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, Seen
from watchdog.core.model.rows import Reading

__all__ = ["BLIND", "Blindness", "Cause", "blindness_after", "with_blindness"]

BLIND = "blind"
"""The table that shows blindness. Unknown verdicts of rules on this table itself are not causes."""
MOST_ROWS = 5000
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WORKER = re.compile(r"[^\s:]+@[^\s:]+: ")


class Cause(Struct, frozen=True):
    """One reason, the rules it keeps from judging, the number of hidden rows, and since when (epoch seconds)."""

    reason: str
    rules: tuple[str, ...]
    hidden: int
    since: float


class Blindness(Struct, frozen=True):
    """The memory of the `blind` table, by rule and key.

    `since`: when the verdict was lost; None: there never was one. `of`: the cause.
    """

    since: Mapping[str, float | None] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    causes: Mapping[str, Cause] = field(default_factory=dict)
    looked: bool = False


def blindness_after(known: Blindness, judgements: Iterable[Judgement], now: float, down: Iterable[str] = ()) -> Blindness:
    """Return the blindness after a cycle. What is hidden by a source that is `down` is left out: that source has its own rule."""
    told = tuple(f"{name}:" for name in down)
    hidden = (entry for entry in _unknown(judgements) if not (told and entry[1][1].startswith(told)))
    unknown = dict(islice(hidden, MOST_ROWS))
    since = {row: known.since.get(row, now if known.looked else None) for row in unknown}
    of: dict[str, str] = {}
    causes: dict[str, Cause] = {}
    for row, (rule, reason) in unknown.items():
        lost_at = since[row]
        if lost_at is None:
            continue
        cause = of[row] = known.of.get(row) or _NUMBER.sub("#", _of_any_worker(reason))
        before = causes.get(cause, Cause(reason, (), 0, lost_at))
        rules = before.rules if rule in before.rules else (*before.rules, rule)
        same = before.reason == reason or _of_any_worker(reason) != _of_any_worker(before.reason)
        shown = before.reason if same else _of_any_worker(reason)
        causes[cause] = Cause(shown, rules, before.hidden + 1, min(before.since, lost_at))
    return Blindness(since, of, causes, looked=True)


def with_blindness(seen: Seen, past: Past, judgements: Iterable[Judgement], now: float) -> Seen:
    """Return what was seen, with what its judgements leave unknown, so that the next cycle can report it."""
    known = past.memories.get(BLIND)
    sources = seen.windows[DEFAULT_WINDOW_S].get("sources", Reading()).rows
    down = [str(row.cells["name"]) for row in sources if row.cells.get("up") is False]
    blindness = blindness_after(known if isinstance(known, Blindness) else Blindness(), judgements, now, down)
    return replace(seen, memories={**seen.memories, BLIND: blindness})


def _of_any_worker(reason: str) -> str:
    """Remove the worker name that the reason begins with."""
    named = _WORKER.match(reason)
    return reason[named.end() :] if named else reason


def _unknown(judgements: Iterable[Judgement]) -> Iterable[tuple[str, tuple[str, str]]]:
    """Yield rule and key -> (rule, reason) of everything without a verdict, rules on trial aside: nobody relies on these."""
    for judgement in judgements:
        name = judgement.rule.name
        if judgement.rule.table == BLIND:
            continue
        if judgement.unknown is not None and not judgement.rule.trial:
            yield name, (name, judgement.unknown)
        for finding in judgement.findings:
            if finding.verdict is Verdict.UNKNOWN and not finding.rule.trial:
                yield "\x1f".join((name, *finding.key)), (name, finding.reason)
