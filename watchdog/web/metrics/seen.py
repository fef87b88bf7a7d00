"""What is shown of each target: its last look, unless that is too old to stand for now; of watchdog itself, what it knows now.

In: the site. Out: target -> table -> what was read.
"""

from collections.abc import Mapping

from watchdog.core.history.series import INTERVALS_APART
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Look, Reading
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.model.target import SELF, Target
from watchdog.tables import TABLES

__all__ = ["own_readings", "readings_of"]

CURRENT_S = 30.0
"""A look counts as current for so long, or for three intervals if these are longer."""


def readings_of(look: LastLook, now: float) -> Mapping[str, Reading]:
    """Return the tables of one look. Those of an old one are unread: what was there then is not known to be there now."""
    readings = look.readings()
    age_s = now - look.at
    if age_s <= max(INTERVALS_APART * look.interval_s, CURRENT_S):
        return readings
    old = f"last looked at {age_s:.0f}s ago"
    return {name: Reading(unread=old, idle=reading.idle) for name, reading in readings.items()}


def own_readings(seen: SelfSeen, now: float) -> Mapping[str, Reading]:
    """Return the tables of the target `watchdog`."""
    look = Look(Target(SELF), None, Replies(), now, 0.0, self_seen=seen)
    return {name: table.read(look) for name, table in TABLES.items() if table.own}
