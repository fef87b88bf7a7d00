"""Parses Celery's own URLs, as workers show them in `conf`. In: the URL, perhaps censored. Out: which Redis and which database."""

import re

from msgspec import Struct

__all__ = ["CeleryPlace", "celery_place"]

PORTS = {"redis": 6379, "rediss": 6379, "sentinel": 26379}
SOCKETS = ("redis+socket", "socket", "unix")
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]*)(?::(?P<port>[0-9]{1,5}))?")
_DB = re.compile(r"/*(?P<db>[0-9]{0,6})/*")
_SOCKET_DB = re.compile(r"(?:virtual_host|db)=/?(?P<db>[0-9]{1,6})")


class CeleryPlace(Struct, frozen=True):
    """A Redis as Celery names it: `host:port`, that of the first sentinel, or the path of a socket."""

    server: str
    db: int


def celery_place(url: str) -> CeleryPlace | None:
    """None if the URL is not a Redis, or cannot be parsed. Of several sentinels the first counts: `broker_url` shows no other."""
    scheme, found, rest = url.strip().partition("://")
    if scheme == "sentinel":
        rest = rest.partition(";sentinel://")[0]
    rest, _, query = rest.rpartition("@")[2].partition("?")
    if found and scheme in SOCKETS:
        told = _SOCKET_DB.search(query)
        return CeleryPlace(rest, int(told["db"]) if told else 0)
    host, slash, path = rest.partition("/")
    server, db = _SERVER.fullmatch(host), _DB.fullmatch(slash + path)
    if scheme not in PORTS or server is None or db is None:
        return None
    return CeleryPlace(f"{server['host'] or 'localhost'}:{server['port'] or PORTS[scheme]}", int(db["db"] or 0))
