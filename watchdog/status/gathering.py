"""Gathers what people are shown of targets from the database of a daemon.

In: an open store, the settings. Out: one `TargetShown` per target, as often as it is asked.
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.core.model.target import matches
from watchdog.core.text.wording import counted
from watchdog.status.days import Days
from watchdog.status.quiet import reasons_of
from watchdog.status.shown import TargetShown

if TYPE_CHECKING:
    from watchdog.config.settings import Settings
    from watchdog.core.model.last_look import LastLook
    from watchdog.store import Store

__all__ = ["Days", "gathered", "utc_offset_s", "who_looks"]

NAMED = 3
"""How many workers of an engine are named."""


def gathered(
    store: "Store", settings: "Settings", names: Sequence[str], days: Days, now: float, looks: "Mapping[str, LastLook]"
) -> tuple[TargetShown, ...]:
    """What the store knows of these targets; `looks`: the last look of each, without which a target has no tables."""
    watched, listed, deploys = store.watched(), store.incidents(), store.deploys()
    common = TargetShown(
        "",
        now,
        watched=watched.now,
        daemons=store.daemons(),
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


def who_looks(store: "Store", settings: "Settings") -> str:
    """Who looks in the place of the daemon, as the end of a sentence; empty without an engine."""
    if settings.engine is None:
        return ""
    names = [one.name for one in store.lookers(store.now()) if not one.refuses]
    listed = f": {'; '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}" if names else ""
    return f"; {counted(len(names), 'worker')} of the engine{listed}" if names else "; no worker of the engine: the daemon looks itself"


def utc_offset_s(now: float) -> float:
    """How far the clock that people read here is ahead of UTC."""
    return float(time.localtime(now).tm_gmtoff)
