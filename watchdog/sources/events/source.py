"""Source `events`: what workers say by themselves, heard by an ear that listens between the cycles.

In: `HearWorkers`, and queries about tasks. Out: what was heard, at once. Targets on the same broker (on Redis: the same database) share one
ear; the last one that is closed ends it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import HearWorkers, Query
from watchdog.core.model.servers.heard import OF_TASKS, CountHeard, CutOff, ListHeard, MeasureEvents, SentTimes
from watchdog.core.model.servers.timings import TimeRuns
from watchdog.sources.base import Answers
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.redis.settings import RedisServerSettings

if TYPE_CHECKING:
    from watchdog.sources.events.ear import Ear
    from watchdog.sources.events.listening import Listening

__all__ = ["EventsBroker", "EventsSource", "SharedEars"]

EventsBroker = RedisServerSettings | CelerySettings
"""Where events are heard: `redis` of a target, or `celery`, which names its broker."""

ITS_OWN = (CountHeard, CutOff, ListHeard, SentTimes, TimeRuns)
"""Queries that only events answer."""
NOT_BEFORE = Gap("events: not listened to before it is known where they are")

FIRST_S = 0.5
"""How long the first question waits for the connection: usually milliseconds, so that the first cycle knows."""
ENDING_S = 1.0
"""How long closing waits for the thread: it ends at once, unless it is just connecting."""


class SharedEars:
    """The ears of one configuration. `changed` is called with a target's name and the reason why nothing is heard, or ""."""

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        self._changed = changed
        self._turn = threading.Lock()
        self._ears: dict[object, tuple[Ear, set[str]]] = {}

    def source(self, target: str, settings: EventsBroker, *, tasks: bool = False, share: float = inf) -> "EventsSource":
        """The source of one target; `tasks`: whether it hears of tasks, too, as long as they cost no more than this `share` of a core."""
        return EventsSource(self, target, settings, tasks=tasks, share=share)

    def ear(self, target: str, settings: EventsBroker, prefix: str, *, tasks: bool, share: float) -> "Ear":
        """The ear that listens for this target, opened if it is the first one there."""
        from watchdog.sources.events.ear import Ear  # noqa: PLC0415 - needed by the daemon alone

        key = (settings.place, "" if isinstance(settings, CelerySettings) else prefix, tasks, share)
        with self._turn:
            if key not in self._ears:
                ear = Ear(_listening(settings, prefix), lambda reason: self._changed(target, reason), tasks=tasks, share=share)
                ear.start()
                self._ears[key] = (ear, set())
            ear, users = self._ears[key]
            users.add(target)
        return ear

    def leave(self, target: str) -> None:
        """This target listens no more: an ear that nobody needs is closed."""
        unneeded: list[Ear] = []
        with self._turn:
            for key, (ear, users) in list(self._ears.items()):
                users.discard(target)
                if not users:
                    del self._ears[key]
                    unneeded.append(ear)
        for ear in unneeded:
            ear.close(ENDING_S)


class EventsSource:
    """The events of one target's broker."""

    name = "events"
    longest_s = FIRST_S

    def __init__(self, ears: SharedEars, target: str, settings: EventsBroker, *, tasks: bool, share: float) -> None:
        self._ears, self._target, self._settings, self._tasks, self._share = ears, target, settings, tasks, share
        self._ear: Ear | None = None
        self._prefix = ""

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Say what was heard; the first question opens the ear."""
        replies: dict[Query, object] = {}
        for query in queries:
            if isinstance(query, HearWorkers):  # it names the prefix of the channels
                replies[query] = self._listening(query.prefix).heard()
            elif isinstance(query, MeasureEvents):
                replies[query] = NOT_BEFORE if self._ear is None else self._ear.measured()
            elif type(query) not in OF_TASKS and not isinstance(query, ITS_OWN):
                replies[query] = Gap(f"events: does not know the question {type(query).__name__}")
        of_tasks = [query for query in queries if query not in replies]
        if self._ear is None and all(isinstance(query, ITS_OWN) for query in of_tasks):
            replies |= dict.fromkeys(of_tasks, NOT_BEFORE)
        elif of_tasks:
            replies |= self._listening(self._prefix).answers(of_tasks)
        return Answers(replies, None if self._ear is None else self._ear.latency_ms)

    def learn(self, names: Mapping[str, str]) -> None:
        """Only a task's first events say its name: take it from who heard them (task id -> name)."""
        if self._ear is not None:
            self._ear.learn(names)

    def close(self) -> None:
        """Stop listening."""
        self._ears.leave(self._target)
        self._ear = None

    def _listening(self, prefix: str) -> "Ear":
        if self._ear is None or prefix != self._prefix:
            self._ears.leave(self._target)
            self._ear = self._ears.ear(self._target, self._settings, prefix, tasks=self._tasks, share=self._share)
            self._prefix = prefix
            self._ear.wait(FIRST_S)
        return self._ear


def _listening(settings: EventsBroker, prefix: str) -> "Listening":
    """The way to the events of this broker."""
    if isinstance(settings, CelerySettings):
        from watchdog.sources.events.amqp_queue import AmqpQueue  # noqa: PLC0415 - imports kombu, which is slow

        return AmqpQueue(settings)
    from watchdog.sources.events.redis_channels import RedisChannels  # noqa: PLC0415 - imports redis, which is slow

    return RedisChannels(settings, prefix)
