"""Tasks, where events are heard beside a Flower: both are asked, and each list is what both know (`core/model/servers/both_lists.py`).

In: the source of events, and Flower's answers. Out: what was counted, and Flower's lists with what was heard. Events count from the second
poll on that finds them heard over the same connection: at the first, Flower is asked for everything anew, so that it is known what it knew
when they began. When they are lost it is asked anew, too.
"""

from collections.abc import Iterable, Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, RunningTasks, WaitingTasks
from watchdog.core.model.replies import EventCounters, TaskSeen
from watchdog.core.model.servers.both_lists import list_of_both
from watchdog.core.model.servers.heard import FAILURES_HEARD, LISTS, CountHeard, Heard, ListHeard
from watchdog.sources.base import Learning, Source

__all__ = ["NAMED", "BesideFlower"]

COUNTED = CountHeard()
NAMED = (WaitingTasks(), RunningTasks(1000))
"""What Flower is asked as events begin to be heard: the names of tasks are said once, when a worker receives them."""


class BesideFlower:
    """The events of one target that has a Flower. Used by one poll at a time."""

    def __init__(self, events: Source) -> None:
        self._events = events
        self._since: float | None = None
        self._counts = False
        self._failed: object = None

    @property
    def lacks_names(self) -> bool:
        """Whether the names of tasks were said before, if events have just begun to be heard."""
        return self._since is not None and isinstance(self._events, Learning)

    def hear(self) -> tuple[Mapping[Query, object], bool]:
        """Begin a poll: return what was counted, and whether what Flower said earlier must not be used any more.

        Failures are among it only where events count now.
        """
        replies = self._events.ask([COUNTED, FAILURES_HEARD]).replies  # at the same moment: a failure is in both or in neither
        counted, self._failed = replies.get(COUNTED), replies.get(FAILURES_HEARD)
        since = counted.started_at if isinstance(counted, EventCounters) else None
        changed, self._counts = since != self._since, since is not None and since == self._since
        self._since = since
        heard: dict[Query, object] = {COUNTED: counted, **({FAILURES_HEARD: self._failed} if self._counts else {})}
        return ({} if counted is None else heard), changed

    def learn(self, answers: Iterable[object]) -> None:
        """Tell events the names of the tasks in these lists of Flower's, which they may have missed."""
        if isinstance(self._events, Learning):
            listed = [task for tasks in answers if isinstance(tasks, tuple) for task in tasks if isinstance(task, TaskSeen)]
            self._events.learn({task.id: task.name for task in listed if task.name})

    def added_to(self, answers: Mapping[Query, object]) -> Mapping[Query, object]:
        """Return Flower's answers, each list with what was heard."""
        lists = [query for query in answers if isinstance(query, LISTS)] if self._counts else []
        if not lists:
            return answers
        asked = {query: ListHeard(query, _ids(answers[query])) for query in lists if query != FAILURES_HEARD.wanted}
        heard = {**(self._events.ask(list(asked.values())).replies if asked else {}), FAILURES_HEARD: self._failed}
        return {**answers, **{query: _both(query, answers[query], heard.get(asked.get(query, FAILURES_HEARD))) for query in lists}}


def _ids(listed: object) -> tuple[str, ...]:
    return tuple(task.id for task in listed if isinstance(task, TaskSeen)) if isinstance(listed, tuple) else ()


def _both(query: Query, listed: object, heard: object) -> object:
    if not isinstance(heard, Heard) or not isinstance(listed, tuple | Gap):
        return listed
    return list_of_both(query, listed, heard)
