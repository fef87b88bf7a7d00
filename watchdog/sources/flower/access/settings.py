"""The keys of `flower` that say how to get past what stands before it: a token from a command, a file or an OAuth2 token endpoint.

In: what the user writes. Out: checked settings; faults say what does not go together.
"""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictStr, field_validator, model_validator

from watchdog.net.settings_types import PositiveDuration, ProxySetting
from watchdog.net.tls_files import TlsFiles

__all__ = ["AUTHORIZATION", "AccessSettings", "OAuthSettings"]

AUTHORIZATION = "authorization"
BEARER = frozenset({AUTHORIZATION, "proxy-authorization"})
"""Headers in which a token follows the word Bearer; in any other it stands alone."""
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SOURCES = ("token_command", "token_file", "oauth")


class OAuthSettings(BaseModel):
    """`oauth` of `flower`: a client-credentials grant (RFC 6749, 4.4)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    token_url: StrictStr
    client_id: StrictStr
    client_secret: SecretStr
    scope: StrictStr | None = None
    audience: StrictStr | None = None
    client_auth: Literal["basic", "post"] = "basic"
    ca_file: StrictStr | None = None
    proxy: ProxySetting = "environment"

    @field_validator("token_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        try:
            parts = urlsplit(url.strip())
            readable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            readable = False
        if not readable:
            raise ValueError("expected the URL of a token endpoint, such as https://login.example.com/oauth2/token, found another text")
        if "@" in parts.netloc or parts.fragment:
            raise ValueError(
                "expected a URL without credentials and without a #, found one of them; they are `client_id` and `client_secret`"
            )
        return url.strip()

    @property
    def server(self) -> str:
        """The URL in a form that may be shown: its path may name an account."""
        parts = urlsplit(self.token_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def tls(self) -> TlsFiles | None:
        """The authorities to trust; None for plain http."""
        return TlsFiles(self.ca_file) if self.token_url.startswith("https://") else None


class AccessSettings(BaseModel):
    """Where a token comes from, and where it goes. Without a source there is none."""

    model_config = ConfigDict(defer_build=True)

    token_command: Annotated[tuple[StrictStr, ...], Field(min_length=1)] | None = None
    token_file: Annotated[StrictStr, Field(min_length=1)] | None = None
    oauth: OAuthSettings | None = None
    token_header: StrictStr = "Authorization"  # noqa: S105 - a name
    token_cookie: StrictStr | None = None
    token_ttl: PositiveDuration = 300.0
    token_timeout: PositiveDuration = 10.0

    @property
    def token_source(self) -> str:
        """The key that says where the token comes from; empty without one."""
        return next((name for name in _SOURCES if getattr(self, name) is not None), "")

    @property
    def longest_for_token_s(self) -> float:
        """How long a batch of queries may take longer for the sake of a token (seconds)."""
        return 2 * self.token_timeout if self.token_source else 0.0  # another target's refresh, then our own

    @property
    def token_field(self) -> str:
        """The header that carries the token, in lower case."""
        return "cookie" if self.token_cookie is not None else self.token_header.lower()

    def carried(self, token: str) -> str:
        """The value of that header."""
        if self.token_cookie is not None:
            return f"{self.token_cookie}={token}"
        return f"Bearer {token}" if self.token_field in BEARER else token

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one source of the token, found {' and '.join(f'`{name}`' for name in given)}")
        placed = self.model_fields_set & {"token_header", "token_cookie"}
        if not given and placed:
            raise ValueError(f"`{min(placed)}` says where a token goes: expected `token_command`, `token_file` or `oauth` beside it")
        if len(placed) > 1:
            raise ValueError("expected one place for the token, found `token_header` and `token_cookie`")
        return self

    @field_validator("token_command")
    @classmethod
    def _can_be_run(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if command is not None and (not command[0].strip() or any("\0" in word for word in command)):
            raise ValueError('expected a program and its arguments, such as ["gcloud", "auth", "print-identity-token"], without a shell')
        return command

    @field_validator("token_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if not _HEADER.fullmatch(name) or name.lower() in {"cookie", "host", "connection", "content-length", "transfer-encoding"}:
            raise ValueError('expected the name of a header, such as "Proxy-Authorization" (`token_cookie` names a cookie)')
        return name

    @field_validator("token_cookie")
    @classmethod
    def _is_a_cookie(cls, name: str | None) -> str | None:
        if name is not None and not _HEADER.fullmatch(name):
            raise ValueError('expected the name of a cookie, such as "_oauth2_proxy"')
        return name
