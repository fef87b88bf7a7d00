"""docs/conditions.md as text."""

from collections.abc import Iterator, Mapping, Sequence

from tests.conditions.catalogue import CONDITIONS, MORE, Condition
from tests.conditions.seen import SEEN
from tests.docs.rule_link import rule_link
from tests.scenes.plays import SCENES
from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files
from watchdog.core.rules.rule import Rule
from watchdog.tables import TABLES

__all__ = ["conditions_page", "scenes_of"]

HEAD = """# What goes wrong, and which rule reports it

Conditions of a Celery cluster, the shipped rules that report each, the tables they read, and whether they are on as shipped; one that is
off is switched on by an override ([rules](rules.md)). [alerts](alerts.md) has what each rule says.

**Seen**: *on a cluster*, where a test or a scene (`make scenes`) commits the fault on real servers and fails unless the rule fires;
*on rows*, where tests judge rows of its table alone. This page is made by `make docs-reference`.
"""
COLUMNS = "| condition | rule | table | on | seen |\n| --- | --- | --- | --- | --- |"


def conditions_page() -> str:
    """The page."""
    rules = {rule.name: rule for rule in read_once(shipped_rule_files(), TABLES)[0]}
    told = [one for one in CONDITIONS if one.rules]
    counts = f"{len(told)} of {len(CONDITIONS)} conditions have a rule. {len(rules)} rules are shipped, of which {len(_seen(rules))} were \
seen on a cluster."
    return "\n".join([HEAD, counts, "", *_table(CONDITIONS, rules), "", "## Besides", "", *_table(MORE, rules), ""])


def scenes_of(rule: str) -> Sequence[str]:
    """The scenes whose truth needs this rule and no other."""
    return [name for name, scene in SCENES.items() if any(need.rules == (rule,) for need in scene.needs)]


def _seen(rules: Mapping[str, Rule]) -> list[str]:
    return [name for name in rules if name in SEEN or scenes_of(name)]


def _table(conditions: Sequence[Condition], rules: Mapping[str, Rule]) -> Iterator[str]:
    yield COLUMNS
    for one in conditions:
        what = f"{one.what}; {one.otherwise}" if one.otherwise else one.what
        if not one.rules:
            yield f"| {what} | nobody yet | | | |"
        for nth, name in enumerate(one.rules):
            rule = rules[name]
            seen = "on a cluster" if name in SEEN or scenes_of(name) else "on rows"
            tables = ", ".join(f"`{table}`" for table in sorted(rule.reads))
            yield f"| {'' if nth else what} | {rule_link(name)} | {tables} | {'yes' if rule.enabled else 'off'} | {seen} |"
