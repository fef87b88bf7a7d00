"""`[http]`: what the daemon serves: the page, the API, metrics, and health.

In: the table as written. Out: settings with a parsed address. Without authentication it must be an address that only this machine reaches.
"""

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from watchdog.core.text.suggestions import did_you_mean
from watchdog.receivers.settings import as_tuple

__all__ = ["HttpSettings"]

SHORTEST_TOKEN = 16
LONGEST_SHOWN = 40
_HASH = re.compile(r"(scrypt:\d+:\d+:\d+|pbkdf2:\w+:\d+)\$[^$\s]+\$[0-9a-f]{32,}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)


def parsed_address(listen: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:5556` or `[::1]:5556`. Raises ValueError."""
    try:
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or port is None or parts.path or parts.query or parts.fragment or "@" in listen:
        raise ValueError('expected an address and a port, such as "127.0.0.1:5556" or "[::1]:5556"')
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            raise ValueError('expected an IP address of this machine or "localhost" before the port; "0.0.0.0" means all of them') from None
    return host, port


def _checked_address(listen: str) -> str:
    parsed_address(listen)
    return listen


def _checked_prefix(prefix: str) -> str:
    found = prefix.rstrip("/")
    if not _PREFIX.fullmatch(found) or len(found) > 200:
        raise ValueError('expected a path that begins with "/", such as "/watchdog"')
    return found


def _checked_token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"expected at least {SHORTEST_TOKEN} printable ASCII characters without spaces; `openssl rand -hex 24` makes some")
    return token


def _checked_users(users: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, hashed in users.items():
        if not name.isprintable() or not name.strip() or ":" in name or len(name) > 100:
            raise ValueError("expected names of 1 to 100 printable characters without a colon")
        if not _HASH.fullmatch(hashed.get_secret_value()):
            raise ValueError("expected the hash of a password, as `watchdog config hash-password` prints it; not the password itself")
    return users


def _checked_header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError('expected the name of a header, such as "X-Forwarded-User"')
    return name


def _checked_proxies(addresses: tuple[str, ...]) -> tuple[str, ...]:
    for address in addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            raise ValueError('expected addresses or networks, such as "127.0.0.1" or "10.0.0.0/8"') from None
    return addresses


class HttpSettings(BaseModel):
    """`[http]`. `users`: name -> hash of the password. `user_header` names who a proxy among `trusted_proxies` has let in.

    `roles`: name -> what that person may do; whoever is not in it is a viewer. `metrics`: whose names `/metrics` serves.
    `alertmanager_api`: whether Alertmanager's API is spoken, too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    listen: Annotated[StrictStr, AfterValidator(_checked_address)]
    prefix: Annotated[StrictStr, AfterValidator(_checked_prefix)] = ""
    token: Annotated[SecretStr, AfterValidator(_checked_token)] | None = None
    users: Annotated[dict[str, SecretStr], AfterValidator(_checked_users)] = Field(default_factory=dict)
    user_header: Annotated[StrictStr, AfterValidator(_checked_header)] | None = None
    trusted_proxies: Annotated[tuple[StrictStr, ...], BeforeValidator(as_tuple), AfterValidator(_checked_proxies)] = ()
    roles: dict[str, Literal["viewer", "operator"]] = Field(default_factory=dict)
    hosts: Annotated[tuple[StrictStr, ...], BeforeValidator(as_tuple)] = ()
    metrics: Literal["watchdog", "celery-exporter"] = "watchdog"
    alertmanager_api: StrictBool = False

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on; port 0 is any free one."""
        return parsed_address(self.listen)

    @property
    def authenticates(self) -> bool:
        """Whether it asks who somebody is."""
        return self.token is not None or bool(self.users) or self.user_header is not None

    @property
    def only_here(self) -> bool:
        """Whether only this machine reaches the address."""
        host, _ = self.address
        return host == "localhost" or ipaddress.ip_address(host).is_loopback

    @field_validator("roles")
    @classmethod
    def _of_people(cls, roles: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        """Roles belong to names that somebody has proved; a name beside `token` is merely said."""
        users: dict[str, SecretStr] | None = info.data.get("users")
        header = info.data.get("user_header", "")
        if users is None or header is not None or not roles:  # by a header, or with a fault of its own
            return roles
        if not users:
            raise ValueError(
                "expected users or user_header beside roles, because a role counts only for a name that is proved; found neither. "
                "Add one, or remove roles"
            )
        for name in roles:
            if name not in users:
                shown = f'"{name}"' if name.isprintable() and len(name) <= LONGEST_SHOWN else "another text"
                raise ValueError(f"expected names that are in users, found {shown}{did_you_mean(name, users)}")
        return roles

    @model_validator(mode="after")
    def _guarded(self) -> "HttpSettings":
        if not self.authenticates and not self.only_here:
            raise ValueError(
                "expected token, users or user_header, because others can reach this address; found none of them. "
                'Add one, or listen on "127.0.0.1"'
            )
        if (self.user_header is None) != (not self.trusted_proxies):
            raise ValueError("expected user_header and trusted_proxies together: a header counts only if a known proxy has set it")
        return self
