"""The poll pace: how long answers are reused, so that polling stays cheap for a source that holds much data.

In: how long it took to answer the queries whose answers may be reused. Out: for how many seconds each answer is valid. Flower answers on
its only event loop, and the cost of a list of tasks or `/metrics` grows with what it holds: if all of them together would keep it busy for
more than 5 ms per second, the costly ones are asked less often, by the same factor.
"""

from collections.abc import Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query

__all__ = ["PollPace"]

BUSY_S = 0.005
"""The share of time that a source may be busy with queries whose answers are reused: 300 ms a minute."""
CHEAP = 0.1
"""A query with less than this share of the limit is not asked less often: that would not help."""
LONGEST_FACTOR = 4.0
"""The limit, however slow the source: counters at least once a minute, lists of tasks at least every two minutes."""


class PollPace:
    """The pace of one target. The faster of a query's last two answers counts, so that a single slow answer changes nothing."""

    def __init__(self) -> None:
        self._took_s: dict[Query, tuple[float, ...]] = {}

    def note(self, took_s: Mapping[Query, float], answers: Mapping[Query, object]) -> None:
        """Record how long a batch took; gaps are ignored, as they do not show the cost of an answer."""
        for query, seconds in took_s.items():
            if query.good_for_s and not isinstance(answers.get(query), Gap):
                self._took_s[query] = (*self._took_s.get(query, ())[-1:], seconds)

    def keep(self, asked: Mapping[Query, object]) -> None:
        """Forget queries that are no longer asked."""
        self._took_s = {query: took for query, took in self._took_s.items() if query in asked}

    def good_for_s(self, query: Query) -> float:
        """How long its answer is reused (seconds): its own `good_for_s`, or up to four times that if it adds to an excessive load."""
        busy_s = sum(self._busy_s(q) for q in self._took_s if q.source == query.source)
        if self._busy_s(query) < BUSY_S * CHEAP:
            return query.good_for_s
        return query.good_for_s * min(max(busy_s / BUSY_S, 1.0), LONGEST_FACTOR)

    def _busy_s(self, query: Query) -> float:
        """The share of time that it keeps the source busy, if asked at its own interval."""
        return min(self._took_s.get(query, (0.0,))) / query.good_for_s if query.good_for_s else 0.0
