"""The types that settings of sources and receivers share: what a user writes on the left, what the code gets on the right."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from watchdog.core.durations import parse_duration

__all__ = ["Duration", "PositiveDuration"]

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""A duration such as `"1h30m"`; seconds."""

PositiveDuration = Annotated[Duration, Field(gt=0)]
"""A duration longer than nothing, such as a timeout; seconds."""
