"""Read one `[[rule]]`: its form, its fields, and what its conditions and templates read.

Input: the dict from `tomllib`, and the tables. Output: a `RuleDraft`: the rule as far as it could be read, and its faults.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.rows import Table
from watchdog.core.model.severity import Severity
from watchdog.core.rules.faults import Notes
from watchdog.core.rules.fields import Fields, label_faults
from watchdog.core.rules.remedy import RemedyWritten, remedy_faults, remedy_of
from watchdog.core.rules.rule import Escalation, Rule
from watchdog.core.rules.templates import EXTRA_NAMES, check_template, names_read
from watchdog.core.sql.conditions import ConditionError, check_condition, check_output_condition, check_query
from watchdog.core.sql.tokens import TokenKind, scan
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["KEYS", "OF_A_BREACH", "TEMPLATES", "RuleDraft", "identity", "name_fault", "read_rule"]

KEYS = (
    "name", "from", "when", "query", "key", "where", "clear", "escalate", "params", "for", "keep_firing_for", "window", "severity",
    "summary", "description", "runbook", "resolved", "labels", "targets", "inhibits", "deploy", "formerly", "enabled", "trial",
    "remedy", "after", "at_most", "when_still",
)  # fmt: skip
"""Every key of a `[[rule]]`."""

TEMPLATES = ("summary", "description", "runbook", "resolved")
"""The keys that are templates."""
OF_A_BREACH = ("summary", "description", "runbook")
"""The templates whose columns are an incident's values. What holds at its end is not part of them."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}", re.ASCII)


class RuleDraft(Struct):
    """A rule as far as it could be read, and its faults."""

    rule: Rule
    notes: Notes


class _Seen(Struct):
    """What a rule's texts can name: `columns` in order, of `place`; and what they do name."""

    place: str = ""
    columns: tuple[str, ...] = ()
    decide: set[str] = field(default_factory=set)
    show: set[str] = field(default_factory=set)
    reads: dict[str, frozenset[str]] = field(default_factory=dict)


def read_rule(raw: Mapping[str, object], notes: Notes, tables: Mapping[str, Table]) -> RuleDraft:
    """Read the rule that a `[[rule]]` declares. Every fault is added to `notes`, with its line."""
    fields = Fields(raw, notes)
    name = fields.text("name")
    notes.rule = name or None
    if not fields.has("name"):
        notes.fault('name is missing; write name = "WhatIsWrong"')
    elif isinstance(raw["name"], str) and (wrong := name_fault(name)):
        notes.fault(wrong, "name")
    fields.known(KEYS)
    rule = _plain_fields(fields, notes, name)
    seen = _check_form(fields, notes, rule, tables)
    if fields.has("query"):  # the keys that do not belong to a query have been reported
        rule = replace(rule, table=None, when=None, where=None)
    if seen is not None:
        rule = replace(rule, key=_key(rule, tables))
        _check_conditions(notes, rule, seen, tables)
        _check_templates(notes, rule, seen)
        for label, why in label_faults(rule.labels, rule.key).items():
            notes.fault(why, "labels", label)
        rule = _finished(rule, seen)
    rule = replace(rule, remedy=remedy_of(None, _remedy(fields, notes, rule, tables)))
    _check_params(notes, rule)
    return RuleDraft(rule, notes)


def name_fault(name: str) -> str:
    """Return why a rule cannot have this name; empty if it can."""
    return "" if _NAME.fullmatch(name) else f'expected letters, digits, - and _ (at most 80, first a letter), found "{name[:90]}"'


def _plain_fields(fields: Fields, notes: Notes, name: str) -> Rule:
    """Read everything that does not depend on the tables."""
    rule = Rule(
        name=name,
        table=fields.needed("from") or None,
        when=fields.needed("when") or None,
        query=fields.needed("query") or None,
        key=fields.texts("key"),
        where=fields.needed("where") or None,
        clear=fields.needed("clear") or None,
        params=fields.params("params"),
        for_s=fields.duration("for", 0.0),
        keep_firing_for_s=fields.duration("keep_firing_for", 60.0),
        window_s=fields.duration("window", 300.0),
        severity=fields.severity("severity", Severity.WARNING),
        summary=fields.text("summary"),
        description=fields.text("description"),
        runbook=fields.text("runbook"),
        resolved=fields.text("resolved"),
        labels=fields.labels("labels"),
        targets=fields.texts("targets", ("*",)),
        inhibits=fields.texts("inhibits"),
        deploy=fields.flag("deploy", default=False),
        formerly=fields.texts("formerly"),
        enabled=fields.flag("enabled", default=True),
        trial=fields.flag("trial", default=False),
        file=notes.file,
        line=notes.line(),
    )
    if rule.window_s <= 0:
        notes.fault("must be longer than 0", "window")
    if not rule.targets:
        notes.fault("an empty list covers no target; leave it out for all, or write enabled = false", "targets")
    return replace(rule, escalate=_escalations(fields, notes, rule.severity))


def _remedy(fields: Fields, notes: Notes, rule: Rule, tables: Mapping[str, Table]) -> RemedyWritten:
    """Read the remedy, and report what is wrong with it."""
    texts = {name: fields.needed(name) or None for name in ("remedy", "at_most", "when_still")}
    after_s = fields.duration("after", 0.0) if fields.has("after") else None
    written = RemedyWritten(texts["remedy"], after_s, texts["at_most"], texts["when_still"])
    for key, what in remedy_faults(written, None, rule.table, tables, rule.params):
        notes.fault(what, key)
    return written


