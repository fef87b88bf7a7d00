"""Redis: the source that carries questions to Celery's broker, or to where its results live, and brings back replies or gaps."""

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
    """One Redis, over one connection that is made on the first question, kept, and made anew where it was lost."""

    name = "redis"

    def __init__(self, settings: RedisServerSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._opened: Batches | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), name resolution aside: a kept connection found dead, and a new one.

        Sentinels take as long again twice: to say whether the master is still the same, and to say which it is now.
        """
        once = self._settings.connect_timeout + self._settings.timeout
        return (4 if isinstance(self._settings.place, SentinelAddress) else 2) * once

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Every query gets its reply type or a gap; where the connection fails, or PING does, all get the same gap."""
        if self._opened is None:
            from watchdog.sources.redis.pipeline import Batches  # noqa: PLC0415 - with redis, slow to import

            self._opened = Batches(self._settings, self._clock, self.name)
        return self._opened.ask(queries)

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()


class ResultsSource(RedisSource):
    """The Redis where task results live, if it is another one than the broker's, or another database of it."""

    name = "results"
