"""The text of a new rule with its scenarios: a beginning that holds as it is written, with comments on what to change.

In: a name, a table, the other rules. Out: two TOML texts.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdog.core.model.rows import Column, Kind, Table
from watchdog.core.model.target import SELF
from watchdog.core.rules.rule import Rule

__all__ = ["Draft", "drafted"]


class Draft(Struct, frozen=True):
    """The texts of a rule file and of its scenario file."""

    rule: str
    scenarios: str


class _Condition(Struct, frozen=True):
    """What the new rule asks of a column: its condition and param, a cell that is a breach, one that is not, and the words for both."""

    when: str
    params: str
    breach: str
    fine: str
    shown: str


def drafted(name: str, table: Table, rules: Iterable[Rule] = ()) -> Draft:
    """Return the texts of a rule on a table. `rules`: all others; those that read what it reads are ignored by its scenarios."""
    column = _column(table)
    condition = _condition(column)
    said = {column.name, *table.key}
    others = [rule.name for rule in rules if rule.reads.keys() == {table.name} and rule.reads[table.name] <= said]
    return Draft(_rule(name, table, column, condition), _scenarios(name, table, column, condition, others))


def _column(table: Table) -> Column:
    """Return the column that says most by its value: a number, else a flag, else a text."""
    fitting = [column for column in table.columns if column.name not in table.key and not column.later]
    order = (Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT)
    return min(fitting or table.columns, key=lambda column: order.index(column.kind))


def _condition(column: Column) -> _Condition:
    name = column.name
    if column.kind is Kind.BOOLEAN:
        return _Condition(name, "", "true", "false", f"{{{{ {name} }}}}")
    if column.kind is Kind.TEXT:
        bad, good = (column.allowed[-1], column.allowed[0]) if len(column.allowed) > 1 else ("bad", "good")
        return _Condition(f"{name} = '{bad}'", "", f'"{bad}"', f'"{good}"', f"{{{{ {name} }}}}")
    if name.endswith("_s"):
        return _Condition(f"{name} > :limit", '{ limit = "10m" }', '"10m1s"', '"10m"', f"{{{{ {name} | duration }}}}")
    if name.endswith(("_ratio", "_rate", "share")):
        return _Condition(f"{name} > :limit", "{ limit = 0.5 }", "0.51", "0.5", f"{{{{ {name} | percent }}}}")
    return _Condition(f"{name} > :limit", "{ limit = 100 }", "101", "100", f"{{{{ {name} | number }}}}")


def _rule(name: str, table: Table, column: Column, condition: _Condition) -> str:
    params = f"params   = {condition.params}   # each may be tuned by an [[override]]\n" if condition.params else ""
    key = "".join(f"{{{{ {one} }}}} " for one in table.key)
    others = "".join(f"#   {one.name}: {one.meaning}\n" for one in table.columns if one != column)
    return f"""\
# {name}: say here what it is for. docs/rules.md of watchdog explains every key.

[[rule]]
name     = "{name}"
from     = "{table.name}"
when     = "{condition.when}"   # true: a breach. {column.name}: {column.meaning}
{params}for      = "5m"   # how long it must hold before anybody is notified
severity = "warning"   # or info, error, critical
summary  = "{key}{column.name} is {condition.shown}"
resolved = "{key}{column.name} is {condition.shown} again"
description = \"\"\"
What it means for those who wait for the work.
\"\"\"
runbook = \"\"\"
1. What to look at first, with its command.
\"\"\"

# Columns of {table.name}, one row {table.row_is}:
{others}"""


def _scenarios(name: str, table: Table, column: Column, condition: _Condition, others: Sequence[str]) -> str:
    head = f'target = "{SELF}"\n' if table.own else ""
    if others:
        named = ", ".join(f'"{other}"' for other in others)
        head += f"ignore = [{named}]   # they read the same\n"
    return f"""\
# Scenarios of {name}: `watchdog rules test`. docs/rule-tests.md of watchdog explains every key.

[[scenario]]
name = "It holds for 5 minutes, and is over after 10"
{head}
[[scenario.rows]]
{table.name} = [{_row(table, column, condition.breach)}]

[[scenario.rows]]
at = "10m"
{table.name} = [{_row(table, column, condition.fine)}]

[[scenario.expect]]
at       = "5m"
rule     = "{name}"
severity = "warning"

[[scenario.expect]]
at      = "11m"   # keep_firing_for is a minute, if the rule does not say otherwise
rule    = "{name}"
message = "resolved"

[[scenario]]
name  = "Just not enough, and too short: a near miss says most"
{head}quiet = ["{name}"]

[[scenario.rows]]
{table.name} = [{_row(table, column, condition.fine)}]

[[scenario.rows]]
at = "10m"
{table.name} = [{_row(table, column, condition.breach)}]

[[scenario.rows]]
at = "14m50s"
{table.name} = [{_row(table, column, condition.fine)}]
"""


def _row(table: Table, column: Column, cell: str) -> str:
    columns = {one.name: one for one in table.columns}
    keys = [f"{name} = {_key_cell(columns[name])}" for name in table.key]
    return f"{{ {', '.join([*keys, f'{column.name} = {cell}'])} }}"


def _key_cell(column: Column) -> str:
    if column.kind is Kind.TEXT:
        return f'"{column.allowed[0] if column.allowed else "example"}"'
    return "1" if column.kind is Kind.NUMBER else "true"
