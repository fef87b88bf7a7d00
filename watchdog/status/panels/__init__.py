"""The panels of a target: what a person looks at first, the same on a terminal and on the page.

In: a `TargetShown`. Out: a `Panel` of values, which each medium draws in its own way. Pure.
"""

import sys
from collections.abc import Mapping
from typing import Protocol

from watchdog.status.panel import Panel
from watchdog.status.panels.figures import metrics, overview
from watchdog.status.panels.tables import queues, tasks, workers
from watchdog.status.panels.trend import trend
from watchdog.status.panels.trouble import errors, incidents
from watchdog.status.shown import TargetShown

__all__ = ["EVERY", "PANELS"]


class _PanelOf(Protocol):
    def __call__(self, shown: TargetShown, *, most: int = ..., skip: int = 0) -> Panel: ...


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
"""Name -> panel, in the order in which they are shown; `most`: how many rows it shows at most, `skip`: how many are before them."""

EVERY = sys.maxsize
