"""Rules as a Markdown page: for a wiki, and for docs/alerts.md, which is made of the shipped rules.

In: rules. Out: a section for each table, in which each rule says what it would tell, with the names of columns in place of their values.
"""

import re
from collections.abc import Iterable, Iterator

from watchdog.core.rules.rule import Rule
from watchdog.core.text.durations import format_duration

__all__ = ["rules_markdown", "with_names"]

_TAG = re.compile(r"{%-?\s*(if|elif|else|endif)\b.*?%}|{{-?\s*(\w+).*?}}", re.DOTALL)


def rules_markdown(rules: Iterable[Rule]) -> str:
    """The page, without a title."""
    of_table: dict[str, list[Rule]] = {}
    for rule in rules:
        of_table.setdefault(rule.table or "a query of its own", []).append(rule)
    return "\n".join(line for table, ones in of_table.items() for line in _section(table, ones))


def _section(table: str, rules: Iterable[Rule]) -> Iterator[str]:
    yield from (f"## {table}", "", "| rule | severity | what it says | after | on |", "| --- | --- | --- | --- | --- |")
    for rule in rules:
        worse = "".join(f", {step.severity.value}" for step in rule.escalate)
        after = format_duration(rule.for_s) if rule.for_s else "at once"
        on = "off" if not rule.enabled else "on trial" if rule.trial else "yes"
        yield f"| {rule.name} | {rule.severity.value}{worse} | {said(rule.summary)} | {after} | {on} |"
    yield ""


def said(template: str) -> str:
    """A template as one line of a table: see `with_names`."""
    return " ".join(with_names(template).split()).replace("|", "\\|")


def with_names(template: str) -> str:
    """A template with *names* for values, and only the first branch of what depends on something."""
    parts: list[str] = []
    hidden: list[bool] = []  # for each `if` around: whether a later branch of it is read now
    end = 0
    for tag in _TAG.finditer(template):
        if not any(hidden):
            parts.append(template[end : tag.start()])
        end = tag.end()
        match tag[1]:
            case "if":
                hidden.append(False)
            case "elif" | "else":
                hidden[-1] = True
            case "endif":
                hidden.pop()
            case _ if not any(hidden):
                parts.append(f"*{tag[2]}*")
    return "".join([*parts, "" if any(hidden) else template[end:]])
