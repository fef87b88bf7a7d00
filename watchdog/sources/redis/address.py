"""Parses a Redis URL. In: what the user wrote. Out: where to connect, with which credentials, and how to show it.

redis-py's parser is not used, because it ignores what it does not understand: a database that is not a number would become database 0.
`sentinel_address` parses `sentinel://`.
"""

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from watchdog.core.text.secrets import Unprinted
from watchdog.sources.redis.other_brokers import OTHER_BROKERS, instead

__all__ = ["RedisAddress", "at", "database", "one_alone", "parse_address"]

_CERT_REQS = {"none": "none", "cert_none": "none", "optional": "optional", "cert_optional": "optional"}
_OPTIONS = {"db", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
"""Query options of the URL that are supported; the ssl ones are spelt as in Celery's broker URLs."""


class RedisAddress(Unprinted, frozen=True):
    """One Redis. `path` is set for a unix socket, otherwise `host` and `port`. `cert_reqs`: required, optional or none."""

    scheme: str
    host: str = ""
    port: int = 6379
    path: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = None
    cert_reqs: str = "required"
    check_host: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def tls(self) -> bool:
        """Whether to use TLS."""
        return self.scheme == "rediss"

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this server from others, whoever connects to whichever of its databases."""
        return (self.path,) if self.path else (at(self.host.lower(), self.port),)

    @property
    def masked(self) -> str:
        """The URL in a form that may be shown: userinfo replaced by ***."""
        userinfo = "***@" if self.username or self.password else ""
        if self.path:
            return f"unix://{userinfo}{self.path}" + (f"?db={self.db}" if self.db else "")
        return f"{self.scheme}://{userinfo}{at(self.host, self.port)}/{self.db}"


def at(host: str, port: int) -> str:
    """`host:port`, or `[host]:port` for IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def one_alone(url: str) -> None:
    """ValueError for several URLs joined by a semicolon, which Celery takes for brokers that stand in for each other."""
    if re.search(r";\s*[a-z+]+://", url, re.IGNORECASE):
        raise ValueError(
            "expected one broker, found several joined by `;`, as Celery's broker_url may have them: name the one that is to be watched, "
            "or an address that leads to whichever is up"
        )


def parse_address(url: str) -> RedisAddress:
    """Parse the URL. The ValueError says what was expected and what was found, without the URL itself."""
    scheme = _scheme(url)
    one_alone(url)
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        message = (
            "expected redis://user:password@host:port/db, found a host or port that cannot be read: are / @ : in the password %-escaped?"
        )
        raise ValueError(message) from None
    options = options_of(parts)
    unix = scheme == "unix"
    if unix and not parts.path:
        raise ValueError("expected unix:///path/to/redis.sock, found no path")
    if "@" in parts.path:
        raise ValueError("expected no @ after the first /: is a / in the password %-escaped (%2F)? In a path write %40")
    if parts.fragment:
        raise ValueError("expected no # in the URL: write it as %23 in a password")
    return RedisAddress(
        scheme=scheme,
        host="" if unix else parts.hostname or "localhost",
        port=port or 6379,
        path=unquote(parts.netloc.rpartition("@")[2] + parts.path) if unix else "",
        db=database(options.get("db") if unix or "db" in options else parts.path.strip("/")),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        cert_reqs=_CERT_REQS.get(options.get("ssl_cert_reqs", "").lower(), "required"),
        check_host=options.get("ssl_check_hostname", "").lower() != "false",
        ca_file=options.get("ssl_ca_certs"),
        cert_file=options.get("ssl_certfile"),
        key_file=options.get("ssl_keyfile"),
    )


def _scheme(url: str) -> str:
    """`redis`, `rediss` or `unix`."""
    scheme, found, _ = url.strip().partition("://")
    scheme = scheme.lower()
    if found and scheme in {"redis", "rediss", "unix"}:
        return scheme
    if found and scheme == "redis+socket":
        raise ValueError("expected unix:///path/to/redis.sock?db=0 for a socket, found Celery's spelling redis+socket://")
    if found and scheme in {"valkey", "valkeys"}:
        plain = "rediss" if scheme == "valkeys" else "redis"
        raise ValueError(f'expected {plain}:// for a Valkey, as in Celery\'s broker_url, found "{scheme}://"')
    if found and scheme in OTHER_BROKERS:
        raise ValueError(f'expected redis:// or the like, found "{scheme}://"; leave redis out: {instead(scheme)}')
    what = f'"{scheme}://"' if found and re.fullmatch(r"[a-z0-9+.-]{1,20}", scheme) else "no such scheme"
    raise ValueError(f"expected a URL that begins with redis://, rediss://, unix:// or sentinel://, found {what}")


def options_of(parts: SplitResult) -> dict[str, str]:
    """The query options of the URL; ValueError for an unsupported one."""
    options = dict(parse_qsl(parts.query))
    for name in options:
        if name not in _OPTIONS:
            shown = f'"{name}"' if re.fullmatch(r"[A-Za-z_]{1,40}", name) else "another one"
            raise ValueError(f"expected {', '.join(sorted(_OPTIONS))} as options in the URL, found {shown}")
    return options


def database(text: str | None) -> int:
    """The number of a database; ValueError if it is not a number."""
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("expected the number of a database after the port, such as /0, found something else")
    return int(text)
