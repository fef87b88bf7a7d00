"""The page of `watchdog status`: for each target a line that says how old it is, then its panels."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from watchdog.cli.output.page import Block, Ink, Line, Panel
from watchdog.cli.status.figures import metrics, overview, trend
from watchdog.cli.status.tables import queues, tasks, workers
from watchdog.cli.status.trouble import errors, incidents
from watchdog.core.text.durations import format_duration
from watchdog.status.shown import TargetShown

__all__ = ["PANELS", "status_page"]


class _PanelOf(Protocol):
    def __call__(self, shown: TargetShown, *, every: bool = ...) -> Panel: ...


PANELS: Mapping[str, _PanelOf] = {
    "overview": overview,
    "incidents": incidents,
    "workers": workers,
    "tasks": tasks,
    "queues": queues,
    "metrics": metrics,
    "trend": trend,
    "errors": errors,
}
"""Name -> panel, in the order of the page."""


def status_page(targets: Sequence[TargetShown], panels: Sequence[str], footer: str) -> list[Block]:
    """These panels of all targets; a panel that was asked for by name shows every row."""
    chosen, every = panels or tuple(PANELS), bool(panels)
    page: list[Block] = []
    for shown in targets:
        page += [_heading(shown), *(PANELS[name](shown, every=every) for name in chosen)]
    return [*page, Line.of(Ink(footer, "faint"))]


def _heading(shown: TargetShown) -> Line:
    """The target, and how old what is shown of it is."""
    name = Ink(f" {shown.name} ", "strong")
    if shown.seen_at is None:
        return Line.of(name, Ink(f"could not look: {shown.why_not}", "bad"))
    age_s = max(shown.now - shown.seen_at, 0.0)
    age = "just now" if age_s < 1 else f"{format_duration(round(age_s))} ago"
    if shown.live:
        unwatched = "; no `watchdog run` uses this database" if shown.watched is False else ""
        return Line.of(name, Ink(f"looked at {age}{unwatched}", "odd" if unwatched else "faint"))
    late = shown.interval_s > 0 and age_s > 3 * shown.interval_s + 5
    return Line.of(name, Ink(f"as watchdog saw it {age}, every {format_duration(shown.interval_s)}", "bad" if late else "faint"))
