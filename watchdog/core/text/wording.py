"""Short phrases shared by several pages."""

from collections.abc import Mapping

from watchdog.core.model.rows import Cell
from watchdog.core.text.phrasing import format_value

__all__ = ["counted", "key_text", "values_text"]


def counted(count: int, word: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def key_text(key: Mapping[str, str]) -> str:
    """`name=indexing`."""
    return ", ".join(f"{name}={value}" for name, value in key.items())


def values_text(values: Mapping[str, Cell]) -> str:
    """`length=60, consumers=?`; a cell without a value is a question mark."""
    return ", ".join(f"{name}={'?' if cell is None else format_value(cell)}" for name, cell in values.items())
