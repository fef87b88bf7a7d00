"""`[[target.objective]]`: which share of tasks is to start in time, or to succeed.

In: the tables as written. Out: objectives as the core sees them.
"""

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, model_validator

from watchdog.core.model.target import MONTH_S, Objective
from watchdog.net.settings_types import OneName, PositiveDuration

__all__ = ["ObjectiveSettings", "repeated", "to_objectives"]

SHORTEST_S, LONGEST_S = 86400.0, 90 * 86400.0
Share = Annotated[float, Field(gt=0, lt=1)]
Text = Annotated[StrictStr, Field(min_length=1)]


def _long_enough(over_s: float) -> float:
    if not SHORTEST_S <= over_s <= LONGEST_S:
        raise ValueError('expected a time from "1d" to "90d"')
    return over_s


class ObjectiveSettings(BaseModel):
    """One `[[target.objective]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    name: Text | None = None
    queue: OneName | None = None
    task: Text | None = None
    max_wait: PositiveDuration | None = None
    share: Share | None = None
    success: Share | None = None
    over: Annotated[PositiveDuration, AfterValidator(_long_enough)] = MONTH_S

    @model_validator(mode="after")
    def _is_one_promise(self) -> "ObjectiveSettings":
        if (self.queue is None) == (self.task is None):
            raise ValueError(f"expected queue or task, found {'none' if self.queue is None else 'both'}")
        if (self.share is None) != (self.max_wait is None):
            raise ValueError('expected max_wait and share together, such as max_wait = "5m", share = 0.99; found one of them')
        if (self.share is None) == (self.success is None):
            found = "none" if self.share is None else "both"
            raise ValueError(f"expected max_wait with share, or success, found {found}")
        if self.success is not None and self.task is None:
            raise ValueError("expected task beside success: outcomes are counted by task, not by queue; found queue")
        return self


def _name(one: ObjectiveSettings) -> str:
    return one.name or one.queue or one.task or ""


def repeated(settings: tuple[ObjectiveSettings, ...]) -> str | None:
    """The name that several have; None if each has its own."""
    return next((name for name, count in Counter(map(_name, settings)).items() if count > 1), None)


def to_objectives(settings: tuple[ObjectiveSettings, ...]) -> tuple[Objective, ...]:
    """The objectives of a target."""
    return tuple(Objective(_name(one), one.share or one.success or 0.0, one.queue, one.task, one.max_wait, one.over) for one in settings)
