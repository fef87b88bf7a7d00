"""Find the secrets of a configuration before it is validated: for `masking`, and for reasons without secrets.

Input: the plain values of the configuration, or one URL. Output: what must not be shown. Names and hosts of the configuration are not
secrets, nor are plain words in a URL: a password `prod` must not mask the target `prod`, nor a path `/services/…` the queue `services`.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, quote_plus, unquote, urlsplit

from msgspec import Struct

__all__ = [
    "COMMAND",
    "Unprinted",
    "names_secret",
    "outside_templates",
    "pieces_of_token_url",
    "pieces_of_url",
    "secret_arguments",
    "secrets_in",
    "spellings",
]

SECRET_NAME = re.compile(r"passw|passphrase|secret|token|credential|api_?key|routing_?key|^topic$", re.IGNORECASE)
"""The value of a key with such a name is a secret, with these exceptions."""
ABOUT_TOKENS = frozenset({"token_command", "token_file", "token_url", "token_header", "token_cookie", "token_ttl", "token_timeout"})
"""Keys that say where a token comes from or goes, without the token itself."""
COMMAND = "token_command"
LONGEST_WORD = 5
"""Parts of a path up to this length (`hook`, `api`) are not secrets."""

_PLAIN_ARGUMENT = re.compile(r"-{0,2}[A-Za-z][a-z-]*")
_PLAIN_WORD = re.compile(r"[a-z_-]*|[A-Z_-]*|[A-Z]?[a-z]*")
_PUBLIC_HEADERS = frozenset({"content-type", "accept", "user-agent"})
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_WATCHED = ("flower", "redis", "rabbitmq", "results", "django", "celery", "engine")
"""Where a bare text is the URL of a source, or of the engine's broker. Its path is a location, not a secret."""


class Unprinted(Struct, frozen=True):
    """A value that may hold a secret: printing it, plainly or with rich, shows only its type."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


def secrets_in(values: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the secrets in a configuration's plain values, valid or not, and in the proxies that the environment names."""
    proxies = [value for name, value in (environ or {}).items() if name.lower().endswith("_proxy")]
    found = {*_found(values, "", watched=False), *(secret for url in proxies for secret in _credentials(url))}
    return frozenset(found - set(_public(values)))


def names_secret(key: str) -> bool:
    """Whether the value of a key with this name is a secret."""
    return key not in ABOUT_TOKENS and bool(SECRET_NAME.search(key))


def secret_arguments(command: Sequence[object]) -> tuple[str, ...]:
    """Return the arguments of a command, or parts of them, that may be secrets: all but plain words and the names of options."""
    found: list[str] = []
    before = ""
    for argument in map(str, command[1:]):
        option, equals, value = argument.partition("=") if argument.startswith("-") else (before, "", argument)
        if (equals or not argument.startswith("-")) and (names_secret(option) or not _PLAIN_ARGUMENT.fullmatch(value)):
            found.append(value)
        elif not equals and not _PLAIN_ARGUMENT.fullmatch(argument):
            found.append(argument)
        before = argument
    return tuple(secret for secret in found if secret)


def pieces_of_url(url: str) -> set[str]:
    """Return the parts of a URL that may be secrets if the whole URL is one, as written and decoded."""
    parts = urlsplit(url)
    pieces = {url, parts.query, *(value for _, value in parse_qsl(parts.query))}
    pieces |= {piece for piece in (parts.path, *parts.path.split("/")) if len(piece) > LONGEST_WORD}
    pieces |= {parts.password or "", parts.username or "", parts.netloc.rpartition("@")[0], _basic(parts)}
    return pieces | {unquote(piece) for piece in pieces}


def pieces_of_token_url(url: str) -> set[str]:
    """Return the same of a URL whose host may be a token, too: `discord://id/token`, as Apprise has them."""
    _, _, rest = url.partition("://")
    pieces = {piece for piece in (rest, *re.split(r"[/?&=:@#,]+", rest)) if len(piece) >= LONGEST_WORD}
    shown = {piece for piece in pieces if piece == "localhost" or _HOST.fullmatch(piece)}
    return {url} | (pieces - shown) | {unquote(piece) for piece in pieces - shown}


def _found(value: Any, key: str, *, watched: bool) -> Iterator[str]:
    """Yield secrets in one value. `watched`: a URL in it is that of a source."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if key == "headers":
                yield from _header(str(name), inner)
            elif names_secret(str(name)):
                yield from _texts(inner)
            elif name == COMMAND and isinstance(inner, list | tuple):
                yield from secret_arguments(inner)
            else:
                yield from _found(inner, str(name), watched=watched or name in _WATCHED)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _found(inner, key, watched=watched)
    elif isinstance(value, str) and "://" in value:
        yield from _credentials(value)
        if key in {"url", "fail_url", "heartbeat"} and not watched:
            yield from _whole(value) if value.startswith(("http://", "https://")) else pieces_of_token_url(value)


def _header(name: str, value: Any) -> Iterator[str]:
    if name.lower() not in _PUBLIC_HEADERS:
        yield from _texts(outside_templates(value) if isinstance(value, str) else value)


def outside_templates(text: str) -> list[str]:
    """Return what of a header is written as it is sent: a template in it names columns, which are no secrets."""
    return [piece.strip() for piece in _TEMPLATE.split(text) if piece.strip()]


def _texts(value: Any) -> Iterator[str]:
    """Yield a secret, and its words: `Bearer …`."""
    if isinstance(value, str):
        yield value
        yield from (word for word in value.split() if len(word) >= 8)
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _credentials(url: str) -> Iterator[str]:
    """Yield the credentials of one URL, or of several joined by semicolons.

    The password, or the user name if there is no password; and both as an HTTP header has them.
    """
    first, *more = re.split(r";(?=[a-z]+://)", url)
    for other in more:
        yield from _credentials(other)
    try:
        parts = urlsplit(first if "://" in first else f"//{first}")
        secret = parts.password or parts.username or ""
    except ValueError:
        return
    yield from (secret, unquote(secret), parts.netloc.rpartition("@")[0] if parts.password else "", _basic(parts))


def _whole(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        whole = {url, parts.path, parts.query, parts.netloc.rpartition("@")[0]}
        yield from (piece for piece in pieces_of_url(url) if piece in whole or not _PLAIN_WORD.fullmatch(piece))
    except ValueError:
        return


def _basic(parts: SplitResult) -> str:
    """Return the userinfo as HTTP basic auth encodes it."""
    if not (parts.username or parts.password):
        return ""
    return base64.b64encode(f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()).decode()


def spellings(secret: str) -> set[str]:
    """Return a secret as it is, and as written in a URL, in JSON, in Python's repr."""
    return {secret, quote(secret, safe=""), quote_plus(secret), quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], secret.strip()}


def _public(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield names and hosts, which may be shown."""
    yield from ("watchdog", "flower", "redis", "rabbitmq", "default", "localhost")
    for table in (table for tables in values.values() if isinstance(tables, list) for table in tables if isinstance(table, Mapping)):
        yield from (str(table[key]) for key in ("name", "type") if key in table)
        yield from () if table.get("type") == "apprise" else _hosts(table)  # where the host may be a token
    yield str(values.get("service", ""))


def _hosts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _hosts(inner)
    elif isinstance(value, str) and "://" in value:
        try:
            yield urlsplit(value).hostname or ""
        except ValueError:
            return
