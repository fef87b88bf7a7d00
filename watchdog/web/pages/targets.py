"""Targets as the page shows them: how each one is, in a word and a sentence, and its panels.

Pure: what is known of targets in, view values out. A target that nobody could look at is unknown; it is never called well.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.model.severity import Severity, worst
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import counted
from watchdog.status.panel import Panel
from watchdog.status.panels import EVERY, PANELS
from watchdog.status.shown import TargetShown

__all__ = [
    "OF_TARGET",
    "Condition",
    "Paged",
    "TargetView",
    "condition_of",
    "condition_of_all",
    "incidents_alone",
    "overview_view",
    "target_view",
]

MOST_ROWS = 12
PAGE_ROWS = 100
"""How many rows of one panel a page shows that was asked for all of them: more would take a moment, and nobody reads them."""
WELL, UNKNOWN, PENDING, LATE, ENDED = "well", "unknown", "pending", "late", "ended"
OF_TARGET = ("overview", "incidents", "trend", "errors", "workers", "tasks", "queues", "metrics")
"""The panels of a target's page: first what is looked at first."""
RANK = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, LATE: 3, UNKNOWN: 4, Severity.INFO: 5, PENDING: 6, WELL: 7}


class Condition(Struct, frozen=True):
    """How something is. `word`: a severity, `late`, `unknown`, `pending` or `well`; it is shown with a sign and the sentence."""

    word: str
    sentence: str


class Paged(Struct, frozen=True):
    """Which panel shows all of its rows, a page at a time, from page 1 on; none if `panel` is empty."""

    panel: str = ""
    page: int = 1


ALL_CUT = Paged()


class TargetView(Struct, frozen=True):
    """One target: how it is, how old that is, its panels."""

    name: str
    condition: Condition
    age: str
    panels: tuple[Panel, ...]


def target_view(shown: TargetShown, names: Iterable[str], paged: Paged = ALL_CUT) -> TargetView:
    """These panels of a target, one of them paged."""
    panels = tuple(PANELS[name](shown, **_rows(name, paged)) for name in names)
    return TargetView(shown.name, condition_of(shown), age_of(shown), panels)


def _rows(panel: str, paged: Paged) -> dict[str, int]:
    if panel == paged.panel:
        return {"most": PAGE_ROWS, "skip": PAGE_ROWS * (paged.page - 1)}
    return {"most": MOST_ROWS}


def overview_view(shown: TargetShown) -> TargetView:
    """What is looked at first, and incidents if there are any."""
    return target_view(shown, ("overview", "incidents") if any(one.open for one in shown.incidents or ()) else ("overview",))


def incidents_alone(shown: TargetShown) -> TargetView:
    """watchdog itself, of which nothing but incidents can be shown."""
    return TargetView(
        shown.name, _burning(shown.incidents or ()) or Condition(WELL, "no incidents"), "", (PANELS["incidents"](shown, most=EVERY),)
    )


def condition_of(shown: TargetShown) -> Condition:
    """How a target is: what fires, else what could not be looked at, else what may fire soon."""
    firing = _burning(shown.incidents or ())
    if firing is not None and firing.word != PENDING:
        return firing
    return _unseen(shown) or firing or Condition(WELL, "no incidents")


def condition_of_all(conditions: Sequence[Condition]) -> Condition:
    """The worst of them, in a sentence about all."""
    if not conditions:
        return Condition(UNKNOWN, "no targets are configured")
    found = min(conditions, key=lambda one: RANK[one.word])
    same = sum(1 for one in conditions if one.word == found.word)
    if found.word == WELL:
        return Condition(WELL, "All targets are well" if len(conditions) > 1 else "All is well")
    if len(conditions) == 1:
        return Condition(found.word, found.sentence[:1].upper() + found.sentence[1:])
    said = {UNKNOWN: "cannot be seen in full", LATE: "not looked at in time", PENDING: "may be in trouble soon"}
    if found.word in said:
        return Condition(found.word, f"{same} of {len(conditions)} targets {said[found.word]}")
    troubled = sum(1 for one in conditions if one.word not in (*said, WELL))
    return Condition(found.word, f"{troubled} of {len(conditions)} targets in trouble")


def age_of(shown: TargetShown) -> str:
    """How old what is shown of a target is."""
    if shown.seen_at is None:
        return shown.why_not
    age_s = max(shown.now - shown.seen_at, 0.0)
    ago = "just now" if age_s < 1 else f"{format_duration(round(age_s))} ago"
    return f"seen {ago}, every {format_duration(shown.interval_s)}"


def _burning(incidents: Sequence[Incident]) -> Condition | None:
    open_ = [one for one in incidents if one.open]
    firing = [one for one in open_ if one.state is not State.PENDING]
    if firing:
        return Condition(worst([one.severity for one in firing]).value, f"{counted(len(firing), 'incident')} firing")
    return Condition(PENDING, f"{counted(len(open_), 'incident')} pending") if open_ else None


def _unseen(shown: TargetShown) -> Condition | None:
    if shown.seen_at is None:
        return Condition(UNKNOWN, f"could not look: {shown.why_not}")
    age_s = shown.now - shown.seen_at
    if shown.interval_s > 0 and age_s > 3 * shown.interval_s + 5:
        return Condition(LATE, f"not looked at for {format_duration(round(age_s))}")
    rows = [row for row in shown.table("sources").rows if row.cells["name"] != "events"]  # without them, Flower's word stands
    down = [str(row.cells["name"]) for row in rows if row.cells.get("up") is not True]
    return Condition(UNKNOWN, f"{' and '.join(down)} not answering") if down else None
