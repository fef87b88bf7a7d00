"""Turn scenario files into scenarios, or faults.

Input: the texts of TOML files by name, the tables, all rules by name. Output: scenarios, and every fault of every file at once, with file
and line. A scenario with a fault is not part of them. This module reads no files itself.
"""

import tomllib
from collections.abc import Mapping

from watchdog.core.model.rows import Table
from watchdog.core.rules.faults import Fault, Notes
from watchdog.core.rules.rule import Rule
from watchdog.core.rules.toml_lines import lines_of, syntax_line
from watchdog.core.rules.toml_loading import load_toml
from watchdog.core.scenarios.reading.entry import read_scenario
from watchdog.core.scenarios.reading.rows import read_usual
from watchdog.core.scenarios.scenario import Scenario
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["read_scenarios"]

_KEYS = ("scenario", "usual")


def read_scenarios(
    texts: Mapping[str, str], tables: Mapping[str, Table], rules: Mapping[str, Rule]
) -> tuple[tuple[Scenario, ...], tuple[Fault, ...]]:
    """Return scenarios and faults, each in the order of files and lines."""
    scenarios: list[Scenario] = []
    faults: list[Fault] = []
    for file, text in texts.items():
        found, wrong = _read_file(file, text, tables, rules)
        scenarios += found
        faults += sorted(wrong, key=lambda fault: fault.line)
    return tuple(scenarios), tuple(faults)


def _read_file(file: str, text: str, tables: Mapping[str, Table], rules: Mapping[str, Rule]) -> tuple[list[Scenario], list[Fault]]:
    notes = Notes(file, {}, (), kind="scenario")
    try:
        document = load_toml(text)
    except tomllib.TOMLDecodeError as error:
        what = str(error).partition(" (at ")[0]
        return [], [Fault(file, syntax_line(error, text), None, f"not TOML: {what}")]
    except (ValueError, RecursionError):  # a number of thousands of digits, endless brackets
        return [], [Fault(file, 1, None, "not TOML that can be read: a number or a key is too long, or brackets are nested too deeply")]
    notes.lines = lines_of(text)
    for key in document:
        if key not in _KEYS:
            notes.fault(f"unknown key{_elsewhere(key)}", key)
    usual = read_usual(document.get("usual", {}), notes, tables)
    entries = document.get("scenario", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        notes.fault("expected [[scenario]], with two brackets on either side", "scenario")
        entries = []
    elif not entries and not notes.faults:
        notes.fault("no [[scenario]] in this file")
    drafts = [
        read_scenario(raw, Notes(file, notes.lines, ("scenario", n), kind="scenario"), usual, tables, rules)
        for n, raw in enumerate(entries)
    ]
    _same_names(drafts)
    wrong = [*notes.faults, *(fault for _, theirs in drafts for fault in theirs.faults)]
    return [scenario for scenario, theirs in drafts if not theirs.faults], wrong


def _elsewhere(key: str) -> str:
    if key in {"rule", "rules"}:
        return "; a [[rule]] belongs into a rule file, in the folder above the scenarios"
    return did_you_mean(key, _KEYS) or "; a scenario file holds [[scenario]] tables, and [usual.TABLE]"


def _same_names(drafts: list[tuple[Scenario, Notes]]) -> None:
    first: dict[str, Scenario] = {}
    for scenario, notes in drafts:
        earlier = first.setdefault(scenario.name, scenario)
        if scenario.name and earlier is not scenario:
            notes.fault(f"the scenario in line {earlier.line} has this name already; name what is different here", "name")
