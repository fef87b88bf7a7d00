"""`flower` of a target: Flower's URL, credentials, timeouts and limits. What is about tokens stands in `access/settings.py`."""

import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

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

    @model_validator(mode="before")
    @classmethod
    def _userinfo_apart(cls, given: Any) -> Any:
        """Move the credentials out of the URL, so that it can be shown."""
        url = given.get("url") if isinstance(given, Mapping) else None
        if not isinstance(url, str) or "@" not in url.partition("://")[2].partition("/")[0]:
            return given
        if given.get("username") is not None or given.get("password") is not None:
            raise ValueError("expected the credentials once, found them in `url` and in `username` or `password`")
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        userinfo, _, place = authority.rpartition("@")
        username, _, password = userinfo.partition(":")
        apart = {"url": f"{scheme}://{place}{slash}{path}", "username": unquote(username), "password": SecretStr(unquote(password))}
        return {**given, **apart}

    @model_validator(mode="after")
    def _key_has_its_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("`key_file` is the key of a client certificate: expected `cert_file` beside it, found none")
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
        try:
            parts = urlsplit(url.strip())
            parts.port  # noqa: B018 - raises if it is not a number
        except ValueError:
            raise ValueError("expected a URL such as http://flower:5555, found one whose host or port cannot be read") from None
        if parts.scheme not in {"http", "https"}:
            found = f'"{parts.scheme}://"' if "://" in url else "no scheme"
            raise ValueError(f"expected a URL that begins with http:// or https://, found {found}")
        if not parts.hostname:
            raise ValueError("expected a host after http:// or https://, found none")
        if parts.query or parts.fragment:
            raise ValueError("expected Flower's address with its url_prefix at most, found a ? or # in the URL")
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))

    @field_validator("username")
    @classmethod
    def _has_no_colon(cls, username: str | None) -> str | None:
        if username is not None and ":" in username:
            raise ValueError("expected a user name without a colon (basic auth cannot carry one)")
        return username

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
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return parts.scheme, f"{parts.hostname}:{port}", parts.path

    def masked_url(self) -> str:
        """The URL in a form that may be shown."""
        return self.url
