"""Adds to the messages of a plan how the figures of their incidents went in the last half hour, from the daemon's own history.

In: a plan, the rules behind it, what history keeps, and a function that reads it. Out: the plan, with `Notice.trend` set where there is
something to show. Nothing is decided here.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from watchdog.core.history.recent import column_kept, recent_line
from watchdog.core.history.series import Kept, Slice
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.plan import Plan
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.rows import Reading

__all__ = ["with_trends"]

MOST_SHOWN = 20
"""Notices of one message that get a trend: no more are shown to people."""
MOST_ROWS = 2_000
"""Of a larger table, half an hour takes too long to read within a cycle."""


def with_trends(
    plan: Plan,
    judgements: Iterable[Judgement],
    kept: Mapping[str, Kept],
    readings: Mapping[str, Reading],
    minutes: Callable[[frozenset[str]], tuple[Slice, ...]],
) -> Plan:
    """Return the plan with trends. `minutes`: tables -> one slice for each of the last 30 minutes."""
    columns = {one.rule.name: (one.rule.table or "", one.rule.columns) for one in judgements}
    drawn: dict[str, tuple[str, str]] = {}
    for name, (table, shown) in columns.items():
        column = column_kept(kept.get(table), shown)
        if column is not None and len(readings.get(table, Reading()).rows) <= MOST_ROWS:
            drawn[name] = table, column
    wanted = {drawn[notice.rule][0] for message in plan.messages for notice in _shown(message) if notice.rule in drawn}
    if not wanted:
        return plan
    slices = minutes(frozenset(wanted))

    def with_trend(notice: Notice) -> Notice:
        table, column = drawn[notice.rule]
        key = tuple(notice.key.get(name, "") for name in kept[table].key)
        return replace(notice, trend=recent_line(slices, kept[table], key, column, plan.at))

    def of(message: Message) -> Message:
        head = tuple(with_trend(one) if one.rule in drawn and one.event is not Event.RESOLVED else one for one in _shown(message))
        return replace(message, notices=(*head, *message.notices[len(head) :]))

    return replace(plan, messages=tuple(map(of, plan.messages)))


def _shown(message: Message) -> tuple[Notice, ...]:
    return message.notices[:MOST_SHOWN]
