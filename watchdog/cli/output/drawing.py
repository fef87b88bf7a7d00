"""Figures as pictures of characters: bars, sparklines, columns.

Pure: numbers in, pieces of text out. A value that is None is a gap, and is drawn as a dot, never as a zero.
"""

from collections.abc import Sequence
from itertools import groupby

from watchdog.cli.output.page import Ink, Piece
from watchdog.core.history.recent import level as level_of
from watchdog.status.numbers import NOTHING

__all__ = ["bar", "columns", "spark"]

GAP = "·"
_EIGHTHS_UP = " ▁▂▃▄▅▆▇█"
_EIGHTHS_ALONG = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def bar(share: float | None, width: int, style: str = "") -> tuple[Piece, ...]:
    """A bar of `width` characters, filled to this share; its rest is faint."""
    if share is None:
        return (Ink(NOTHING.ljust(width), "faint"),)
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    filled = "█" * (eighths // 8) + _EIGHTHS_ALONG[eighths % 8]
    return (Ink(filled, style) if style else filled, Ink("░" * (width - len(filled)), "faint"))


def spark(values: Sequence[float | None], style: str = "", top: float | None = None) -> tuple[Piece, ...]:
    """One character each, as high as its value; zero is the lowest line, a gap is a dot. `top`: the value of the highest."""
    highest = top if top is not None else max((value for value in values if value is not None), default=0.0)
    pieces: list[Piece] = []
    for is_gap, group in groupby(values, key=lambda value: value is None):
        text = "".join(GAP if value is None else level_of(value, highest) for value in group)
        pieces.append(Ink(text, "faint" if is_gap else style))
    return tuple(pieces)


def columns(values: Sequence[float | None], height: int, width: int, style: str = "") -> list[tuple[Piece, ...]]:
    """A chart of columns, `width` characters each and one apart, as lines from the top down. A gap is a dot on the lowest line."""
    highest = max((value for value in values if value is not None), default=0.0)
    eighths = [None if value is None else _height(value, highest, height) for value in values]
    lines: list[tuple[Piece, ...]] = []
    for level in range(height - 1, -1, -1):
        pieces: list[Piece] = []
        for nth, high in enumerate(eighths):
            space = " " if nth else ""
            if high is None:
                pieces.append(Ink(space + (GAP * width if level == 0 else " " * width), "faint"))
            else:
                pieces.append(Ink(space + _EIGHTHS_UP[min(max(high - level * 8, 0), 8)] * width, style))
        lines.append(tuple(pieces))
    return lines


def _height(value: float, highest: float, height: int) -> int:
    """In eighths of a character; what is more than nothing is seen."""
    return max(round(value / highest * height * 8), 1) if highest > 0 and value > 0 else 0
