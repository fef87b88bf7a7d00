"""Figures as they are printed: what was measured, beside its floor and its target, and whether it was met."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

__all__ = ["Figure", "Skipped", "by_round", "table"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one run.

    `floor`: the least that the same work costs, in the same unit. What is held against `most` is their ratio where there is a floor,
    else `measured`. Without `most` there is no target: the figure stands there to be compared.
    """

    what: str
    measured: float
    unit: str
    floor: float | None = None
    most: float | None = None
    ratio: float | None = None
    """Measured over floor: the median of the rounds, where there were rounds."""

    @property
    def met(self) -> bool | None:
        """Whether it keeps its target; None without one."""
        held = self.measured if self.ratio is None else self.ratio
        return None if self.most is None else held <= self.most

    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        target = "" if self.most is None else f"<= {self.most:g}{' x' if self.ratio is not None else f' {self.unit}'}"
        return (
            self.what,
            f"{self.measured:.3g} {self.unit}",
            "" if self.floor is None else f"{self.floor:.3g} {self.unit}",
            "" if self.ratio is None else f"{self.ratio:.2f} x",
            target,
            {None: "", True: "met", False: "MISSED"}[self.met],
        )


@dataclass(frozen=True, slots=True)
class Skipped:
    """What could not be measured here, and why."""

    what: str
    why: str


def by_round(what: str, unit: str, rounds: Iterable[tuple[float, float]], most: float | None) -> Figure:
    """A figure of (measured, floor) pairs, each taken one after the other: the medians, and the median of the ratios."""
    pairs = list(rounds)
    measured, floor = (median(side) for side in zip(*pairs, strict=True))
    return Figure(what, measured, unit, floor, most, median(a / b for a, b in pairs))


HEAD = ("what", "measured", "floor", "ratio", "target", "")


def table(found: Iterable[Figure | Skipped]) -> str:
    """All of them as text, and beneath what was skipped."""
    found = list(found)
    rows = [HEAD, *(figure.cells() for figure in found if isinstance(figure, Figure))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *(f"skipped: {s.what}: {s.why}" for s in found if isinstance(s, Skipped))])
