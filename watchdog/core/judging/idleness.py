"""What can have no verdict on a target according to its configuration alone, without polling any source.

Input: the tables, a target, its rules. Output: rule name -> why it is idle; or tables whose idle columns are those that nothing configured
can fill. A column that only needs a second poll is not idle here.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from watchdog.core.judging.blindness import BLIND, Blindness
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, read_tables
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Reading, Sample, Table
from watchdog.core.model.target import Target
from watchdog.core.rules.rule import Rule

__all__ = ["as_configured", "idle_by_configuration"]

_NUMBERS = 8
"""At least as many numbers as any table samples of its single row; their values do not matter."""


def as_configured(tables: Mapping[str, Table], target: Target) -> Mapping[str, LoadedTable]:
    """Return each table of a target as it is after a second poll without any answer.

    What is idle in it cannot be filled by anything configured.
    """
    earlier = Sample(0.0, {"": (0.0,) * _NUMBERS})
    looked_before = Past({BLIND: Blindness(looked=True)}, dict.fromkeys(tables, (earlier,)))
    readings = read_tables(tables, target, looked_before, Replies(), now=0.0).windows[DEFAULT_WINDOW_S]
    return {name: LoadedTable.of(tables[name], reading) for name, reading in readings.items()}


def idle_by_configuration(tables: Mapping[str, Table], target: Target, rules: Sequence[Rule]) -> dict[str, str]:
    """Return rule name -> reason for each rule that is idle by configuration.

    Such a rule reads a column that nothing configured can fill, or its `where` matches no row.
    """
    loaded = as_configured(tables, target)
    reasons = {
        rule.name: next((why for name, columns in rule.reads.items() if (why := loaded[name].idle_reason(columns))), None) for rule in rules
    }
    readings = {name: table.reading for name, table in loaded.items()}
    evaluator = Evaluator(tables, stopwatch=lambda: 0.0)
    evaluator.load(readings)
    for rule in rules:
        reasons[rule.name] = reasons[rule.name] or _of_no_row(rule, readings.get(rule.table or ""), evaluator)
    evaluator.close()
    return {name: why for name, why in reasons.items() if why}


def _of_no_row(rule: Rule, reading: Reading | None, evaluator: Evaluator) -> str | None:
    """Return why a rule matches no row of a table whose rows come from the configuration alone (`sources`, `groups`)."""
    if reading is None or not rule.where or not reading.rows or reading.unread or reading.partial:
        return None
    said = evaluator.judge(replace(rule, when="1 = 1", clear=None, escalate=()), (), {})
    concerned = said.findings or said.idle or said.unknown or said.failed
    return None if concerned else f"{rule.table} has no row here for it: where {rule.where}"
