"""The URL of a PostgreSQL database as a value: what is shown of it has no login, and what connects has all of it."""

import re
from urllib.parse import parse_qsl, urlsplit

__all__ = ["DatabaseUrl", "is_database_url", "readable_place"]

_SCHEMES = ("postgresql://", "postgres://")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]@]*)(:\d{1,5})?")
"""One of those that stand before the path, with commas in between; none is the socket here."""


def is_database_url(text: str) -> bool:
    """Whether a text is meant as such a URL, rather than as the path of a file."""
    return text.startswith(_SCHEMES)


class DatabaseUrl:
    """`postgresql://user:password@host:port/name?options`; equal to another that was written in the same way, its login included."""

    __slots__ = ("_shown", "_url")

    def __init__(self, url: str) -> None:
        """`ValueError` if it is not one; its text repeats nothing of the URL."""
        self._url, self._shown = url, _shown(url)

    def reveal(self) -> str:
        """The URL as it was written, for the library that connects."""
        return self._url

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"DatabaseUrl({self._shown})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)


def readable_place(text: str) -> str:
    """The text, if it is a path or such a URL; else `ValueError`, which repeats nothing of it."""
    if "://" in text:
        DatabaseUrl(text)
    return text


def _shown(url: str) -> str:
    expected = "expected the path of a file, or postgresql://user:password@host/database"
    if not is_database_url(url):
        raise ValueError(f"{expected}; found another URL")
    try:
        parts = urlsplit(url)
        parse_qsl(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(f"{expected}; found a URL whose host or options cannot be read") from None
    hosts = parts.netloc.rpartition("@")[2]
    if "@" in parts.path or not all(_HOST.fullmatch(host) for host in hosts.split(",")):
        raise ValueError(f"{expected}; found one whose host or port cannot be read; in a password, / is written %2F, and @ %40")
    if not parts.path.strip("/"):
        raise ValueError(f"{expected}; found a URL that names no database")
    return f"postgresql://{hosts}{parts.path}"
