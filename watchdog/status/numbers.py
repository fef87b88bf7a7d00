"""Numbers as short as they are read at a glance: on a terminal and on the page.

Pure: numbers in, text out. None is a gap, and never a zero.
"""

from watchdog.core.text.durations import format_duration

__all__ = ["NOTHING", "percent", "short", "time_short"]

NOTHING = "?"
"""What stands for a value that nobody could read."""
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


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
