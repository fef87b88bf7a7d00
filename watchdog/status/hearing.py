"""What is heard of a target by events, in one sentence: whose, since when, how many, and what that takes.

In: the row of the source `events`, or the last look that has it. Out: the sentence.
"""

from collections.abc import Mapping
from math import isfinite

from watchdog.core.model.last_look import LastLook
from watchdog.core.model.rows import Cell
from watchdog.core.text.durations import format_duration
from watchdog.tables.sources import ALL, WORKERS

__all__ = ["heard_at_last", "hearing"]

LATE = 3
"""Looks that are so many intervals old are said to be."""


def hearing(cells: Mapping[str, Cell]) -> str:
    """Return `workers since 2h, tasks since 10m; 45 events a second, 0.03 % of a core (1 % allowed)`; nothing if nothing is heard."""
    whose, of_workers, of_tasks = cells.get("hears"), cells.get("restarted_s"), cells.get("tasks_heard_s")
    if not whose:
        return ""
    said = "workers" + (f" since {format_duration(round(of_workers))}" if isinstance(of_workers, float) else "")
    said += f", tasks since {format_duration(round(of_tasks))}" if isinstance(of_tasks, float) and of_tasks else ""
    per_s, share, allowed = (cells.get(name) for name in ("per_s", "core_share", "core_allowed"))
    if not isinstance(per_s, float) or not isinstance(share, float):
        return said
    most = f" ({allowed * 100:g} % allowed)" if of_tasks and isinstance(allowed, float) and isfinite(allowed) else ""
    rate = f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.2g}"
    return f"{said}; {rate} events a second, {share * 100:.2g} % of a core{most}"


def heard_at_last(look: LastLook | None, now: float, *, tasks: bool) -> str:
    """Return what a daemon hears of a target, by its last look; what it would hear, `tasks` as well, if there is none."""
    rows = look.readings()["sources"].rows if look is not None and "sources" in look.tables else ()
    events = next((row.cells for row in rows if row.cells["name"] == "events"), None)
    if look is None or events is None:
        return f"`watchdog run` hears {ALL if tasks else WORKERS}; none has looked yet"
    said = hearing(events) or "nothing"
    error = f"; {events['error']}" if events.get("error") else ""
    late = now - look.at > LATE * look.interval_s
    return f"{said}{error}" + (f" (as of {format_duration(round(now - look.at))} ago)" if late else "")
