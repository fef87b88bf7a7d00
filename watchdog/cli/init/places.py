"""Where `watchdog init` looks for Flower and Redis: the address in a flag or the environment, else the usual one.

In: the flags and the environment. Out: a place for each, which may contain a password; `shown` never does.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from msgspec.structs import replace

from watchdog.core.text.secrets import Unprinted

__all__ = ["USUAL", "Place", "first_places"]

USUAL: Mapping[str, str] = {"flower": "http://localhost:5555", "redis": "redis://localhost:6379/0"}
"""Kind of source -> its default address."""
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "flower": ("WATCHDOG_FLOWER",),
    "redis": ("WATCHDOG_REDIS", "CELERY_BROKER_URL", "REDIS_URL"),
}
"""Kind of source -> variables that name it; the first that is set is used. Celery reads CELERY_BROKER_URL; REDIS_URL is a convention."""

_URL = re.compile(r"(?P<scheme>[^:/?#]*://)(?:(?P<userinfo>[^/?#]*)@)?(?P<rest>.*)", re.DOTALL)
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "sentinel://", "redis+socket://")


class Place(Unprinted, frozen=True):
    """One address to try. `origin` is the flag or variable that named it, "" for the usual address; `note`: why another was ignored."""

    kind: str
    url: str
    origin: str = ""
    note: str = ""

    @property
    def meant(self) -> bool:
        """Whether it was named explicitly: then it belongs in the file, even if it does not answer now."""
        return bool(self.origin)

    @property
    def shown(self) -> str:
        """The URL in a form that may be shown."""
        from watchdog.config.show import masked_url  # noqa: PLC0415

        return masked_url(self.url, hide_path=False)

    @property
    def userinfo(self) -> str:
        """`user:password` as in the URL."""
        found = _URL.fullmatch(self.url)
        return (found["userinfo"] or "") if found else ""

    def with_userinfo(self, userinfo: str) -> "Place":
        """The same address with another `user:password`, %-escaped; "" for none."""
        found = _URL.fullmatch(self.url)
        return replace(self, url=f"{found['scheme']}{userinfo and userinfo + '@'}{found['rest']}") if found else self

    def let_in(self, username: str, password: str) -> "Place":
        """The same address with these credentials, unescaped."""
        return replace(self.with_userinfo(f"{quote(username, safe='')}:{quote(password, safe='')}"), origin="you")


def first_places(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, Place]:
    """Kind -> the address to try first. No entry for Redis if Celery's broker is known to be something else."""
    return {kind: place for kind in USUAL if (place := _first(kind, flags.get(kind), environ)) is not None}


def _first(kind: str, flag: str | None, environ: Mapping[str, str]) -> Place | None:
    if flag:
        return Place(kind, flag, f"--{kind}")
    for name in VARIABLES[kind]:
        url = environ.get(name, "").strip()
        if url and name == "CELERY_BROKER_URL":
            return _broker(url)
        if url:
            return Place(kind, url, f"${name}")
    return Place(kind, USUAL[kind])


def _broker(url: str) -> Place | None:
    """Celery's own broker, if it is a Redis. If it is not, no other Redis is tried either: it would be used for something else."""
    if not url.startswith(_REDIS_SCHEMES):
        return None
    first, *more = [url] if url.startswith("sentinel://") else url.split(";")  # kombu: more sentinels, or brokers for failover
    return Place("redis", first, "$CELERY_BROKER_URL", "the first of several there" if more else "")
