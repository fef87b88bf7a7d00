"""The picture of a chart, drawn within a bounded time; or none, which costs a message nothing but its picture.

In: a chart. Out: a `Picture`, or None with one log line for each reason. A drawing that takes too long goes on in its thread, and its
result is there for the next attempt.
"""

import threading
from collections.abc import Callable

from msgspec import Struct

from watchdog.core.history.chart import Chart
from watchdog.core.incidents.outcome import Later, Outcome, Refused
from watchdog.receivers.pictures.words import chart_title, chart_words

__all__ = ["FILE_NAME", "NO_LIBRARY", "Picture", "Pictures"]

NO_LIBRARY = "matplotlib is not installed, which draws charts: pip install 'celery-watchdog[charts]'"
FILE_NAME = "chart.png"
MOST_FAILED, MOST_REASONS = 3, 100
DRAWN_WITHIN_S = 10.0
"""A chart takes 0.1 s; the first one, with matplotlib's start, half a second, or more where it lists the fonts of the machine first."""


class Picture(Struct, frozen=True):
    """A PNG, its title, and what it shows in words."""

    png: bytes
    title: str
    words: str


def _drawn(chart: Chart) -> bytes:
    from watchdog.receivers.pictures.drawing import png_of  # noqa: PLC0415 - imports matplotlib

    return png_of(chart)


class Pictures:
    """Draws the pictures of one receiver, one at a time. `draw`: a chart -> a PNG."""

    def __init__(self, receiver: str, draw: Callable[[Chart], bytes] = _drawn, within_s: float = DRAWN_WITHIN_S) -> None:
        self._receiver, self._draw, self._within_s = receiver, draw, within_s
        self._last: tuple[Chart, bytes] | None = None
        self._thread: threading.Thread | None = None
        self._reasons = set[str]()
        self._failed: tuple[Chart | None, int] = (None, 0)

    @property
    def longest_s(self) -> float:
        """The longest that a picture is waited for (seconds)."""
        return self._within_s

    def of(self, chart: Chart | None) -> Picture | None:
        """The picture of a chart; None if there is none to be had now."""
        if chart is None:
            return None
        if self._last is None or self._last[0] != chart:
            if self._thread is not None and self._thread.is_alive():
                self.left_out("an earlier drawing is not done")
                return None
            self._thread = threading.Thread(target=self._keep, args=(chart,), name="chart", daemon=True)
            self._thread.start()
            self._thread.join(self._within_s)
            if self._thread.is_alive():
                self.left_out(f"drawing took more than {self._within_s:g}s")
                return None
        last = self._last
        return Picture(last[1], chart_title(chart), chart_words(chart)) if last is not None and last[0] == chart else None

    def _keep(self, chart: Chart) -> None:
        try:
            self._last = chart, self._draw(chart)
        except ImportError:
            self.left_out(NO_LIBRARY)
        except Exception as error:  # noqa: BLE001 - a message goes without its picture rather than not at all
            self.left_out(f"drawing failed ({type(error).__name__})")

    def sent(self, chart: Chart | None, send: Callable[[Picture], Outcome]) -> Outcome | None:
        """The outcome of sending a message with its picture; None: it is to be sent without one.

        That is so if there is no picture, if the service refuses it, and if attempts with it failed three times: a proxy may let short
        messages through, and no long ones.
        """
        picture = None if chart is not None and self._failed == (chart, MOST_FAILED) else self.of(chart)
        if picture is None:
            return None
        outcome = send(picture)
        if isinstance(outcome, Refused) and not outcome.gone:
            self.left_out(outcome.reason)
            return None
        if isinstance(outcome, Later) and not outcome.never_arrived and chart is not None:
            failed = self._failed[1] if self._failed[0] == chart else 0
            self._failed = chart, failed + 1
        return outcome

    def left_out(self, reason: str) -> None:
        """Log why a message is shown without its picture; each reason once."""
        if reason not in self._reasons and len(self._reasons) < MOST_REASONS:
            import structlog  # noqa: PLC0415 - `check` reads the settings of receivers, and logs nothing

            self._reasons.add(reason)
            log = structlog.get_logger("watchdog.receivers")
            log.warning("sent_without_chart", receiver=self._receiver, reason=reason)
