"""Checks that the settings of every HTTP server share: its URL, its credentials, the certificate that watchdog shows it.

In: what the user writes. Out: the same in the form that the code needs; a ValueError says what was expected, without what may be a secret.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

__all__ = ["certificate_beside_key", "server_of", "server_url", "userinfo_apart", "without_colon"]


def userinfo_apart(given: Any) -> Any:
    """Move the credentials out of `url` into `username` and `password`, so that it can be shown."""
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


def server_url(url: str, example: str, at_most: str) -> str:
    """The URL of a server without a slash at its end. `at_most` says what it may consist of."""
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - raises if it is not a number
    except ValueError:
        raise ValueError(f"expected a URL such as {example}, found one whose host or port cannot be read") from None
    if parts.scheme not in {"http", "https"}:
        found = f'"{parts.scheme}://"' if "://" in url else "no scheme"
        raise ValueError(f"expected a URL that begins with http:// or https://, found {found}")
    if not parts.hostname:
        raise ValueError("expected a host after http:// or https://, found none")
    if parts.query or parts.fragment:
        raise ValueError(f"expected {at_most} at most, found a ? or # in the URL")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def server_of(url: str) -> tuple[str, ...]:
    """What tells this server from others: where it is, whoever asks it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, f"{parts.hostname}:{port}", parts.path


def certificate_beside_key(cert_file: str | None, key_file: str | None) -> None:
    """ValueError if there is a key without its certificate."""
    if key_file and not cert_file:
        raise ValueError("`key_file` is the key of a client certificate: expected `cert_file` beside it, found none")


def without_colon(username: str | None) -> str | None:
    """The name of a user as basic auth can carry it."""
    if username is not None and ":" in username:
        raise ValueError("expected a user name without a colon (basic auth cannot carry one)")
    return username
