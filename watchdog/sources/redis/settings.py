"""Settings of a target's Redis servers: `redis`, the broker, and `results`, where task results are stored if not in the broker.

In: plain values. Out: frozen settings, whose `place` says where to connect. Errors never repeat a URL.
"""

from typing import Annotated, Self

from msgspec.structs import replace
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, StrictBool, field_validator, model_validator

from watchdog.net.settings_types import Duration, OneName, PositiveDuration
from watchdog.sources.redis.address import RedisAddress, parse_address
from watchdog.sources.redis.sentinel_address import SentinelAddress, is_sentinel, master_name, parse_sentinels

__all__ = ["RedisServerSettings", "RedisSettings", "ResultsSettings"]

MasterName = Annotated[str, AfterValidator(master_name)]


def _of_sentinels(value: object, name: str, address: object) -> None:
    if value is not None and not isinstance(address, SentinelAddress):
        raise ValueError(f"`{name}` is for a url that begins with sentinel:// or sentinels://, found another one")


class RedisServerSettings(BaseModel):
    """How to reach one Redis, or the master that sentinels name."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: SecretStr
    master: MasterName | None = None
    sentinel_username: str | None = None
    sentinel_password: SecretStr | None = None
    sentinel_tls: StrictBool | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    timeout: PositiveDuration = 2.0
    connect_timeout: PositiveDuration = 1.0

    @field_validator("url")
    @classmethod
    def _is_redis(cls, url: SecretStr) -> SecretStr:
        _parsed(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        address = _parsed(self.url.get_secret_value())
        for name in ("master", "sentinel_username", "sentinel_password", "sentinel_tls"):
            _of_sentinels(getattr(self, name), name, address)
        if isinstance(address, SentinelAddress):
            if not (address.master or self.master):
                raise ValueError(
                    "expected the master's name, in the url (sentinel://host:26379/mymaster/0) or as `master` beside it: "
                    "it is master_name in Celery's broker_transport_options; found none"
                )
            if address.master and self.master and address.master != self.master:
                raise ValueError("expected one name for the master, found one in the url and another one as `master`")
        if self.key_file and not self.cert_file:
            raise ValueError("`key_file` is the key of a client certificate: expected `cert_file` beside it, found none")
        return self

    @property
    def place(self) -> RedisAddress | SentinelAddress:
        """Where to connect; contains the passwords."""
        address = _parsed(self.url.get_secret_value())
        if not isinstance(address, SentinelAddress):
            return self._with_files(address)
        tls = address.to_master.tls if self.sentinel_tls is None else self.sentinel_tls
        login = replace(
            address.to_sentinel,
            scheme="rediss" if tls else "redis",
            username=self.sentinel_username,
            password=self.sentinel_password.get_secret_value() if self.sentinel_password else None,
        )
        return SentinelAddress(
            address.sentinels, self.master or address.master, self._with_files(address.to_master), self._with_files(login)
        )

    @property
    def db(self) -> int:
        """The number of the database."""
        place = self.place
        return place.to_master.db if isinstance(place, SentinelAddress) else place.db

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this server from others: its socket, its address, or its sentinels and the master's name; nothing secret."""
        return self.place.server

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        return self.place.masked

    def _with_files(self, address: RedisAddress) -> RedisAddress:
        return replace(
            address,
            ca_file=self.ca_file or address.ca_file,
            cert_file=self.cert_file or address.cert_file,
            key_file=self.key_file or address.key_file,
        )


class RedisSettings(RedisServerSettings):
    """`redis = {...}` of a target. None means: read from the workers, or Celery's default."""

    queues: tuple[OneName, ...] = ()
    key_prefix: str | None = None
    priority_steps: tuple[int, ...] | None = None
    separator: str | None = None
    visibility_timeout: Duration | None = None


class ResultsSettings(RedisServerSettings):
    """`results = {...}` of a target. `key_prefix` is the global_keyprefix of Celery's result_backend_transport_options."""

    key_prefix: str | None = None


def _parsed(url: str) -> RedisAddress | SentinelAddress:
    return parse_sentinels(url) if is_sentinel(url) else parse_address(url)
