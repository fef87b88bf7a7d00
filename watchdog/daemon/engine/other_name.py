"""Whether the engine's broker is a watched server under another name, which the configuration cannot know: names are looked up for that.

In: where the broker is, where the watched servers are. Out: a warning in the log. It has a thread of its own: a name server may hang.
"""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address

import structlog

from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.sentinel_address import SentinelAddress

__all__ = ["look_for_other_names", "watched_under_another_name"]

log = structlog.get_logger()

Place = RedisAddress | SentinelAddress
Resolve = Callable[[str], frozenset[str]]


def look_for_other_names(broker: Place, watched: Mapping[str, Sequence[Place]]) -> None:
    """Begin to, and return at once. `watched`: target -> its servers."""
    threading.Thread(target=_warn, args=(broker, watched), name="engine names", daemon=True).start()


def _warn(broker: Place, watched: Mapping[str, Sequence[Place]]) -> None:
    target = watched_under_another_name(broker, watched, addresses_of)
    if target is not None:
        reason = (
            f'engine.broker {broker.masked} is the server of target "{target}" under another name: when that one hangs, fills up or is '
            "emptied, watchdog must still look; a small second Redis is enough"
        )
        log.warning("engine_watched", target=target, reason=reason)


def watched_under_another_name(broker: Place, watched: Mapping[str, Sequence[Place]], resolve: Resolve) -> str | None:
    """The target whose server it is; None if it is none's, or is behind sentinels or a socket."""
    if isinstance(broker, SentinelAddress) or broker.path:
        return None
    known: dict[str, frozenset[str]] = {}
    ours = resolve(broker.host)
    for target, places in watched.items():
        for place in places:
            if isinstance(place, RedisAddress) and not place.path and place.port == broker.port:
                theirs = known.get(place.host)
                if theirs is None:
                    theirs = known[place.host] = resolve(place.host)
                if ours & theirs:
                    return target
    return None


def addresses_of(host: str) -> frozenset[str]:
    """The addresses of a host, those of this machine as one; empty if its name cannot be looked up."""
    try:
        found = {str(address[4][0]).partition("%")[0] for address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset("loopback" if ip_address(one).is_loopback else one for one in found)
