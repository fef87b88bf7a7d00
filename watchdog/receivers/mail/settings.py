"""Settings of the e-mail receiver: server, login, encryption, sender and recipients."""

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StrictStr, model_validator

from watchdog.net.settings_types import PositiveDuration
from watchdog.receivers.http.settings import TlsSettings
from watchdog.receivers.pictures.settings import ChartSettings
from watchdog.receivers.settings import DigestSettings, as_tuple

if TYPE_CHECKING:
    from email.headerregistry import Address

__all__ = ["EmailSettings", "mailbox"]

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def mailbox(text: str) -> "Address":
    """The address in `ops@example.com` or `Ops <ops@example.com>`; the ValueError says what is expected."""
    from email.headerregistry import Address  # noqa: PLC0415 - most configurations send no mail
    from email.utils import getaddresses  # noqa: PLC0415

    found = getaddresses([text]) if text.isprintable() else []
    try:
        return Address(display_name=found[0][0], addr_spec=_one_address(found))
    except Exception:  # noqa: BLE001 - email's parser raises errors of many kinds
        raise ValueError('expected one address such as "ops@example.com" or "Ops <ops@example.com>", in ASCII letters') from None


def _one_address(found: list[tuple[str, str]]) -> str:
    if len(found) != 1 or not found[0][1].isascii() or not re.fullmatch(r"[^@\s]+@[^@\s]+", found[0][1]):
        raise ValueError
    return found[0][1]


def _checked_mailbox(text: str) -> str:
    mailbox(text)
    return text


def _checked_host(host: str) -> str:
    if not host or not host.isascii() or not host.isprintable() or set(" /@") & set(host) or (":" in host and not _is_ip(host)):
        raise ValueError('expected the name of an SMTP server such as "smtp.example.com", without port and scheme')
    return host


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


_Mailbox = Annotated[StrictStr, AfterValidator(_checked_mailbox)]


class EmailSettings(ChartSettings, DigestSettings, TlsSettings):
    """`type = "email"`. `security`: how the connection is encrypted: `starttls` (port 587), `tls` from the start (465), or `none` (25)."""

    type: Literal["email"]
    host: Annotated[StrictStr, AfterValidator(_checked_host)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Annotated[StrictStr, Field(min_length=1)] | None = None
    password: SecretStr | None = None
    sender: _Mailbox = Field(alias="from")
    to: Annotated[tuple[_Mailbox, ...], BeforeValidator(as_tuple), Field(min_length=1, max_length=100)]
    timeout: PositiveDuration = 30.0
    per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0

    @model_validator(mode="after")
    def _logs_in_whole_and_encrypted(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("expected `username` and `password` together, found only one of them")
        if self.password is not None and self.security == "none" and not self._is_near:
            raise ValueError('a password would cross the network readable: set security = "starttls" or "tls", or leave the login out')
        return self

    @property
    def _is_near(self) -> bool:
        return self.host == "localhost" or (_is_ip(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def server_port(self) -> int:
        """The port, by default that of its kind of encryption."""
        return self.port or _PORTS[self.security]

    @property
    def address(self) -> str:
        """Servers limit what each login sends."""
        return hashlib.sha256(f"smtp://{self.username}@{self.host}:{self.server_port}".encode("utf-8", "surrogatepass")).hexdigest()
