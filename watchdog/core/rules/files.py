"""Turn rule files into rules, or faults.

Input: the texts of TOML files by name, and the tables. Output: checked rules, every fault of every file at once with file and line, and
warnings. This module reads no files itself.
"""

import tomllib
from collections.abc import Iterable, Mapping

from watchdog.core.model.rows import Table
from watchdog.core.rules.entry import RuleDraft, read_rule
from watchdog.core.rules.faults import Fault, Notes
from watchdog.core.rules.rule import Rule
from watchdog.core.rules.toml_lines import lines_of, syntax_line
from watchdog.core.rules.toml_loading import load_toml
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Fault", "read_rules"]


def read_rules(texts: Mapping[str, str], tables: Mapping[str, Table]) -> tuple[tuple[Rule, ...], tuple[Fault, ...], tuple[Fault, ...]]:
    """Return rules, faults and warnings, each in the order of files and lines. A rule with a fault is not part of the rules."""
    all_notes: list[Notes] = []
    drafts: list[RuleDraft] = []
    for file, text in texts.items():
        notes, found = _read_file(file, text, tables)
        drafts += found
        all_notes += [notes, *(draft.notes for draft in found)]
    _same_names(drafts)
    _inhibits(drafts)
    rules = tuple(draft.rule for draft in drafts if not draft.notes.faults)
    faults = (fault for notes in all_notes for fault in notes.faults)
    warnings = (warning for notes in all_notes for warning in notes.warnings)
    return rules, _in_order(faults, list(texts)), _in_order(warnings, list(texts))


# --- one file -----------------------------------------------------------------------------------------------------------


def _read_file(file: str, text: str, tables: Mapping[str, Table]) -> tuple[Notes, list[RuleDraft]]:
    notes = Notes(file, {}, ())
    try:
        document = load_toml(text)
    except tomllib.TOMLDecodeError as error:
        what = str(error).partition(" (at ")[0]
        notes.faults.append(Fault(file, syntax_line(error, text), None, f"not TOML: {what}"))
        return notes, []
    except (ValueError, RecursionError):  # a number of thousands of digits, endless brackets
        notes.fault("not TOML that can be read: a number or a key is too long, or brackets are nested too deeply")
        return notes, []
    notes.lines = lines_of(text)
    for key in document:
        if key != "rule":
            notes.fault(f"unknown key{_elsewhere(key)}", key)
    rules = document.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        notes.fault("expected [[rule]], with two brackets on either side", "rule")
        return notes, []
    if not rules:
        notes.warn("no [[rule]] in this file")
    drafts = [read_rule(raw, Notes(file, notes.lines, ("rule", index)), tables) for index, raw in enumerate(rules)]
    return notes, drafts


def _elsewhere(key: str) -> str:
    if key in {"override", "overrides"}:
        return "; an [[override]] belongs into watchdog.toml"
    return did_you_mean(key, ["rule"]) or "; a rule file holds [[rule]] tables and nothing else"


def _in_order(faults: Iterable[Fault], files: list[str]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (files.index(fault.file), fault.line)))


# --- all rules together -------------------------------------------------------------------------------------------------


def _same_names(drafts: list[RuleDraft]) -> None:
    """Report rules with the name of an earlier one, because a name is a rule's identity."""
    first: dict[str, Rule] = {}
    for draft in drafts:
        rule = draft.rule
        earlier = first.setdefault(rule.name, rule)
        if rule.name and earlier is not rule:
            where = f"{earlier.file}:{earlier.line}"
            draft.notes.fault(f"there is a rule of this name at {where} already; rename one, or tune the first by an [[override]]", "name")


def _inhibits(drafts: list[RuleDraft]) -> None:
    """Warn of unknown rules in `inhibits`, which are harmless; report circles, because all rules in one would be silent."""
    known = {draft.rule.name: draft.rule for draft in reversed(drafts) if draft.rule.name}
    renamed = {old: rule.name for rule in known.values() for old in rule.formerly}
    for draft in drafts:
        for index, name in enumerate(draft.rule.inhibits):
            if name not in known:
                hint = f'; it is called "{renamed[name]}" now' if name in renamed else did_you_mean(name, known)
                draft.notes.warn(f'no rule "{name}"{hint}', "inhibits", index)
            elif circle := _way(known, name, draft.rule.name):
                what = " inhibits ".join((draft.rule.name, *circle))
                draft.notes.fault(f"a circle, in which each would silence the other: {what}", "inhibits", index)


def _way(rules: Mapping[str, Rule], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest chain of inhibitions from `start` to `goal`, both included; empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == goal:
            return way
        further = [name for name in rules[way[-1]].inhibits if name in rules and name not in seen]
        seen.update(further)
        ways += [(*way, name) for name in further]
    return ()
