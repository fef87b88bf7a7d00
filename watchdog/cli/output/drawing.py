"""Figures as pictures of characters: bars, sparklines, columns; and numbers as short as they are read at a glance.

Pure: numbers in, pieces of text out. A value that is None is a gap, and is drawn as a dot, never as a zero.
"""

from collections.abc import Sequence
from itertools import groupby

from watchdog.cli.output.page import Ink, Piece
from watchdog.core.history.recent import level as level_of
from watchdog.core.text.durations import format_duration

__all__ = ["NOTHING", "bar", "columns", "percent", "short", "spark", "time_short"]

NOTHING = "?"
"""What stands for a value that nobody could read."""
GAP = "·"
_EIGHTHS_UP = " ▁▂▃▄▅▆▇█"
_EIGHTHS_ALONG = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


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


def short(number: float | None, below: float = 100_000) -> str:
    """`12,345` below this number, then `123k`, `1.2M`; a fraction keeps at most two digits."""
    if number is None:
        return NOTHING
    if abs(number) >= below:
        size, unit = next((size, unit) for size, unit in _UNITS if abs(number) >= size)
        scaled = number / size
        return f"{scaled:.0f}{unit}" if abs(scaled) >= 10 else f"{scaled:.1f}{unit}".replace(f".0{unit}", unit)
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if abs(number) >= 10 else f"{number:.2g}"


def percent(ratio: float | None) -> str:
    """`12 %`, `0.4 %`; what is more than nothing is never 0."""
    if ratio is None:
        return NOTHING
    if 0 < ratio < 0.0005:
        return "<0.1 %"
    hundredths = ratio * 100
    return f"{hundredths:.0f} %" if hundredths >= 10 or hundredths == int(hundredths) else f"{hundredths:.1f} %".replace(".0 %", " %")


def time_short(seconds: float | None) -> str:
    """A duration in two digits and its unit: `1.2s`, `4m30s`, `2d3h`."""
    if seconds is None:
        return NOTHING
    if seconds < 0.001:
        return "0s"
    return format_duration(float(f"{seconds:.2g}")) if seconds < 100 else format_duration(round(seconds))
