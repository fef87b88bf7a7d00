"""The result of `watchdog check` for Nagios: a line with perfdata, more lines below, and one of four exit codes.

In: a `CheckResult`. Out: text, and 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. A `|` starts perfdata, so it is removed from all texts.
"""

import math
import re
from collections.abc import Iterator

from watchdog.cli.check.page import verdict
from watchdog.cli.output.page import clean
from watchdog.core.judging.check_result import MEASURED, CheckResult, Firing, TargetChecked
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.text.sanitize import first_line
from watchdog.core.text.wording import key_text

__all__ = ["STATES", "nagios_code", "nagios_refusal", "nagios_text"]

STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
"""By exit code."""

_NAMED = 3
_MOST_LINES = 100
_LONGEST_LINE = 500
_LABEL = re.compile(r"[^\w.@/:-]", re.ASCII)


def nagios_code(result: CheckResult) -> int:
    """CRITICAL if an incident of severity critical or error fires, or an expectation is false; WARNING if a lower severity fires."""
    if result.exit_code != 1:
        return result.exit_code
    bad = any(f.severity.at_least(Severity.ERROR) for f in result.failing) or any(a.ok is False for a in result.expected)
    return 2 if bad else 1


def nagios_text(result: CheckResult) -> str:
    """The whole output, each line with its line end."""
    lines, tried = list(_lines(result)), list(_on_trial(result))
    head = "; ".join(lines[:_NAMED]) + (f"; and {len(lines) - _NAMED} more" if len(lines) > _NAMED else "")
    said = head or verdict(result).text.removeprefix("OK: ")  # the state precedes it
    first = f"WATCHDOG {STATES[nagios_code(result)]} - {plugin_text(said)}|{' '.join(_perfdata(result))}"
    below = [verdict(result).text, *lines[:_MOST_LINES], *_runbooks(result)] if lines else []
    below += tried[:_MOST_LINES]
    cut = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return "\n".join([first, *map(plugin_text, [*below, *cut])]) + "\n"


def nagios_refusal(faults: str) -> str:
    """Faults of usage, configuration or rules, one per line: UNKNOWN."""
    lines = [plugin_text(line) for line in faults.splitlines() if line.strip()] or ["it could not be started"]
    return "\n".join([f"WATCHDOG UNKNOWN - {lines[0]}", *lines[1:]]) + "\n"


def plugin_text(text: str) -> str:
    """Text on one line, without the character that starts perfdata."""
    line = clean(text).replace("|", "/")
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _lines(result: CheckResult) -> Iterator[str]:
    """What is wrong, the most severe first, one per line."""
    yield from (_line(firing) for firing in result.firing if not firing.trial)
    for answer in result.expected:
        if not answer.ok:
            yield f"{'false' if answer.ok is False else 'not answered'} in {answer.target}: {answer.expect}: {answer.reason}"
    for reason, target in dict.fromkeys((unknown.reason, unknown.target) for unknown in result.unknown if not unknown.trial):
        yield f"could not be known in {target}: {reason}"


def _on_trial(result: CheckResult) -> Iterator[str]:
    """What is on trial, one per line: never in the first line, which is what is sent on."""
    yield from (f"on trial: {_line(firing)}" for firing in result.firing if firing.trial)
    for reason, target in dict.fromkeys((unknown.reason, unknown.target) for unknown in result.unknown if unknown.trial):
        yield f"on trial: could not be known in {target}: {reason}"


def _line(firing: Firing) -> str:
    key = key_text(firing.key)
    return f"{firing.severity} {firing.rule} in {firing.target}{f' ({key})' if key else ''}: {firing.summary}"


def _runbooks(result: CheckResult) -> Iterator[str]:
    seen = {firing.rule: first_line(firing.runbook) for firing in result.failing}
    yield from (f"{rule}: {line}" for rule, line in seen.items() if line)


def _perfdata(result: CheckResult) -> Iterator[str]:
    """`label=value;warn;crit;min`; U for an unknown number."""
    several = len(result.targets) > 1
    for checked in result.targets:
        before = f"{checked.target}/" if several else ""
        yield from (_number(before + name, checked.measured[name]) for name in MEASURED if name in checked.measured)
        yield _number(f"{before}rules_firing", _rules_firing(checked))


def _rules_firing(checked: TargetChecked) -> float:
    return float(len({firing.rule for firing in checked.firing if not firing.trial}))


def _number(label: str, cell: Cell) -> str:
    usable = isinstance(cell, int | float) and math.isfinite(cell)
    number = f"{cell:.2f}".rstrip("0").rstrip(".") if usable else "U"
    return f"{_LABEL.sub('_', label)}={number};;;0"
