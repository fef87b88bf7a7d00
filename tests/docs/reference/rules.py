"""docs/reference/rules.md: every shipped rule, as its file has it."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from tests.docs.reference.markdown import GENERATED_BY, code, escaped, table
from watchdog.cli.rules.markdown import with_names
from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files
from watchdog.core.rules.rule import Rule
from watchdog.core.text.durations import format_duration
from watchdog.tables import TABLES

__all__ = ["rules_page"]

_CODE = re.compile(r"(`[^`]*`)")
_NAME = re.compile(r"\*(\w+)\*")
_NAME_WHOLE = re.compile(r"(\*\w+\*)")

HEAD = f"""# Rules

Every shipped rule: what it says, when it fires, and what to do then. {GENERATED_BY}
[At a glance](../alerts.md) shows them on a screen or two; [rules](../rules.md) explains the keys, and how to tune a rule or write one.
`watchdog rules show NAME` prints a rule as it is in force with your overrides.

In texts, words in *italics* stand for the values of [columns](tables.md). Of a text that depends on something, the first form is shown.
"""


def rules_page() -> str:
    """The page."""
    of_table: dict[str, list[Rule]] = {}
    for rule in read_once(shipped_rule_files(), TABLES)[0]:
        of_table.setdefault(rule.table or "queries of their own", []).append(rule)
    return "\n".join([HEAD, *chain.from_iterable(map(_section, of_table, of_table.values()))])


def _section(name: str, rules: list[Rule]) -> Iterator[str]:
    yield from (f"## {name}", "")
    yield from chain.from_iterable(map(_rule, rules))


def _rule(rule: Rule) -> Iterator[str]:
    yield from (f"### {rule.name}", "", f"> {_line(rule.summary)}", "")
    yield from chain(table(("", ""), _facts(rule)), ("", "```sql", *_conditions(rule), "```", ""))
    if rule.description:
        yield from (_line(rule.description), "")
    if rule.runbook:
        yield from ("What to do:", "", *_steps(rule.runbook), "")


def _facts(rule: Rule) -> Iterator[tuple[str, str]]:
    worse = "".join(f"; {step.severity.value} when {code(step.when)}" for step in rule.escalate)
    yield "severity", f"{rule.severity.value}{worse}"
    yield "fires after", format_duration(rule.for_s) if rule.for_s else "at once"
    yield "ends after", f"{format_duration(rule.keep_firing_for_s)} without it" if rule.keep_firing_for_s else "at once"
    if any(column.windowed for name, read in rule.reads.items() for column in TABLES[name].columns if column.name in read):
        yield "window", format_duration(rule.window_s)
    yield "on", "off, until an override says `enabled = true`" if not rule.enabled else "on trial" if rule.trial else "yes"
    yield from _more(rule)


def _more(rule: Rule) -> Iterator[tuple[str, str]]:
    facts: Mapping[str, str] = {
        "params": ", ".join(code(f"{name} = {_value(value)}") for name, value in rule.params.items()),
        "quiet during a deploy": "yes" if rule.deploy else "",
        "labels": ", ".join(code(f"{name} = {value}") for name, value in rule.labels.items()),
        "keeps quiet": ", ".join(rule.inhibits),
        "formerly": ", ".join(rule.formerly),
    }
    yield from ((name, text) for name, text in facts.items() if text)


def _value(value: float | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _conditions(rule: Rule) -> Iterator[str]:
    for keyword, text in (("where", rule.where), ("when", rule.when), ("query", rule.query), ("clear", rule.clear)):
        if text:
            yield f"-- {keyword}"
            yield text.strip()


def _line(template: str) -> str:
    return _words(" ".join(with_names(template).split()))


def _steps(runbook: str) -> Iterator[str]:
    """The lines of a runbook: those that are numbered stay so."""
    lines = [line.strip() for line in with_names(runbook).splitlines() if line.strip()]
    yield from (_words(line) for line in lines)


def _words(text: str) -> str:
    """A text with *names* in it: in italics, in code as NAME."""
    parts = enumerate(_CODE.split(text))
    return "".join(
        _NAME.sub(lambda name: name[1].upper(), part) if nth % 2 else "".join(map(_word, _NAME_WHOLE.split(part))) for nth, part in parts
    )


def _word(part: str) -> str:
    return part if _NAME.fullmatch(part) else escaped(part)
