"""What is read of the tables: so that what is costly is asked only where a rule, a query or an expectation needs it.

In: table -> columns, as the checks of rules and queries tell them. Out: a `Demand`, which a costly table asks before it asks a source.
"""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["NOT_READ", "Demand"]

NOT_READ = "no loaded rule reads it"
"""Why a column is idle that nobody wants."""


class Demand(Struct, frozen=True):
    """The columns that somebody reads; `reads` is None where everything is wanted."""

    reads: Mapping[str, frozenset[str]] | None = None

    def wants(self, table: str, *columns: str) -> bool:
        """Whether somebody reads this table (if only to count its rows), or one of these columns of it."""
        if self.reads is None:
            return True
        read = self.reads.get(table)
        return read is not None and (not columns or not read.isdisjoint(columns))
