"""Which columns are read, so that costly queries are made only if a rule, a query or an expectation needs them.

Input: table -> columns, as collected when rules and queries are checked. Output: a `Demand`, which a costly table checks before it queries
a source.
"""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["NOT_READ", "Demand"]

NOT_READ = "no loaded rule reads it"
"""Why a column that nobody reads is idle."""


class Demand(Struct, frozen=True):
    """The columns that somebody reads. `reads` is None if everything is read."""

    reads: Mapping[str, frozenset[str]] | None = None
    history: bool = False
    """Whether history is kept: it reads runtimes too, but is content with fewer queries."""

    def wants(self, table: str, *columns: str) -> bool:
        """Whether somebody reads this table (if only to count its rows), or one of these columns of it."""
        if self.reads is None:
            return True
        read = self.reads.get(table)
        return read is not None and (not columns or not read.isdisjoint(columns))