def _escalations(fields: Fields, notes: Notes, severity: Severity) -> tuple[Escalation, ...]:
    escalations = []
    for entry in fields.tables("escalate"):
        entry.known(("when", "severity"))
        for needed in ("when", "severity"):
            if not entry.has(needed):
                notes.fault(f'{needed} is missing; write {{ when = "…", severity = "critical" }}', *entry.place)
        escalation = Escalation(entry.needed("when"), entry.severity("severity", Severity.CRITICAL))
        if escalation.severity.rank <= severity.rank and entry.has("severity"):
            notes.warn(f"{escalation.severity} raises nothing, the rule itself is {severity}", *entry.place, "severity")
        escalations.append(escalation)
    return tuple(escalations)


def _check_form(fields: Fields, notes: Notes, rule: Rule, tables: Mapping[str, Table]) -> _Seen | None:
    """Check that the rule has one of the two forms. Return what its texts can name, or None if that is unknown."""
    if fields.has("query"):
        return _check_query_form(fields, notes, rule, tables)
    for needed in ("from", "when"):
        if not fields.has(needed):
            notes.fault(f"{needed} is missing; a rule needs from and when, or query and key")
    if fields.has("key"):
        notes.fault("belongs to query; with from, the rows have the key of their table", "key")
    if rule.table is None:
        return None
    table = tables.get(rule.table)
    if table is None:
        notes.fault(f'no table "{rule.table}"{did_you_mean(rule.table, tables) or "; there are " + ", ".join(tables)}', "from")
        return None
    return _Seen(rule.table, tuple(column.name for column in table.columns))


def _check_query_form(fields: Fields, notes: Notes, rule: Rule, tables: Mapping[str, Table]) -> _Seen | None:
    for other in ("from", "when", "where"):
        if fields.has(other):
            hint = "; narrow the rows in the query itself" if other == "where" else "; a rule has from and when, or query and key"
            notes.fault(f"not together with query{hint}", other)
    if not fields.has("key"):
        notes.fault('key is missing; name the columns of query that identify its rows, as in key = ["queue"] ([] for one row)')
    if rule.query is None:
        return None
    try:
        shape = check_query(tables, rule.query, rule.key, rule.params)
    except ConditionError as error:
        for fault in error.faults:
            notes.fault(fault, "query")
        return None
    own = {tables[name].own for name in shape.reads if name in tables}
    if len(own) == 2:
        names = [name for name in shape.reads if tables[name].own]
        notes.fault(f"{' and '.join(names)} belong to watchdog itself, the other tables to the targets; no rule can read both", "query")
    columns = tuple(column for column in shape.columns if column.lower() != "breach")
    return _Seen("the query's output", columns, show=set(columns), reads=dict(shape.reads))


def _key(rule: Rule, tables: Mapping[str, Table]) -> tuple[str, ...]:
    return rule.key if rule.table is None else tables[rule.table].key


# --- what its texts read ------------------------------------------------------------------------------------------------


def _check_conditions(notes: Notes, rule: Rule, seen: _Seen, tables: Mapping[str, Table]) -> None:
    """Check every condition against the columns that it can see; conditions of a query against its output."""
    for keys, text in _conditions(rule):
        if not text.strip():
            continue  # already reported
        try:
            if rule.table is None:
                columns = check_output_condition((*seen.columns, "breach"), text, rule.params)
            else:
                columns = check_condition(tables, rule.table, text, rule.params)
        except ConditionError as error:
            for fault in error.faults:
                notes.fault(fault, *keys)
            continue
        seen.decide |= columns
        if keys != ("where",):
            seen.show |= columns


def _conditions(rule: Rule) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the conditions that the rule's form allows, with their keys."""
    written = {"clear": rule.clear} if rule.table is None else {"when": rule.when, "where": rule.where, "clear": rule.clear}
    yield from (((key,), text) for key, text in written.items() if text is not None)
    yield from ((("escalate", index, "when"), entry.when) for index, entry in enumerate(rule.escalate))


def _check_templates(notes: Notes, rule: Rule, seen: _Seen) -> None:
    for column in sorted(set(rule.params) & set(seen.columns)):
        notes.fault(f"{column} is a column of {seen.place} too, and templates could not distinguish them; rename it", "params", column)
    names = (*seen.columns, *rule.params, *EXTRA_NAMES)
    for key in TEMPLATES:
        check = check_template(getattr(rule, key), names, seen.place)
        seen.show |= check.names if key in OF_A_BREACH else set()
        for fault in check.faults:
            notes.fault(fault, key)


def _check_params(notes: Notes, rule: Rule) -> None:
    """Warn of parameters that no text uses."""
    still = (rule.remedy.when_still if rule.remedy is not None else None) or ""
    texts = [rule.query or "", still, *(text for _, text in _conditions(rule))]
    used = {token.text[1:] for text in texts for token in scan(text)[0] if token.kind is TokenKind.PARAMETER}
    used |= {name for key in TEMPLATES for name in names_read(getattr(rule, key))}
    for param in rule.params:
        if param not in used:
            notes.warn(f"nothing reads it{did_you_mean(param, used)}", "params", param)


def _finished(rule: Rule, seen: _Seen) -> Rule:
    """Return the rule with what it reads, the values it shows (without its key, which is always shown), and its identity."""
    return replace(
        rule,
        columns=tuple(column for column in seen.columns if column in seen.show and column not in rule.key),
        reads=seen.reads or {seen.place: frozenset(seen.decide)},
        identity=identity(rule),
    )


def identity(rule: Rule) -> str:
    """Return 12 hex digits that identify what a rule is about: its table, or its query and key. Whitespace does not count."""
    about = json.dumps([rule.table, " ".join((rule.query or "").split()), rule.key])
    return hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:12]
