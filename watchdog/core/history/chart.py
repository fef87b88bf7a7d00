"""One figure over some hours, as it is drawn for people: lines without gaps, limits, deploys.

Values only: what is drawn, never how. A gap is where one line ends and the next begins; nothing stands for it, least of all a zero.
"""

from msgspec import Struct

from watchdog.core.model.severity import Severity

__all__ = ["Chart", "DeployMark", "Limit"]


class Limit(Struct, frozen=True):
    """The number with which a condition compares the figure. `above`: whether it is breached above it, else below."""

    value: float
    severity: Severity
    above: bool = True


class DeployMark(Struct, frozen=True):
    """A deploy that began at `at` (epoch seconds)."""

    at: float
    version: str


class Chart(Struct, frozen=True):
    """A figure from `since` to `until` (epoch seconds). `lines`: (time, value), oldest first; between two of them nothing is known.

    `incident`: whose figure it is; `of`: its key, or its target where there is none; `unit` as that of the column; `began_at`: when the
    incident began. `example`: its figures are made up.
    """

    incident: str
    column: str
    of: str
    target: str
    unit: str
    since: float
    until: float
    began_at: float
    lines: tuple[tuple[tuple[float, float], ...], ...]
    limits: tuple[Limit, ...] = ()
    deploys: tuple[DeployMark, ...] = ()
    example: bool = False

    @property
    def values(self) -> list[float]:
        """All values that are known, oldest first."""
        return [value for line in self.lines for _, value in line]
