"""`celery` of a target: the broker of its workers, as Celery's `broker_url` names it.

In: plain values. Out: frozen settings, whose `place` says where the broker is. Errors never repeat a URL.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, model_validator

from watchdog.net.settings_types import PositiveDuration
from watchdog.sources.celery.amqp_address import AmqpAddress, is_amqp, parse_amqp

__all__ = ["CelerySettings"]

EXAMPLE = "amqp://user:password@rabbit:5672//"


def _of_amqp(url: SecretStr) -> SecretStr:
    given = url.get_secret_value()
    if not is_amqp(given):
        scheme = given.strip().partition("://")[0] if "://" in given else ""
        hint = "; a Redis is named by `redis`" if scheme.startswith(("redis", "sentinel", "unix")) else ""
        raise ValueError(
            f"expected the URL of an AMQP broker, such as {EXAMPLE}, found one that does not begin with amqp:// or amqps://{hint}"
        )
    parse_amqp(given)
    return url


class CelerySettings(BaseModel):
    """`celery = {...}` of a target."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: Annotated[SecretStr, AfterValidator(_of_amqp)]
    timeout: PositiveDuration = 1.0
    connect_timeout: PositiveDuration = 1.0
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @model_validator(mode="after")
    def _key_has_its_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("`key_file` is the key of a client certificate: expected `cert_file` beside it, found none")
        return self

    @property
    def place(self) -> AmqpAddress:
        """Where the broker is; contains the password."""
        return parse_amqp(self.url.get_secret_value(), self.ca_file, self.cert_file, self.key_file)

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this broker from others; nothing secret."""
        return self.place.server

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        return self.place.masked
