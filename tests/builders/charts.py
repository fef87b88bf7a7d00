"""A chart, and a receiver's message with one."""

from msgspec.structs import replace

from tests.builders.outbox import T0, incident, message, notice
from watchdog.core.history.chart import Chart, DeployMark, Limit
from watchdog.core.incidents.messages import Message
from watchdog.core.model.severity import Severity

__all__ = ["a_chart", "with_chart"]


def a_chart(of: str = "A", version: str = "v512") -> Chart:
    """Six hours of a queue, with an hour of which nothing is known, a limit that it crosses, and a deploy."""
    hours = [tuple((T0 - 3600.0 * (ago - nth / 4), 10.0 * nth + 10) for nth in range(4)) for ago in (6, 4, 3, 2, 1)]
    lines = hours[0], tuple(point for hour in hours[1:] for point in hour)
    limits, deploys = (Limit(25.0, Severity.WARNING), Limit(1000.0, Severity.CRITICAL)), (DeployMark(T0 - 3000.0, version),)
    return Chart(incident().id, "length", of, "prod", "messages", T0 - 6 * 3600.0, T0, T0 - 1200.0, lines, limits, deploys)


def with_chart(what: Message | None = None) -> Message:
    return replace(what or message("1", notice()), chart=a_chart())
