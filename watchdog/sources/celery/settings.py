"""`celery` of a target: the broker of its workers, as Celery's `broker_url` names it, and how workers are asked directly through it.

In: plain values. Out: frozen settings, whose `place` says where the broker is. Errors never repeat a URL. Without a `url`, the broker is
that of `redis`: `beside` returns the settings that then apply.
"""

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr, SecretStr, StrictBool, model_validator

from watchdog.net.settings_types import PositiveDuration
from watchdog.sources.celery.amqp_address import AmqpAddress, is_amqp, parse_amqp
from watchdog.sources.redis.other_brokers import instead
from watchdog.sources.redis.settings import RedisServerSettings

if TYPE_CHECKING:
    from watchdog.sources.redis.address import RedisAddress
    from watchdog.sources.redis.sentinel_address import SentinelAddress

__all__ = ["CelerySettings"]

EXAMPLE = "amqp://user:password@rabbit:5672//"
_OF_URL = ("ca_file", "cert_file", "key_file")


def _of_amqp(url: SecretStr | None) -> SecretStr | None:
    if url is None:
        return None
    given = url.get_secret_value()
    if not is_amqp(given):
        scheme = given.strip().partition("://")[0].lower() if "://" in given else ""
        hint = "a Redis is named by `redis`" if scheme.startswith(("redis", "sentinel", "unix")) else instead(scheme)
        raise ValueError(
            f"expected the URL of an AMQP broker, such as {EXAMPLE}, found one that does not begin with amqp:// or amqps://"
            f"{'; ' if hint else ''}{hint}"
        )
    parse_amqp(given)
    return url


def _exchange(name: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,100}", name):
        raise ValueError("expected 1 to 100 letters, digits, `.`, `-` and `_`, as in `control_exchange` of Celery, found something else")
    return name


class CelerySettings(BaseModel):
    """`celery = {...}` of a target. None means: as in `redis`, or Celery's default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: Annotated[SecretStr | None, AfterValidator(_of_amqp)] = None
    ask_workers: StrictBool = True
    timeout: PositiveDuration = 1.0
    connect_timeout: PositiveDuration = 1.0
    control_exchange: Annotated[str, AfterValidator(_exchange)] = "celery"
    key_prefix: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    _redis: RedisServerSettings | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        given = next((name for name in _OF_URL if getattr(self, name) is not None), None)
        if self.url is None and given is not None:
            raise ValueError(f"`{given}` belongs to a `url` of celery: expected one beside it, found none; for `redis` it is set there")
        if self.key_file and not self.cert_file:
            raise ValueError("`key_file` is the key of a client certificate: expected `cert_file` beside it, found none")
        if self.url is not None and self.key_prefix is not None:
            raise ValueError("`key_prefix` is for Redis, found the url of another broker")
        return self

    def beside(self, redis: RedisServerSettings, key_prefix: str | None) -> "CelerySettings":
        """Return these settings, on the broker of `redis` if they name none themselves."""
        if self.url is not None:
            return self
        found = self.model_copy(update={"key_prefix": key_prefix if self.key_prefix is None else self.key_prefix})
        found._redis = redis  # noqa: SLF001 - its own class
        return found

    @property
    def place(self) -> "AmqpAddress | RedisAddress | SentinelAddress":
        """Where the broker is; contains the passwords."""
        if self.url is not None:
            return self.amqp
        if self._redis is None:
            raise ValueError("expected `url` of celery, or `redis` beside it; found neither")
        return self._redis.place

    @property
    def amqp(self) -> AmqpAddress:
        """The broker of `url`."""
        if self.url is None:
            raise ValueError("expected `url` of celery, found none")
        return parse_amqp(self.url.get_secret_value(), self.ca_file, self.cert_file, self.key_file)

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this broker from others; nothing secret."""
        return self.place.server

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        return self.place.masked
