"""Redis: the source that sends queries to Celery's broker, or to its result backend, and returns replies or gaps."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from watchdog.core.model.queries import Query
from watchdog.sources.base import Answers
from watchdog.sources.redis.sentinel_address import SentinelAddress
from watchdog.sources.redis.settings import RedisServerSettings, RedisSettings, ResultsSettings

if TYPE_CHECKING:
    from watchdog.sources.redis.pipeline import Batches

__all__ = ["RedisSettings", "RedisSource", "ResultsSettings", "ResultsSource"]


class RedisSource:
    """One Redis, over one connection that is opened at the first query, kept, and opened again if it is lost."""

    name = "redis"

    def __init__(self, settings: RedisServerSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._opened: Batches | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), without name resolution: a kept connection that is dead, then a new one.

        Sentinels may take twice as long again: to check whether the master is still the same, and to find the current one.
        """
        once = self._settings.connect_timeout + self._settings.timeout
        return (4 if isinstance(self._settings.place, SentinelAddress) else 2) * once

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Answer every query with its reply type or a gap; if the connection or PING fails, all get the same gap."""
        if self._opened is None:
            from watchdog.sources.redis.pipeline import Batches  # noqa: PLC0415 - imports redis, which is slow

            self._opened = Batches(self._settings, self._clock, self.name)
        return self._opened.ask(queries)

    def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            self._opened.close()


class ResultsSource(RedisSource):
    """The Redis where task results are stored, if it is not the broker's or is another database of it."""

    name = "results"
