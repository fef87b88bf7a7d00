"""Variables that begin with WATCHDOG_ but are set by others: systemd, and Kubernetes for its Services.

For each Service in its namespace, Kubernetes sets seven variables in every pod ("service links"): a Service `watchdog-redis` sets
`WATCHDOG_REDIS_SERVICE_HOST`, `WATCHDOG_REDIS_PORT=tcp://10.0.0.1:6379`, `WATCHDOG_REDIS_PORT_6379_TCP_ADDR` and more (its docs, "Service",
"Environment variables"). In: a name and its value. Out: whether it is one of those. Both are checked: `WATCHDOG_REDIS_PORT=6379` is a
mistake.
"""

import re

__all__ = ["is_foreign"]

_BY_NAME = re.compile(r"WATCHDOG_(USEC|PID|SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP|SCTP)\w*)?)")
"""systemd's variables, and the links of a Service named watchdog: none of watchdog's own variables looks like one of them."""
_ADDRESS, _URL = r"[0-9a-fA-F.:]+", r"(tcp|udp|sctp)://\S+:\d+"
_LINKS = tuple(
    (re.compile(rf"WATCHDOG_\w+_{suffix}"), re.compile(value))
    for suffix, value in (
        (r"SERVICE_HOST", rf"{_ADDRESS}|None"),  # "None": a headless Service
        (r"SERVICE_PORT(_\w+)?", r"\d+"),
        (r"PORT", _URL),
        (r"PORT_\d+_(TCP|UDP|SCTP)", _URL),
        (r"PORT_\d+_(TCP|UDP|SCTP)_PROTO", r"tcp|udp|sctp"),
        (r"PORT_\d+_(TCP|UDP|SCTP)_PORT", r"\d+"),
        (r"PORT_\d+_(TCP|UDP|SCTP)_ADDR", _ADDRESS),
    )
)


def is_foreign(name: str, value: str) -> bool:
    """Whether this variable is set by something else, for its own purpose."""
    return bool(_BY_NAME.fullmatch(name)) or any(link.fullmatch(name) and shape.fullmatch(value) for link, shape in _LINKS)
