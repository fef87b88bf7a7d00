"""How a receiver that shows charts renders its next message: with the chart, which is read before the outbox is locked.

In: the store, a receiver, and what makes the chart of a message. Out: what `claim` renders with. A chart that cannot be made is left out,
with one log line for each reason.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from watchdog.core.history.chart import Chart
from watchdog.core.incidents.messages import Message
from watchdog.receivers.base import Receiver
from watchdog.store import Store
from watchdog.store.outbox.queue import Render

__all__ = ["ChartOf", "Rendering"]

ChartOf = Callable[[Message], Chart | None]
"""A message -> the chart that goes along with it; None if there is none."""


class Rendering:
    """Renders the messages of one receiver with their charts."""

    def __init__(self, store: Store, receiver: Receiver, charts: ChartOf, log: Any) -> None:
        self._store, self._receiver, self._charts, self._log = store, receiver, charts, log
        self._reasons = set[str]()

    def upcoming(self, now: float) -> Render:
        """How the message is rendered that is claimed next. `now`: epoch seconds."""
        upcoming: Message | None = None
        chart: Chart | None = None
        try:
            upcoming = self._store.upcoming(self._receiver.name, now)
            chart = self._charts(upcoming) if upcoming is not None else None
        except Exception as error:  # noqa: BLE001 - a message is sent without its chart rather than not at all
            self._without_chart(type(error).__name__)

        def render(message: Message) -> bytes:
            same = upcoming is not None and upcoming.id == message.id
            return self._receiver.render(replace(message, chart=chart) if same else message)

        return render

    def _without_chart(self, reason: str) -> None:
        if reason not in self._reasons:
            self._reasons.add(reason)
            self._log.warning("chart_not_made", reason=reason)
