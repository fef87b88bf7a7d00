"""Rules for people: the list, and one rule with all its values.

In: rules as tuned. Out: pages.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from watchdog.cli.output.page import Block, ByMedium, Grid, Ink, Line, Piece, text_of
from watchdog.core.rules.rule import Override, Rule
from watchdog.core.text.durations import format_duration
from watchdog.core.text.phrasing import format_value
from watchdog.core.text.sanitize import first_line
from watchdog.core.text.wording import counted

__all__ = ["Listed", "rule_page", "rules_page"]

HEADERS = ("rule", "severity", "from", "for", "targets")
_LABEL_WIDTH = 17


class Listed(Struct, frozen=True):
    """One rule of the list; `idle`: target -> why it gives no verdict there."""

    rule: Rule
    idle: Mapping[str, str]


def rules_page(listed: Sequence[Listed], footer: str) -> list[Block]:
    """The list. On a terminal idle rules are listed below the table, grouped by reason."""
    page: list[Block] = []
    if listed:
        piped = Grid((*HEADERS, "trial", "idle"), tuple((*_row(one.rule), _trial(one.rule), _idle(one.idle)) for one in listed))
        rows = tuple(_faint(_marked(one.rule)) if one.idle else _marked(one.rule) for one in listed)
        page.append(ByMedium((piped,), (Grid(HEADERS, rows), *_idle_below(listed))))
    idle = sum(1 for one in listed if one.idle)
    return [*page, Line.of(Ink(f"{counted(len(listed), 'rule')}, {idle} idle · {footer}", "faint"))]


def _trial(rule: Rule) -> str:
    return "on trial" if rule.trial else ""


def _marked(rule: Rule) -> tuple[Piece, ...]:
    """Its row for people, in which a rule on trial is marked."""
    name, *others = _row(rule)
    return f"{text_of(name)} (on trial)" if rule.trial else name, *others


def _faint(row: tuple[Piece, ...]) -> tuple[Piece, ...]:
    return tuple(Ink(text_of(piece), "faint") for piece in row)


def _idle_below(listed: Sequence[Listed]) -> Iterator[Line]:
    rules: dict[str, list[str]] = {}
    for one in listed:
        if one.idle:
            rules.setdefault(_idle(one.idle), []).append(one.rule.name)
    if rules:
        yield Line.of("Idle (no verdict here, which is no failure):")
    for why, names in rules.items():
        yield Line.of(Ink(", ".join(names), "strong"), f": {why}", indent=2)


def _row(rule: Rule) -> tuple[Piece, ...]:
    severity = Ink(rule.severity.value, rule.severity.value)
    place = rule.table or " + ".join(sorted(rule.reads))
    return rule.name, severity, place, format_duration(rule.for_s), ", ".join(rule.targets)


def _idle(reasons: Mapping[str, str]) -> str:
    """Each reason once, with the targets that it applies to."""
    targets: dict[str, list[str]] = {}
    for target, why in reasons.items():
        targets.setdefault(why, []).append(target)
    return "; ".join(why if names in ([""], ["*"]) else f"{', '.join(names)}: {why}" for why, names in targets.items())


def rule_page(rule: Rule, targets: Sequence[str], overrides: Sequence[Override], *, differs_by_key: bool) -> list[Block]:
    """One rule as it applies to these targets."""
    where = f"{rule.file}:{rule.line}" if rule.file else ""
    page: list[Block] = [Line.of(Ink(rule.name, "strong"), "  ", Ink(rule.severity.value, rule.severity.value), "  ", Ink(where, "faint"))]
    page += [_labelled(label, value) for label, value in _values(rule, targets) if value]
    page += [_labelled(f"override {n}", _override(o)) for n, o in enumerate(overrides, 1)]
    if differs_by_key:
        page.append(Line.of(Ink("Some keys have other values; see them with --key COLUMN=VALUE", "odd"), indent=2))
    for label, text in (("description", rule.description), ("runbook", rule.runbook)):
        page += _text(label, text)
    return [*page, Line()]


def _values(rule: Rule, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "holds for", ", ".join("any target" if name == "*" else name for name in targets)
    yield "enabled", "" if rule.enabled else "no: switched off by an override"
    yield "trial", "yes: judged and kept, and nobody is notified; see `watchdog rules trial`" if rule.trial else ""
    yield "from", rule.table or ""
    yield "query", " ".join((rule.query or "").split())
    yield "key", ", ".join(rule.key)
    yield "where", rule.where or ""
    yield "when", rule.when or ""
    yield "clear", rule.clear or ""
    for escalation in rule.escalate:
        yield "escalate", f"{escalation.severity.value} when {escalation.when}"
    yield "params", ", ".join(f"{name} = {format_value(value)}" for name, value in rule.params.items())
    yield "for", format_duration(rule.for_s)
    yield "keep_firing_for", format_duration(rule.keep_firing_for_s)
    yield "window", format_duration(rule.window_s)
    yield "labels", ", ".join(f"{name} = {value}" for name, value in rule.labels.items())
    yield "targets", ", ".join(rule.targets)
    yield "inhibits", ", ".join(rule.inhibits)
    yield "deploy", "its incidents are quiet during a deploy" if rule.deploy else ""
    yield "remedy", _remedy(rule)
    yield "shows", ", ".join(rule.columns)
    yield "summary", first_line(rule.summary)
    yield "resolved", first_line(rule.resolved)


def _remedy(rule: Rule) -> str:
    if rule.remedy is None:
        return ""
    after = f", once it has fired for {format_duration(rule.remedy.after_s)}" if rule.remedy.after_s else ""
    still = f", when still {rule.remedy.when_still}" if rule.remedy.when_still else ""
    return f"{rule.remedy.name}, at most {rule.remedy.at_most}{after}{still}"


def _labelled(label: str, value: str) -> Line:
    return Line.of(Ink(label.ljust(_LABEL_WIDTH), "faint"), value, indent=2)


def _override(override: Override) -> str:
    meant = ", ".join(f"{column} = {' or '.join(globs)}" for column, globs in override.match.items())
    target = f"target {override.target}" if override.target else ""
    return " ".join(filter(None, [override.where_from, f"({'; '.join(filter(None, [target, meant]))})" if target or meant else ""]))


def _text(label: str, text: str) -> Iterator[Line]:
    lines = text.strip().splitlines()
    if lines:
        yield Line.of(Ink(label, "faint"), indent=2)
        yield from (Line.of(line.strip(), indent=4) for line in lines)
