"""Where `watchdog init` looks for Flower and the broker: the address in a flag or the environment, else the usual one.

In: the flags and the environment. Out: a place for each, which may contain a password; `shown` never does.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from msgspec.structs import replace

from watchdog.core.text.secrets import Unprinted

__all__ = ["USUAL", "Place", "first_places"]

USUAL: Mapping[str, str] = {"flower": "http://localhost:5555", "redis": "redis://localhost:6379/0", "rabbitmq": "http://localhost:15672"}
"""Kind of source -> its default address."""
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "flower": ("WATCHDOG_FLOWER",),
    "redis": ("WATCHDOG_REDIS", "CELERY_BROKER_URL", "REDIS_URL"),
    "rabbitmq": ("WATCHDOG_RABBITMQ", "CELERY_BROKER_URL"),
}
"""Kind of source -> variables that name it; the first that is set is used. Celery reads CELERY_BROKER_URL; REDIS_URL is a convention."""

_URL = re.compile(r"(?P<scheme>[^:/?#]*://)(?:(?P<userinfo>[^/?#]*)@)?(?P<rest>.*)", re.DOTALL)
_AMQP = re.compile(
    r"(?P<scheme>amqps?|pyamqp)://(?:(?P<userinfo>[^/?#]*)@)?(?P<host>\[[^]]*\]|[^:/?#]*)(?::[0-9]*)?(?:/(?P<vhost>[^?#]*))?(?:\?.*)?",
    re.DOTALL,
)
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "sentinel://", "redis+socket://")


class Place(Unprinted, frozen=True):
    """One address to try. `origin` is the flag or variable that named it, "" for the usual address; `note`: why another was ignored.

    `vhost`: the virtual host of a RabbitMQ.
    """

    kind: str
    url: str
    origin: str = ""
    note: str = ""
    vhost: str = "/"

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
    """Kind -> the address to try first. Of brokers one alone: RabbitMQ, if a flag or a variable names it and none of ours names Redis."""
    places = {kind: place for kind in USUAL if (place := _first(kind, flags.get(kind), environ)) is not None}
    if "rabbitmq" in places:
        named = "redis" in places and places["redis"].origin in {"--redis", "$WATCHDOG_REDIS"} and places["rabbitmq"].origin != "--rabbitmq"
        places.pop("rabbitmq" if named else "redis", None)
    return places


def _first(kind: str, flag: str | None, environ: Mapping[str, str]) -> Place | None:
    if flag:
        return Place(kind, flag, f"--{kind}")
    for name in VARIABLES[kind]:
        url = environ.get(name, "").strip()
        if url and name == "CELERY_BROKER_URL":
            return _broker(url) if kind == "redis" else _management(url)
        if url:
            return Place(kind, url, f"${name}")
    return None if kind == "rabbitmq" else Place(kind, USUAL[kind])


def _management(url: str) -> Place | None:
    """The usual address of the management API on the host of Celery's own broker, if that is a RabbitMQ."""
    found = _AMQP.fullmatch(url.split(";", maxsplit=1)[0])
    if found is None:
        return None
    scheme, port = ("https", 15671) if found["scheme"] == "amqps" else ("http", 15672)
    userinfo = found["userinfo"] or ""
    place = f"{scheme}://{userinfo and userinfo + '@'}{found['host'] or 'localhost'}:{port}"
    return Place("rabbitmq", place, vhost=unquote(found["vhost"] or "") or "/")


def _broker(url: str) -> Place | None:
    """Celery's own broker, if it is a Redis. If it is not, no other Redis is tried either: it would be used for something else."""
    if not url.startswith(_REDIS_SCHEMES):
        return None
    first, *more = [url] if url.startswith("sentinel://") else url.split(";")  # kombu: more sentinels, or brokers for failover
    return Place("redis", first, "$CELERY_BROKER_URL", "the first of several there" if more else "")
