"""Messages show how the figures of their incidents went."""

from tests.builders.answers import NOW
from tests.builders.incidents import a_message, a_notice, a_rule
from watchdog.core.history.series import Part, Slice
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.plan import Plan
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.rows import Reading, Row
from watchdog.daemon.figures.trends import with_trends
from watchdog.tables.history.kept import KEPT

HALF_HOUR = tuple(
    Slice(NOW - 60.0 * ago - 1, {"queues": Part(NOW, NOW, {("indexing",): (60.0, 60.0, 1.0, None)})}) for ago in range(29, -1, -1)
)


def trends(*events: Event, rows: int = 1) -> list[str]:
    plan = Plan("prod", NOW, messages=(a_message(*(a_notice(event=event) for event in events)),))
    readings = {"queues": Reading(tuple([Row({})] * rows))}
    drawn = with_trends(plan, [Judgement(a_rule())], KEPT, readings, lambda _: HALF_HOUR)
    return [notice.trend.partition(":")[0] for message in drawn.messages for notice in message.notices]


def test_what_fires_is_drawn_and_what_has_ended_is_not() -> None:
    assert trends(Event.FIRST, Event.ESCALATED, Event.REMINDER, Event.RESOLVED) == ["length in 30m"] * 3 + [""]


def test_as_many_as_people_are_shown_are_drawn() -> None:
    assert trends(*[Event.FIRST] * 25) == ["length in 30m"] * 20 + [""] * 5


def test_a_table_that_would_take_too_long_to_read_is_not_drawn() -> None:
    assert trends(Event.FIRST, rows=2_001) == [""]
