"""The setting `chart` of receivers whose services take pictures."""

from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator, StrictBool

from watchdog.receivers.pictures.picture import NO_LIBRARY
from watchdog.receivers.settings import ReceiverSettings

__all__ = ["ChartSettings"]


def _drawable(chart: bool) -> bool:  # noqa: FBT001 - the signature of a validator
    if chart and find_spec("matplotlib") is None:
        raise ValueError(NO_LIBRARY)
    return chart


class ChartSettings(ReceiverSettings):
    """`chart`: whether the chart of the figure goes along with a message, for the last six hours."""

    chart: Annotated[StrictBool, AfterValidator(_drawable)] = False

    @property
    def shows_charts(self) -> bool:
        """Whether its messages are given charts."""
        return self.chart
