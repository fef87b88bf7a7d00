"""Rows and values as the store's modules know them from SQLite: a row is a tuple whose cells have names, too; a flag is 0 or 1.

PostgreSQL keeps no text with a NUL in it. One in a text from outside is written as `\\x00`, as a reader would see it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from watchdog.store.sql import Given

if TYPE_CHECKING:
    import psycopg

__all__ = ["NamedRow", "named_rows", "storable"]


class NamedRow(tuple[Any, ...]):
    """One row. Each set of columns has a class of its own, which knows where each is."""

    __slots__ = ()
    places: Mapping[str, int] = {}

    def __getitem__(self, name: Any) -> Any:
        return tuple.__getitem__(self, self.places[name] if isinstance(name, str) else name)

    def keys(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self.places)


@lru_cache(maxsize=500)
def _row_class(columns: tuple[str, ...]) -> type[NamedRow]:
    places = {name: place for place, name in reversed(list(enumerate(columns)))}
    return type("Row", (NamedRow,), {"__slots__": (), "places": dict(reversed(places.items()))})


def named_rows(cursor: "psycopg.Cursor[Any]") -> Callable[[Sequence[Any]], Any]:
    """What makes a row of the cells that this cursor read: a row factory of psycopg."""
    return _row_class(tuple(column.name for column in cursor.description or ()))


def storable(given: Given) -> Given:
    """The values of a statement as PostgreSQL takes them."""
    if isinstance(given, Mapping):
        return {name: _storable(value) for name, value in given.items()}
    return tuple([_storable(value) for value in given])


def _storable(value: object) -> object:
    if isinstance(value, str):
        return str(value).replace("\x00", "\\x00")  # an enumeration is a text, too
    return int(value) if isinstance(value, bool) else value
