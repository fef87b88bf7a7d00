"""`rabbitmq` of a target: where its management API is, which virtual host is watched, credentials, timeouts and limits."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from watchdog.net.http_settings import certificate_beside_key, server_of, server_url, userinfo_apart, without_colon
from watchdog.net.settings_types import OneName, PositiveDuration, ProxySetting
from watchdog.net.tls_files import TlsFiles

__all__ = ["RabbitmqSettings"]

EXAMPLE = "http://rabbit:15672"


class RabbitmqSettings(BaseModel):
    """`rabbitmq = {...}` of a target. Userinfo in `url` becomes `username` and `password`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: str
    vhost: Annotated[str, Field(min_length=1, max_length=255)] = "/"
    queues: tuple[OneName, ...] = ()
    username: Annotated[str | None, AfterValidator(without_colon)] = None
    password: SecretStr | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    proxy: ProxySetting = "none"
    timeout: PositiveDuration = 5.0
    connect_timeout: PositiveDuration = 1.0
    max_answer_bytes: int = Field(default=32 * 1024 * 1024, gt=0)

    _userinfo_apart = model_validator(mode="before")(userinfo_apart)

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        scheme = url.strip().partition("://")[0]
        if scheme in {"amqp", "amqps", "pyamqp"}:
            raise ValueError(f"expected the URL of RabbitMQ's management API, such as {EXAMPLE}, found one for messages ({scheme}://)")
        return server_url(url, EXAMPLE, "the address of RabbitMQ's management with its path_prefix").removesuffix("/api")

    @model_validator(mode="after")
    def _key_has_its_certificate(self) -> Self:
        certificate_beside_key(self.cert_file, self.key_file)
        return self

    @property
    def tls(self) -> TlsFiles:
        """The TLS files: trusted authorities and client certificate."""
        return TlsFiles(self.ca_file, self.cert_file, self.key_file)

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this RabbitMQ from others: where it is, whoever asks it."""
        return server_of(self.url)

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        return self.url
