"""Parses a sentinel URL. In: what the user wrote. Out: which sentinels to ask, for which master, and how to connect to it.

Two spellings are supported. The one that several clients share, `sentinel://user:password@host1:26379,host2:26379/mymaster/0`
(`redis+sentinel://` means the same; `sentinels://` and `rediss+sentinel://` use TLS), and that of Celery's broker_url,
`sentinel://:password@host1:26379/0;sentinel://:password@host2:26379/0`, where the master's name is set elsewhere (`master`). User and
password are those of the master, as in Celery; the sentinels' own are `sentinel_username` and `sentinel_password`.
"""

import re
from urllib.parse import unquote

from msgspec.structs import replace

from watchdog.core.text.secrets import Unprinted
from watchdog.sources.redis.address import RedisAddress, at, database, parse_address

__all__ = ["SentinelAddress", "is_sentinel", "master_name", "parse_sentinels"]

PORT = 26379
_SCHEMES = {"sentinel": "redis", "redis+sentinel": "redis", "sentinels": "rediss", "rediss+sentinel": "rediss"}
"""Scheme -> the scheme for connections to the master."""
_FORM = "sentinel://user:password@host1:26379,host2:26379/mymaster/0"
_NEXT = re.compile(r"\s*;\s*(?:[a-z+]+://)?", re.IGNORECASE)
_HOST = re.compile(r"\[[0-9A-Fa-f:.%]+\](?::[0-9]{1,5})?|[A-Za-z0-9._-]+(?::[0-9]{1,5})?")


class SentinelAddress(Unprinted, frozen=True):
    """Sentinels, and the master they are asked for.

    `to_master` and `to_sentinel` contain everything but host and port: credentials, TLS, trusted authorities.
    """

    sentinels: tuple[tuple[str, int], ...]
    master: str
    to_master: RedisAddress
    to_sentinel: RedisAddress

    @property
    def server(self) -> tuple[str, ...]:
        """What tells this server from others: the master, as these sentinels name it."""
        return (self.master, *sorted(at(host.lower(), port) for host, port in self.sentinels))

    @property
    def masked(self) -> str:
        """The URL in a form that may be shown: userinfo replaced by ***."""
        to = self.to_master
        userinfo = "***@" if to.username or to.password else ""
        hosts = ",".join(at(host, port) for host, port in self.sentinels)
        return f"sentinel{'s' if to.tls else ''}://{userinfo}{hosts}/{self.master or '?'}/{to.db}"


def is_sentinel(url: str) -> bool:
    """Whether the URL has a sentinel scheme."""
    return url.strip().partition("://")[0].lower() in _SCHEMES


def parse_sentinels(url: str) -> SentinelAddress:
    """Parse the URL. The ValueError says what was expected and found, without the URL. `master` is empty if the URL does not name it."""
    scheme, _, rest = url.strip().partition("://")
    first, _, query = rest.partition("?")
    master = userinfo = ""
    places: list[tuple[str, int]] = []
    numbers: list[str] = []
    for number, chunk in enumerate(_chunks(first)):
        found, hosts, path = _parts(chunk)
        userinfo = userinfo if number else found
        places += [_place(host) for host in hosts.split(",")]
        name, db = _name_and_database(path)
        master, numbers = master or name, [*numbers, *([db] if db else [])]
    if not places:
        raise ValueError(f"expected {_FORM}, found no host")
    plain = parse_address(f"{_SCHEMES[scheme.lower()]}://{userinfo}sentinels.invalid/{'?' if query else ''}{query}")
    to_master = replace(plain, db=database(numbers[0])) if numbers else plain
    return SentinelAddress(tuple(dict.fromkeys(places)), master, to_master, replace(plain, username=None, password=None, db=0))


def master_name(name: str) -> str:
    """The name, if it is a valid master name; else ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise ValueError("expected the master's name as `sentinel monitor` has it, of letters, digits, dots, - and _, found another text")
    return name


def _chunks(text: str) -> list[str]:
    """The nodes of Celery's spelling, each with its userinfo and path; the other spelling is one chunk."""
    return [chunk for chunk in _NEXT.split(text) if chunk]


def _parts(chunk: str) -> tuple[str, str, str]:
    """(userinfo with its @, hosts, path)."""
    userinfo, found, rest = chunk.rpartition("@")
    hosts, _, path = rest.partition("/")
    if "/" in userinfo or "#" in chunk:
        raise ValueError(f"expected {_FORM}, found a / or # before the hosts: are / # @ : , ; in the password %-escaped?")
    return userinfo + found, hosts, path.strip("/")


def _place(host: str) -> tuple[str, int]:
    if not _HOST.fullmatch(host.strip()):
        raise ValueError(f"expected {_FORM}, found a host that cannot be read: are / @ : , ; in the password %-escaped?")
    name, _, port = host.strip().rpartition(":") if re.search(r":[0-9]+$", host) and not host.endswith("]") else (host.strip(), "", "")
    if port and not 0 < int(port) < 65536:
        raise ValueError("expected ports of 1 to 65535 for the sentinels, found another number")
    return name.strip("[]"), int(port) if port else PORT


def _name_and_database(path: str) -> tuple[str, str]:
    """`mymaster/0` -> both; `mymaster` -> the name; `0` -> the database, as in Celery."""
    name, _, db = path.partition("/")
    if db or not re.fullmatch(r"[0-9]*", name):
        return master_name(unquote(name)), db
    return "", name
