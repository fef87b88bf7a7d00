"""Parses the URL of an AMQP broker. In: what the user wrote, as in Celery's broker_url. Out: where to connect, and how to show it."""

from urllib.parse import unquote, urlsplit

from watchdog.core.text.secrets import Unprinted
from watchdog.sources.redis.address import at, one_alone

__all__ = ["AmqpAddress", "is_amqp", "parse_amqp"]

_SCHEMES = {"amqp": False, "pyamqp": False, "amqps": True}
"""Scheme -> whether it uses TLS."""


class AmqpAddress(Unprinted, frozen=True):
    """One AMQP broker, such as RabbitMQ."""

    host: str
    port: int
    virtual_host: str
    tls: bool = False
    username: str = "guest"
    password: str = "guest"  # noqa: S105 - AMQP's default, which a broker accepts from its own host alone
    has_login: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this server from others."""
        return (at(self.host.lower(), self.port), self.virtual_host)

    @property
    def masked(self) -> str:
        """The URL in a form that may be shown: userinfo replaced by ***."""
        userinfo = "***@" if self.has_login else ""
        return f"amqp{'s' if self.tls else ''}://{userinfo}{at(self.host, self.port)}/{self.virtual_host}"


def is_amqp(url: str) -> bool:
    """Whether the URL has a scheme of AMQP."""
    return url.strip().partition("://")[0].lower() in _SCHEMES


def parse_amqp(url: str, ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None) -> AmqpAddress:
    """Parse the URL. The ValueError says what was expected and what was found, without the URL itself."""
    one_alone(url)
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        message = (
            "expected amqp://user:password@host:5672/vhost, found a host or port that cannot be read: are / @ : in the password %-escaped?"
        )
        raise ValueError(message) from None
    if "@" in parts.path or parts.fragment:
        raise ValueError("expected no @ or # after the host: are / @ # in the password %-escaped (%2F, %40, %23)?")
    if parts.query:
        raise ValueError("expected no options in the URL of an AMQP broker, found a ?")
    tls = _SCHEMES[parts.scheme.lower()]
    return AmqpAddress(
        host=parts.hostname or "localhost",
        port=port or (5671 if tls else 5672),
        virtual_host=unquote(parts.path[1:]) or "/",
        tls=tls,
        username=unquote(parts.username) if parts.username else "guest",
        password=unquote(parts.password) if parts.password else "guest",
        has_login=parts.username is not None,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )
