"""`flower` of a target: Flower's URL, credentials, timeouts and limits. What is about tokens stands in `access/settings.py`."""

import re
from typing import Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from watchdog.net.http_settings import certificate_beside_key, server_of, server_url, userinfo_apart, without_colon
from watchdog.net.settings_types import PositiveDuration, ProxySetting
from watchdog.net.tls_files import TlsFiles
from watchdog.sources.flower.access.settings import AUTHORIZATION, AccessSettings

__all__ = ["FlowerSettings"]


class FlowerSettings(AccessSettings):
    """`flower = {...}` of a target. `url` includes its url_prefix; userinfo in it becomes `username` and `password`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: str
    username: str | None = None
    password: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    proxy: ProxySetting = "none"
    timeout: PositiveDuration = 5.0
    connect_timeout: PositiveDuration = 1.0
    max_answer_bytes: int = Field(default=32 * 1024 * 1024, gt=0)

    _userinfo_apart = model_validator(mode="before")(userinfo_apart)

    @model_validator(mode="after")
    def _key_has_its_certificate(self) -> Self:
        certificate_beside_key(self.cert_file, self.key_file)
        return self

    @model_validator(mode="after")
    def _one_header_each(self) -> Self:
        if not self.token_source:
            return self
        if self.token_field == AUTHORIZATION and (self.username is not None or self.password is not None):
            raise ValueError(
                "expected one thing in the header Authorization, found `username` or `password` and a token: "
                'if both are needed, something in front of Flower takes the token elsewhere, such as token_header = "Proxy-Authorization"'
            )
        if self.token_field in {name.lower() for name in self.headers}:
            raise ValueError("expected the header of the token once, found it in `headers` too")
        return self

    @property
    def tls(self) -> TlsFiles:
        """The TLS files: trusted authorities and client certificate."""
        return TlsFiles(self.ca_file, self.cert_file, self.key_file)

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return server_url(url, "http://flower:5555", "Flower's address with its url_prefix")

    @field_validator("username")
    @classmethod
    def _has_no_colon(cls, username: str | None) -> str | None:
        return without_colon(username)

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise ValueError("expected header names of letters, digits and dashes, found another character in one")
            if not re.fullmatch(r"[\t\x20-\x7e]*", value.get_secret_value()):
                raise ValueError(f"expected printable ASCII in header {name}, found another character")
        return headers

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this Flower from others: where it is, whoever asks it."""
        return server_of(self.url)

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        return self.url
