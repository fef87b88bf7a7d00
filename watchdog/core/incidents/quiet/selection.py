"""Which of many lists of matchers select an incident, without trying each: there may be thousands of silences and routes.

Lists that require a label to have one value are found by that value; the others are tried. Incidents that are equal in every label that
any list mentions are answered once.

Input: lists of matchers, each with what it stands for; labels. Output: what the lists that hold stand for, in their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from watchdog.core.incidents.quiet.matchers import Matcher, match

__all__ = ["MOST_REMEMBERED", "Selection"]

T = TypeVar("T")

MOST_REMEMBERED = 50_000


class Selection(Generic[T]):
    """Lists of matchers, each standing for something."""

    def __init__(self, entries: Iterable[tuple[Sequence[Matcher], T]]) -> None:
        self._entries = tuple((tuple(matchers), stands_for) for matchers, stands_for in entries)
        self._mentioned = tuple(sorted({matcher.label for matchers, _ in self._entries for matcher in matchers}))
        self._by_value: dict[tuple[str, str], list[int]] = {}
        self._tried: list[int] = []
        for position, (matchers, _) in enumerate(self._entries):
            required = next((m for m in matchers if m.operator == "=" and m.value), None)
            (self._tried if required is None else self._by_value.setdefault((required.label, required.value), [])).append(position)
        self._found: dict[tuple[str, ...], tuple[T, ...]] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._entries)

    def holding(self, labels: Mapping[str, str]) -> tuple[T, ...]:
        """Return what the lists that hold for these labels stand for."""
        if not self._entries:
            return ()
        values = tuple([labels.get(label, "") for label in self._mentioned])
        found = self._found.get(values)
        if found is None:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            found = self._found[values] = self._search(labels, values)
        return found

    def _search(self, labels: Mapping[str, str], values: Sequence[str]) -> tuple[T, ...]:
        required = (self._by_value.get(pair, ()) for pair in zip(self._mentioned, values, strict=True))
        candidates = sorted([*self._tried, *(position for positions in required for position in positions)])
        return tuple(self._entries[position][1] for position in candidates if match(self._entries[position][0], labels))
