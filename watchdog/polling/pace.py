"""How long answers are reused, so that looking stays cheap for a source that holds much.

In: how long it took to answer the questions whose answers may be reused. Out: for how many seconds each answer is good. Flower answers on
its only event loop, and what a list of tasks or `/metrics` costs it grows with what it holds: where all of them together would keep
it busy for more than 5 ms a second, the costly ones are asked less often, by the same factor.
"""

from collections.abc import Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query

__all__ = ["PollPace"]

BUSY_S = 0.005
"""How much of each second a source may be kept busy by questions whose answers are reused: 300 ms a minute."""
CHEAP = 0.1
"""A question with less than this part in it is not asked less often: that would help nobody."""
LONGEST_FACTOR = 4.0
"""However slow it answers: counters at least once a minute, lists of tasks at least every two minutes."""


class PollPace:
    """One target's pace. Of each question the quicker one of its last two answers counts: a hiccup is not a burden."""

    def __init__(self) -> None:
        self._took_s: dict[Query, tuple[float, ...]] = {}

    def note(self, took_s: Mapping[Query, float], answers: Mapping[Query, object]) -> None:
        """What a batch took; gaps say nothing of what an answer costs."""
        for query, seconds in took_s.items():
            if query.good_for_s and not isinstance(answers.get(query), Gap):
                self._took_s[query] = (*self._took_s.get(query, ())[-1:], seconds)

    def keep(self, asked: Mapping[Query, object]) -> None:
        """Forget the questions that are not asked any more."""
        self._took_s = {query: took for query, took in self._took_s.items() if query in asked}

    def good_for_s(self, query: Query) -> float:
        """How long an answer to it is reused (seconds): its own `good_for_s`; up to four times that where it has a part in too much."""
        busy_s = sum(self._busy_s(q) for q in self._took_s if q.source == query.source)
        if self._busy_s(query) < BUSY_S * CHEAP:
            return query.good_for_s
        return query.good_for_s * min(max(busy_s / BUSY_S, 1.0), LONGEST_FACTOR)

    def _busy_s(self, query: Query) -> float:
        """How much of each second it takes, asked as often as it wants."""
        return min(self._took_s.get(query, (0.0,))) / query.good_for_s if query.good_for_s else 0.0
