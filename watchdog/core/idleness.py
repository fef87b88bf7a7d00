"""Which rules will give no verdict on a target, as far as its configuration tells: without asking any source.

In: the tables, a target, its rules. Out: rule name -> why it is idle. What only needs a second look is not idle here.
"""

from collections.abc import Iterable, Mapping

from watchdog.core.loaded_tables import LoadedTable
from watchdog.core.reading import DEFAULT_WINDOW_S, Past, read_tables
from watchdog.core.replies import Replies
from watchdog.core.rows import Sample, Table
from watchdog.core.rules import Rule
from watchdog.core.target import Target

__all__ = ["idle_by_configuration"]

_NUMBERS = 8
"""As many as any table samples of its one row; which they are does not matter."""


def idle_by_configuration(tables: Mapping[str, Table], target: Target, rules: Iterable[Rule]) -> dict[str, str]:
    """Rule name -> the reason, for each rule that reads a column which nothing configured can fill."""
    earlier = Sample(0.0, {"": (0.0,) * _NUMBERS})
    looked_before = Past(samples=dict.fromkeys(tables, (earlier,)))
    readings = read_tables(tables, target, looked_before, Replies(), now=0.0).windows[DEFAULT_WINDOW_S]
    loaded = {name: LoadedTable.of(tables[name], reading) for name, reading in readings.items()}
    reasons = {
        rule.name: next((why for name, columns in rule.reads.items() if (why := loaded[name].idle_reason(columns))), None) for rule in rules
    }
    return {name: why for name, why in reasons.items() if why}
