"""What `watchdog doctor` found, for people: each finding with why it matters and what mends it, then the alerts that are blind, and why.

In: a `CheckResult`, the names of the rules that are the doctor's own. Out: a page. Findings of one rule that differ only in their row are
one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from watchdog.cli.output.page import Block, Entries, Entry, Ink, Line, Piece
from watchdog.core.incidents.payload import iso
from watchdog.core.judging.check_result import CheckResult, Firing
from watchdog.core.model.target import HEARD_LATER
from watchdog.core.text.sanitize import first_line
from watchdog.core.text.wording import counted, key_text

__all__ = ["doctor_page"]

LISTED = 3
"""Most rows that are named of one finding."""
BY_THE_DAEMON = "Blind"
"""The rule about what could be judged before, which only `watchdog run` knows. What cannot be judged now is listed anyway."""

Reasons = dict[tuple[str, str], list[str]]
"""(why, target) -> the rules that have no verdict for that reason."""


def doctor_page(result: CheckResult, own: Collection[str], footer: str, heard: Mapping[str, str] = MappingProxyType({})) -> list[Block]:
    """The page; `footer` names the configuration; `heard`: target -> what the daemon hears of it by events."""
    found = _grouped(result.firing)
    unjudged = _without_verdict(result, lambda rule: rule not in own and rule != BY_THE_DAEMON)
    blind = {why: rules for why, rules in unjudged.items() if why[0] != HEARD_LATER}
    page: list[Block] = [Line.of(_headline(result, found, blind))]
    if found:
        page += [Line(), Entries(tuple(map(_entry, found)))]
    page += _reasons("These alerts are blind here:", blind)
    page += _heard(heard)
    page += _reasons("Judged by the daemon alone:", {why: rules for why, rules in unjudged.items() if why not in blind})
    page += _reasons("Not examined:", _without_verdict(result, lambda rule: rule in own))
    return [*page, Line(), Line.of(Ink(f"{iso(result.checked_at)} · {footer}", "faint"))]


def _heard(heard: Mapping[str, str]) -> Iterator[Block]:
    if heard:
        yield Line()
        yield Line.of("Events that the daemon hears, beside what was looked at here:")
    for target, what in heard.items():
        yield Line.of(Ink(target, "strong"), f": {what}", indent=2)


def _grouped(firing: Sequence[Firing]) -> list[list[Firing]]:
    """Findings of the same rule on the same target with the same steps to take."""
    groups: dict[tuple[str, ...], list[Firing]] = {}
    for one in firing:
        groups.setdefault((one.rule, one.target, one.severity.value, one.description), []).append(one)
    return list(groups.values())


def _headline(result: CheckResult, found: Sequence[Sequence[Firing]], blind: Reasons) -> Ink:
    mend = sum(1 for group in found if group[0].severity.at_least(result.fail_on) and not group[0].trial)
    hidden = {(rule, target) for (_, target), rules in blind.items() for rule in rules}
    parts = [f"{mend} to mend"] if mend else []
    parts += [f"{len(found) - mend} to know"] if len(found) > mend else []
    parts += [f"{counted(len(hidden), 'alert')} blind"] if hidden else []
    parts += [counted(result.rules, "rule"), counted(len(result.targets), "target")]
    if found:
        return Ink(f"FOUND: {', '.join(parts)}", "bad" if mend else "odd")
    return Ink(f"{'COULD NOT LOOK' if result.exit_code else 'HEALTHY'}: {', '.join(parts)}", "odd" if result.exit_code else "good")


def _entry(group: Sequence[Firing]) -> Entry:
    first = group[0]
    more = [key_text(one.key) for one in group[1:] if one.key]
    named = ", ".join(more[: LISTED - 1]) + (f" and {len(more) - LISTED + 1} more" if len(more) >= LISTED else "")
    head: tuple[Piece, ...] = (Ink(first.severity.value, first.severity.value), Ink(first.rule, "strong"), first.target)
    lines: list[Piece] = [first.summary]
    lines += [f"the same: {named}"] if named else []
    lines += [Ink(line, "faint") for line in first.description.splitlines() if line.strip()]
    lines += [f"→ {line}" for line in first.runbook.splitlines() if line.strip()]
    return Entry(head, tuple(lines))


def _without_verdict(result: CheckResult, named: Callable[[str], bool]) -> Reasons:
    """Why the rules whose name is `named` have no verdict."""
    found: Reasons = {}
    for unknown in result.unknown:
        _add(found, unknown.reason, unknown.target, unknown.rule, named)
    for idle in (idle for checked in result.targets for idle in checked.idle):
        column, _, why = idle.reason.partition(": ")
        _add(found, why if column.isidentifier() and why else idle.reason, idle.target, idle.rule, named)
    return found


def _add(found: Reasons, reason: str, target: str, rule: str, named: Callable[[str], bool]) -> None:
    if named(rule):
        rules = found.setdefault((reason, target), [])
        rules += [] if rule in rules else [rule]


def _reasons(title: str, found: Reasons) -> Iterator[Block]:
    """Each reason once, with the rules."""
    if found:
        yield Line()
        yield Line.of(title)
    for (reason, target), rules in found.items():
        yield Line.of(Ink(target, "strong"), ": ", Ink(first_line(reason), "odd"), indent=2)
        yield Line.of(", ".join(rules), indent=6)
