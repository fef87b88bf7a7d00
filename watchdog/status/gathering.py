"""Gathers what people are shown of targets from the database of a daemon.

In: an open store, the settings. Out: one `TargetShown` per target, as often as it is asked. The day is read from history at most twice a
minute, since that takes longest.
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.core.history.trends import OF_DAY, Day, day_of
from watchdog.core.model.target import matches
from watchdog.status.quiet import reasons_of
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT

if TYPE_CHECKING:
    from watchdog.config.settings import Settings
    from watchdog.core.model.last_look import LastLook
    from watchdog.store import Store

__all__ = ["Days", "gathered", "utc_offset_s"]

DAY_S = 86400.0
DAY_AGAIN_S = 30.0


class Days:
    """The last 24 hours of each target, read anew once they are older than half a minute."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[float, Day]] = {}

    def of(self, store: "Store", target: str, now: float) -> Day:
        """The 24 hours before `now`."""
        read_at, day = self._read.get(target, (0.0, None))
        if day is None or not 0 <= now - read_at < DAY_AGAIN_S:
            day = day_of(store.history(target, now - DAY_S, now, OF_DAY), KEPT, now)
            self._read[target] = (now, day)
        return day


def gathered(
    store: "Store", settings: "Settings", names: Sequence[str], days: Days, now: float, looks: "Mapping[str, LastLook]"
) -> tuple[TargetShown, ...]:
    """What the store knows of these targets; `looks`: the last look of each, without which a target has no tables."""
    watched, listed, deploys = store.watched(), store.incidents(), store.deploys()
    common = TargetShown(
        "",
        now,
        watched=watched.now,
        quiet=reasons_of(listed, store, settings, now),
        acknowledged=store.acknowledged(),
        notified=store.notified(),
        utc_offset_s=utc_offset_s(now),
    )
    return tuple(
        _seen(
            replace(
                common,
                name=name,
                incidents=tuple(incident for incident in listed if incident.target == name),
                deploys=tuple(deploy for deploy in deploys if matches(name, deploy.targets)),
                day=days.of(store, name, now),
            ),
            looks.get(name),
        )
        for name in names
    )


def _seen(shown: TargetShown, look: "LastLook | None") -> TargetShown:
    if look is None:
        return replace(shown, why_not="not seen yet")
    return replace(shown, readings=look.readings(), seen_at=look.at, interval_s=look.interval_s)


def utc_offset_s(now: float) -> float:
    """How far the clock that people read here is ahead of UTC."""
    return float(time.localtime(now).tm_gmtoff)
