"""docs/reference/tables.md: every table with its columns, units, and the sources that can fill each.

Which sources those are is read from the code as watchdog itself reads it: the tables are asked what they cannot fill with each combination
of sources that a target may have.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain, combinations

from tests.docs.reference.markdown import GENERATED_BY, code, escaped, table
from watchdog.core.judging.blindness import BLIND, Blindness
from watchdog.core.model.queries import HearWorkers
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, read_tables
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Column, Sample, Table
from watchdog.core.model.schedules.periodic import Scheduler
from watchdog.core.model.schedules.schedule import Schedule
from watchdog.core.model.servers.worker_replies import WorkersHeard
from watchdog.core.model.target import Objective, Target
from watchdog.core.text.phrasing import format_value
from watchdog.tables import TABLES

__all__ = ["tables_page"]

HEAD = f"""# Tables

What rules and `watchdog query` can read. {GENERATED_BY} `watchdog tables NAME` prints one of them.

**From** names the keys of a `[[target]]` that can fill a column ([configuration](configuration.md)). Of alternatives one is enough; those
joined by + are needed together. `redis` and `celery` also bring what workers say by themselves, which only `watchdog run` hears
([events](../events.md)). A column that nothing configured can fill is idle: a rule that reads it says so, and tells nothing. Where a source
does not answer, the cell is a gap, and never a zero.

**Neutral** is the value where there is nothing to measure.
"""
BROUGHT: Mapping[str, frozenset[str]] = {
    "flower": frozenset({"flower"}),
    "redis": frozenset({"redis", "celery", "events"}),
    "rabbitmq": frozenset({"rabbitmq"}),
    "celery": frozenset({"celery", "events"}),
    "results": frozenset({"results"}),
}
"""A key of a target -> the sources that it brings."""
LATER = "needs a second look"
"""How a reason begins that passes by itself."""
LOOKED_BEFORE = Past({BLIND: Blindness(looked=True)}, dict.fromkeys(TABLES, (Sample(0.0, {"": (0.0,) * 8}),)))
Idle = Mapping[str, Mapping[str, str]]


def tables_page() -> str:
    """The page."""
    return "\n".join([HEAD, *chain.from_iterable(map(_section, TABLES.values()))])


def _section(shown: Table) -> Iterator[str]:
    key = ", ".join(map(code, shown.key)) or "none: there is one row"
    whose = " It belongs to the target `watchdog`, which is watchdog itself." if shown.own else ""
    yield from (f"## {shown.name}", "", f"A row is {escaped(shown.row_is)}. Key: {key}.{whose}", "")
    header = ("column", "kind", "neutral", "meaning") if shown.own else ("column", "kind", "neutral", "from", "meaning")
    yield from table(header, ([cell for name, cell in _cells(shown, one).items() if name in header] for one in shown.columns))
    yield ""


def _cells(shown: Table, column: Column) -> Mapping[str, str]:
    return {
        "column": code(column.name),
        "kind": f"{column.kind.value} ({column.unit})" if column.unit else column.kind.value,
        "neutral": _neutral(column),
        "from": "" if shown.own else keys_for(shown.name, column.name),
        "meaning": escaped(_meaning(column)),
    }


def _meaning(column: Column) -> str:
    allowed = f" ({', '.join(column.allowed)})" if column.allowed and not all(word in column.meaning for word in column.allowed) else ""
    return f"{column.meaning}{allowed}{'; over the window' if column.windowed else ''}{f'; {column.later}' if column.later else ''}"


def _neutral(column: Column) -> str:
    return "" if column.neutral is None else format_value(column.neutral) or "empty"


def keys_for(name: str, column: str) -> str:
    """The smallest sets of keys that can fill a column."""
    filling = [keys for keys, idle in _idle().items() if column not in idle[name]]
    smallest = [one for one in filling if not any(other < one for other in filling)]
    return ", ".join(" + ".join(code(key) for key in BROUGHT if key in one) for one in smallest) or "any"


@cache
def _idle() -> Mapping[frozenset[str], Idle]:
    """Keys -> table -> column -> why it is idle, if they are all that a target has."""
    sets = chain.from_iterable(combinations(BROUGHT, count) for count in range(1, len(BROUGHT) + 1))
    return {
        frozenset(one): _idle_with(frozenset().union(*map(BROUGHT.__getitem__, one)))
        for one in sets
        if not {"redis", "rabbitmq"} <= set(one)
    }


def _idle_with(sources: frozenset[str]) -> Idle:
    target = Target(
        name="any",
        sources=sources,
        hears_tasks="events" in sources and "flower" not in sources,
        hears_beside_flower={"events", "flower"} <= sources,
        expected_workers=("celery@any",),
        show_arguments=True,
        schedules=(Schedule("any", every_s=3600.0),),
        schedulers=tuple(map(Scheduler, ("beat", "redbeat", "django"))),
        objectives=(Objective("any", 0.99, queue="any"),),
    )
    heard = Replies({HearWorkers(): WorkersHeard(60.0, {})} if "events" in sources else {})
    readings = read_tables(TABLES, target, LOOKED_BEFORE, heard, now=0.0).windows[DEFAULT_WINDOW_S]
    return {name: {column: why for column, why in reading.idle.items() if not why.startswith(LATER)} for name, reading in readings.items()}
