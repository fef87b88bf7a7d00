"""Settings shared by all receivers that send over HTTP: URL, timeout, pace, proxy and TLS."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from watchdog.net.settings_types import PositiveDuration, ProxySetting, proxy_text
from watchdog.net.tls_files import TlsFiles
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.settings import ReceiverSettings, address_of

__all__ = ["Headers", "HttpSettings", "HttpUrl", "PemFile", "TlsSettings"]


def _checked_url(secret: SecretStr) -> SecretStr:
    """Check the URL. The ValueError says what is expected; it never repeats the URL, whose path is a secret."""
    url = secret.get_secret_value()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
        port_fits = parts.port != 0
    except ValueError:
        usable = port_fits = False
    if not (usable and port_fits):
        raise ValueError("expected a URL such as https://example.com/hook")
    return secret


def _checked_file(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"expected a readable file of PEM certificates, found {path}: {error.strerror}") from None
    return path


def _checked_headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f'header "{name}": expected a name of letters, digits and dashes')
        if not value.get_secret_value().isascii() or not value.get_secret_value().isprintable():
            raise ValueError(f'header "{name}": expected a value of printable ASCII characters')
    return headers


HttpUrl = Annotated[SecretStr, AfterValidator(_checked_url)]
PemFile = Annotated[Path, AfterValidator(_checked_file)]
Headers = Annotated[dict[str, SecretStr], AfterValidator(_checked_headers)]


class TlsSettings(BaseModel):
    """The authorities to trust instead of the system's, and the client certificate."""

    model_config = ConfigDict(defer_build=True)

    ca_file: PemFile | None = None
    cert_file: PemFile | None = None
    key_file: PemFile | None = None

    @model_validator(mode="after")
    def _key_has_its_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("`key_file` is the key of a client certificate: expected `cert_file` beside it, found none")
        return self

    @property
    def tls(self) -> TlsFiles:
        """The same with paths as str."""
        return TlsFiles(*(str(path) if path else None for path in (self.ca_file, self.cert_file, self.key_file)))


class HttpSettings(TlsSettings, ReceiverSettings):
    """A URL, which is treated as a secret; `timeout` limits one attempt (seconds); `proxy` names the forward proxy, if any.

    At most `per_second` messages per second are sent to the URL by all receivers that share it.
    """

    url: HttpUrl
    timeout: PositiveDuration = 10.0
    per_second: Annotated[float, Field(gt=0, le=1000)] = 50.0
    proxy: ProxySetting = "environment"

    @property
    def address(self) -> str:
        """A key for the URL that does not reveal it."""
        return self.address_of()

    def address_of(self, *parts: SecretStr | str | int | None) -> str:
        """A key for these parts of what the URL serves, to which its limits apply (a chat, a topic); it reveals neither."""
        return address_of(self.url, *parts)

    def attempt(self, secrets: Iterable[str] = ()) -> HttpAttempt:
        """A client for these settings; `secrets`, besides those in the URL, never appear in a reason."""
        return HttpAttempt(self.url.get_secret_value(), timeout_s=self.timeout, tls=self.tls, secrets=secrets, proxy=proxy_text(self.proxy))
