"""Read one `[[scenario]]`: when there is a look, its rows, what is expected.

Input: the dict from `tomllib`, the tables, all rules by name. Output: the scenario as far as it could be read, and its faults.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.messages import Event
from watchdog.core.model.rows import Table
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.core.rules.faults import Notes
from watchdog.core.rules.fields import Fields
from watchdog.core.rules.remedy import REMEDIES
from watchdog.core.rules.rule import Rule
from watchdog.core.scenarios.reading.rows import read_changes, read_key
from watchdog.core.scenarios.scenario import EVERY_S, TARGET, Expected, Scenario, Written
from watchdog.core.text.durations import format_duration
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["EXPECT_KEYS", "KEYS", "MESSAGES", "MOST_LOOKS", "NO_INCIDENT", "read_scenario"]

KEYS = ("name", "target", "every", "until", "rows", "answers", "expect", "quiet", "ignore", "switched_on")
"""Every key of a `[[scenario]]`."""
EXPECT_KEYS = ("at", "rule", "message", "state", "remedy", "key", "severity", "text", "labels")
"""Every key of a `[[scenario.expect]]`."""
NO_INCIDENT = "none"
"""The state of what has no open incident."""
MOST_LOOKS = 20_000
SHORTEST_S = 0.1
"""The shortest time between two looks."""

MESSAGES = tuple(event.value for event in Event if event is not Event.ACKNOWLEDGED)  # a scenario has nobody who works on anything
_STATES = (*(state.value for state in State), NO_INCIDENT)


def read_scenario(
    raw: Mapping[str, object],
    notes: Notes,
    usual: Mapping[str, Mapping[str, Written]],
    tables: Mapping[str, Table],
    rules: Mapping[str, Rule],
) -> tuple[Scenario, Notes]:
    """Read the scenario that a `[[scenario]]` declares. Every fault is added to `notes`, with its line."""
    fields = Fields(raw, notes)
    name = fields.needed("name")
    notes.rule = name or None
    if not fields.has("name"):
        notes.fault('name is missing; write name = "what happens"')
    fields.known(KEYS)
    scenario = Scenario(
        name,
        notes.file,
        notes.line(),
        answers=fields.text("answers"),
        changes=read_changes(fields, notes, usual, tables),
        expects=tuple(_expected(entry, notes, rules) for entry in fields.tables("expect")),
        quiet={rule: notes.line("quiet", n) for n, rule in enumerate(fields.texts("quiet"))},
        ignore=fields.texts("ignore"),
        switched_on=fields.texts("switched_on"),
        usual=usual,
        target=fields.needed("target") or TARGET,
        every_s=fields.duration("every", EVERY_S),
        until_s=fields.duration("until", 0.0) if fields.has("until") else None,
    )
    for key in ("quiet", "switched_on"):
        for index, rule in enumerate(fields.texts(key)):
            _known_rule(rule, rules, notes, key, index)
    for index, pattern in enumerate(scenario.ignore):
        if not any(fnmatchcase(rule, pattern) for rule in rules):
            notes.fault(f'"{pattern}" is no rule{did_you_mean(pattern, rules)}', "ignore", index)
    _makes_sense(scenario, fields, notes, tables, rules)
    return (scenario if scenario.every_s >= SHORTEST_S else replace(scenario, every_s=EVERY_S)), notes


def _makes_sense(scenario: Scenario, fields: Fields, notes: Notes, tables: Mapping[str, Table], rules: Mapping[str, Rule]) -> None:
    """Report what no look could make true."""
    _has_looks(scenario, fields, notes)
    if not scenario.rules:
        notes.fault("expects nothing; write [[scenario.expect]] with what should be told, or quiet = [rules that must not fire]")
    if scenario.every_s < SHORTEST_S:
        notes.fault(f"must be at least {format_duration(SHORTEST_S)}", "every")
    elif (scenario.until_s or _last_s(scenario) + _longest_s(scenario, rules)) / scenario.every_s > MOST_LOOKS:
        notes.fault(f'more than {MOST_LOOKS:,} looks; look less often, as in every = "1m"', "every" if fields.has("every") else "until")
    if scenario.until_s is not None and scenario.until_s < _last_s(scenario):
        notes.fault(f"ends before the last time that is named, {format_duration(_last_s(scenario))}", "until")
    for n, change in enumerate(scenario.changes):
        for name in change.rows:
            if tables[name].own != (scenario.target == SELF):
                where = f'on the target "{SELF}" alone; write target = "{SELF}"' if tables[name].own else f'on no target "{SELF}"'
                notes.fault(f"has rows {where}", "rows", n, name)


def _has_looks(scenario: Scenario, fields: Fields, notes: Notes) -> None:
    """Report a scenario that says nothing of what is seen, or says it twice."""
    if scenario.answers:
        for key in ("rows", "every", "until"):
            if fields.has(key):
                notes.fault("not together with answers, which have their own", key)
    elif not scenario.changes and not fields.has("rows"):
        notes.fault('has no rows; write [[scenario.rows]], or answers = "FILE" for what `watchdog rules record` wrote')


def _last_s(scenario: Scenario) -> float:
    return max([0.0, *(change.at_s for change in scenario.changes), *(expected.at_s or 0.0 for expected in scenario.expects)])


def _longest_s(scenario: Scenario, rules: Mapping[str, Rule]) -> float:
    """Return the longest that one of its rules takes to fire and to end."""
    return max([0.0, *(rules[name].for_s + rules[name].keep_firing_for_s for name in scenario.rules if name in rules)])


def _expected(entry: Fields, notes: Notes, rules: Mapping[str, Rule]) -> Expected:
    entry.known(EXPECT_KEYS)
    rule = entry.needed("rule")
    if not entry.has("rule"):
        notes.fault("rule is missing", *entry.place)
    elif rule:
        _known_rule(rule, rules, notes, *entry.place, "rule")
    message, state = _one_of(entry, "message", MESSAGES, notes), _one_of(entry, "state", _STATES, notes)
    if entry.has("message") and entry.has("state"):
        notes.fault("either a message or a state; write one [[scenario.expect]] for each", *entry.place, "state")
    remedy = _one_of(entry, "remedy", tuple(REMEDIES), notes)
    for other in ("message", "state", "severity", "text", "labels"):
        if entry.has("remedy") and entry.has(other):
            notes.fault("not together with remedy; write one [[scenario.expect]] for each", *entry.place, other)
    if entry.has("state") and not entry.has("at"):
        notes.fault('at is missing; write at = "10m": when the incident is in this state', *entry.place)
    if state and entry.has("text"):
        notes.fault("belongs to a message", *entry.place, "text")
    return Expected(
        line=notes.line(*entry.place),
        rule=rule,
        message="" if state or entry.has("remedy") else message or Event.FIRST.value,
        state=state,
        remedy=remedy,
        at_s=entry.duration("at", 0.0) if entry.has("at") else None,
        key=_key(entry, rules.get(rule), notes),
        severity=entry.severity("severity", Severity.WARNING) if entry.has("severity") else None,
        text=(entry.needed("text"),) if isinstance(entry.raw.get("text"), str) else entry.texts("text"),
        labels=entry.labels("labels"),
    )


def _key(entry: Fields, rule: Rule | None, notes: Notes) -> Mapping[str, str]:
    if not entry.has("key") or rule is None:  # an unknown rule is reported
        return {}
    return read_key(entry.raw["key"], rule.key, notes, (*entry.place, "key")) or {}


def _one_of(entry: Fields, name: str, known: tuple[str, ...], notes: Notes) -> str:
    value = entry.text(name)
    if value and value not in known:
        expected = f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0]
        notes.fault(f'expected {expected}, found "{value}"{did_you_mean(value, known)}', *entry.place, name)
        return ""
    return value


def _known_rule(rule: str, rules: Mapping[str, Rule], notes: Notes, *keys: str | int) -> None:
    if rule.strip() and rule not in rules:
        notes.fault(f'no rule "{rule}"{did_you_mean(rule, rules) or "; `watchdog rules list` lists them"}', *keys)
