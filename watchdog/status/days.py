"""The last 24 hours of each target, as often as somebody looks, without reading the same again and again.

In: an open store, a target, now (epoch seconds). Out: a `Day`, read anew once it is older than half a minute. What is known of an hour that
is over is kept: with a thousand queues, to read a day takes most of a second, and to read its last hour a twentieth of that.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdog.core.history.series import Slice
from watchdog.core.history.trends import HOUR_S, OF_DAY, TOTALS, Day, Hour, hour_of, hours_of, is_complete, totals_of
from watchdog.tables.history.kept import KEPT

if TYPE_CHECKING:
    from watchdog.store import Store

__all__ = ["Days"]

DAY_S = 86400.0
AGAIN_S = 30.0


class _Known(Struct, frozen=True):
    """What is known of a target: the day as it was read last, and by their beginnings the hours that are over, with their totals."""

    read_at: float
    day: Day
    over: Mapping[float, tuple[Hour, Slice]] = field(default_factory=dict)


class Days:
    """The last 24 hours of each target. May be used from any thread."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def of(self, store: "Store", target: str, now: float) -> Day:
        """The 24 hours before `now`."""
        known = self._known.get(target)
        if known is None or not 0 <= now - known.read_at < AGAIN_S:
            over = known.over if known is not None and now >= known.read_at else {}
            known = self._known[target] = _read(store, target, now, over)
        return known.day


def _read(store: "Store", target: str, now: float, over: Mapping[float, tuple[Hour, Slice]]) -> _Known:
    begins = hours_of(now)
    first = next(begin for begin in begins if begin not in over)
    recent = store.history(target, first, now, OF_DAY)
    before = [one for one in store.history(target, now - DAY_S, begins[0], TOTALS) if now - DAY_S < one.at < begins[0]]
    known = {begin: over[begin] for begin in begins if begin < first}
    for begin in begins[len(known) :]:
        mine = [one for one in recent if begin <= one.at < begin + HOUR_S]
        known[begin] = (hour_of(begin, recent, KEPT), totals_of(mine, KEPT))
    slices = [*before, *(totals for _, totals in known.values())]
    kept = {begin: found for begin, found in known.items() if begin < first or is_complete(begin, recent)}
    return _Known(now, Day(totals_of(slices, KEPT).parts, tuple(hour for hour, _ in known.values())), kept)
