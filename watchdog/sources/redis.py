"""Redis, Celery's broker: its settings, and the source that carries questions to it and brings back replies or gaps."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from watchdog.core.queries import Query
from watchdog.settings_types import Duration, PositiveDuration
from watchdog.sources.base import Answers
from watchdog.sources.redis_address import RedisAddress, parse_address

if TYPE_CHECKING:
    from watchdog.sources.redis_batch import Batches

__all__ = ["RedisSettings", "RedisSource"]


class RedisSettings(BaseModel):
    """`redis = {...}` of a target. What is None is read from the workers, or left at Celery's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr
    queues: tuple[str, ...] = ()
    key_prefix: str | None = None
    priority_steps: tuple[int, ...] | None = None
    separator: str | None = None
    visibility_timeout: Duration | None = None
    ca_file: str | None = None
    timeout: PositiveDuration = 2.0
    connect_timeout: PositiveDuration = 1.0

    @field_validator("url")
    @classmethod
    def _is_redis(cls, url: SecretStr) -> SecretStr:
        parse_address(url.get_secret_value())
        return url

    @property
    def address(self) -> RedisAddress:
        """Where to connect; holds the password."""
        return parse_address(self.url.get_secret_value())

    def masked_url(self) -> str:
        """The URL as it may be shown."""
        return self.address.masked


class RedisSource:
    """One Redis, over one connection that is made on the first question, kept, and made anew where it was lost."""

    name = "redis"

    def __init__(self, settings: RedisSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._opened: Batches | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), name resolution aside: a kept connection found dead, and a new one."""
        return 2 * (self._settings.connect_timeout + self._settings.timeout)

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Every query gets its reply type or a gap; where the connection fails, or PING does, all get the same gap."""
        if self._opened is None:
            from watchdog.sources.redis_batch import Batches  # noqa: PLC0415 - with redis, slow to import

            self._opened = Batches(self._settings, self._clock)
        return self._opened.ask(queries)

    def close(self) -> None:
        """Give back the connection."""
        if self._opened is not None:
            self._opened.close()
