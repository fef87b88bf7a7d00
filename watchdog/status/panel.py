"""What panels are made of, as values: a terminal draws them with characters, the page with HTML and SVG.

A number that nobody could read is None, and is drawn as unknown, never as zero.
"""

from msgspec import Struct

__all__ = [
    "Bar", "Block", "Cell", "Course", "Heading", "HourChart", "HourColumn", "Ink", "Line", "More", "Panel", "Piece", "Sheet", "Subject",
    "Tile", "Tiles",
]  # fmt: skip


class Ink(Struct, frozen=True):
    """A text with its style: a severity, or `good`, `bad`, `odd`, `faint`, `strong`. `incident`: the id of the incident that it names."""

    text: str
    style: str
    incident: str = ""


Piece = str | Ink


class Bar(Struct, frozen=True):
    """A share between 0 and 1 as a bar; on a terminal it is `width` characters long."""

    share: float | None
    width: int
    style: str = ""


class Course(Struct, frozen=True):
    """How a figure went: one value for each step of time, oldest first."""

    values: tuple[float | None, ...]
    style: str = "chart"


Cell = Piece | Bar | Course | tuple[Piece | Bar | Course, ...]
"""The content of a cell, or several that are joined without separators."""


class Line(Struct, frozen=True):
    """One line; its pieces are joined without separators."""

    pieces: tuple[Piece | Bar, ...] = ()
    indent: int = 0

    @classmethod
    def of(cls, *pieces: Piece | Bar, indent: int = 0) -> "Line":
        """A line of these pieces."""
        return cls(pieces, indent)


class Heading(Struct, frozen=True):
    """The header of a column. `right`: numbers, aligned to the right; `elastic`: its cells are cut where there is too little room.

    `spare`: where cutting does not help, columns are left out, the one with the greatest number first; 0: never.
    """

    text: str
    right: bool = False
    elastic: bool = False
    spare: int = 0


class Subject(Struct, frozen=True):
    """What a row is about, by its whole name: a `worker`, a `queue`, a `run` (one running task, by its id) or a `task` (by its name)."""

    kind: str
    name: str


class Sheet(Struct, frozen=True):
    """A table, each row of which stays on one line of a terminal. `subjects`: one for each row, or none where rows are about nothing."""

    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    subjects: tuple[Subject, ...] = ()


class Tile(Struct, frozen=True):
    """One figure that is looked at first, and how it went."""

    name: str
    value: Cell
    course: Course | None = None


class Tiles(Struct, frozen=True):
    """Several figures side by side."""

    tiles: tuple[Tile, ...]


class HourColumn(Struct, frozen=True):
    """One hour of a chart, from `label` on, by the clock that people read. `deploys`: the versions whose deploy began in it."""

    label: str
    succeeded: float | None
    failed: float | None
    watched_s: float
    deploys: tuple[str, ...] = ()

    @property
    def finished(self) -> float | None:
        """Tasks that ended in it."""
        return None if self.succeeded is None or self.failed is None else self.succeeded + self.failed


class HourChart(Struct, frozen=True):
    """Tasks an hour, oldest first. `named`: the last deploys in it, with their times."""

    hours: tuple[HourColumn, ...]
    named: tuple[str, ...] = ()


class More(Struct, frozen=True):
    """How many rows of a panel are left out."""

    count: int
    panel: str


Block = Line | Sheet | Tiles | HourChart | More


class Panel(Struct, frozen=True):
    """A titled part. `note`: what stands at the other end of its title."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    note: str = ""

    @property
    def after(self) -> int:
        """How many rows follow those that it shows."""
        return sum(block.count for block in self.blocks if isinstance(block, More))
