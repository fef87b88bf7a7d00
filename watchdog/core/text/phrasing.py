"""Format values for people, in messages and on the terminal.

Input: a cell, or any text. Output: short text that is safe to print: no control characters, no endless lines.
"""

import math
import re
import shlex
from collections.abc import Callable, Mapping

from watchdog.core.model.rows import Cell
from watchdog.core.text.durations import format_duration

__all__ = ["FILTERS", "TemplateValue", "cut", "format_value", "tidy", "value_of", "worth_showing"]

_LONGEST = 2_000
_ENDLESS = (math.inf, -math.inf)


class _Unknown:
    """A gap inside a template: false, equal to nothing, neither more nor less than anything; shown as `unknown`."""

    def __str__(self) -> str:
        return "unknown"

    def __bool__(self) -> bool:
        return False

    def _no(self, other: object) -> bool:
        return False

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _no
    __hash__ = object.__hash__


_UNKNOWN = _Unknown()
TemplateValue = float | str | bool | _Unknown


def value_of(cell: Cell) -> TemplateValue:
    """Convert a cell for a template. A long text is cut, so that no template can multiply it."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return _UNKNOWN
    return cut(cell) if isinstance(cell, str) else cell


def format_value(value: object) -> str:
    """Format whole numbers without `.0`, others with at most two decimals, booleans as yes or no; texts stay unchanged."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _decimal(value) if isinstance(value, int | float) else str(value)


def worth_showing(values: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return the values worth showing beside a summary: no empty text, no `no`, no infinity, which means "never" or "no limit"."""
    return {name: cell for name, cell in values.items() if cell is None or not (cell == "" or cell is False or cell in _ENDLESS)}


def _decimal(number: float, places: int = 2, separator: str = "") -> str:
    if math.isinf(number):
        return "infinity" if number > 0 else "-infinity"
    if abs(number) >= 1e15:
        return f"{number:.3g}"
    text = f"{number:{separator}.{places}f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short == "-0" else short


def _bytes(number: float) -> str:
    """Format as `1.5 GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    step = 0
    while abs(number) >= 1024 and step < len(units) - 1:
        number /= 1024
        step += 1
    return f"{_decimal(number, 1)} {units[step]}"


def _percent(ratio: float) -> str:
    """Format 0.955 as `95.5%`."""
    return f"{_decimal(ratio * 100, 1)}%"


def _percent_down(ratio: float) -> str:
    """Format 0.99896 as `99.896%`: never rounded up, and exact to a thousandth of what is missing to 100%.

    So a share that is smaller than a promise never reads as the promise, as 99.9% of 99.9% would.
    """
    missing = round((1.0 - ratio) * 100, 10)  # without what floats add: 1 - 0.999 is 0.0010000000000000009
    if not 0.0 < missing < 100.0:
        return _percent(ratio)
    places = max(2 - math.floor(math.log10(missing)), 0)
    return f"{_decimal(100 - math.ceil(round(missing * 10**places, 6)) / 10**places, places)}%"


def _thousands(number: float) -> str:
    """Format as `12,345.5`."""
    return _decimal(number, separator=",")


def _of_numbers(show: Callable[[float], str]) -> Callable[[object], str]:
    """Create a filter that does not format anything but numbers."""

    def shown(value: object) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return show(float(value)) if is_number else format_value(value)  # type: ignore[arg-type]  # mypy does not follow the flag

    return shown


def _of_a_word(value: object) -> str:
    """Quote a value for a shell if it needs that: names are made by whoever sends a message."""
    return shlex.quote(format_value(value))


FILTERS: Mapping[str, Callable[[object], str]] = {
    "duration": _of_numbers(format_duration),
    "bytes": _of_numbers(_bytes),
    "percent": _of_numbers(_percent),
    "percent_down": _of_numbers(_percent_down),
    "number": _of_numbers(_thousands),
    "shell": _of_a_word,
}
"""Name -> formatter: of seconds, bytes, a ratio, a number with thousands separators; of a word in a command that somebody may run."""

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # text direction
    "\xad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"  # invisible; joiners, which scripts need, stay
    "\ud800-\udfff]"  # half a surrogate pair
)


def tidy(text: str) -> str:
    """Remove control characters; line ends become one newline, tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\t", " ")
    return _CONTROL.sub("", lines).strip()


def cut(text: str) -> str:
    """Cut to 2,000 characters, the last one then an ellipsis."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
