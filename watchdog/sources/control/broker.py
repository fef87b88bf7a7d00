"""How kombu is to connect to the broker of a target. In: an address of `redis`. Out: arguments of `kombu.Connection`, with credentials.

Two defaults of kombu are dangerous here. It waits for ever for a broker that hangs: every wait of a socket is limited. And whoever waits
for an answer over Redis also returns messages that workers have not acknowledged for longer than the *waiter's* visibility timeout: this
one has none that ends, and knows no key under which workers keep such messages.
"""

import ssl
from typing import Any
from urllib.parse import quote

from watchdog.sources.redis.address import RedisAddress, at
from watchdog.sources.redis.sentinel_address import SentinelAddress

__all__ = ["connection_arguments"]

NEVER_S = 10**9
NO_KEY = "_watchdog.no_unacked"
_NEEDS = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}


def connection_arguments(
    place: RedisAddress | SentinelAddress, *, timeout_s: float, connect_timeout_s: float, key_prefix: str
) -> dict[str, Any]:
    """The arguments. `key_prefix`: the global_keyprefix of the workers."""
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": connect_timeout_s,
        "max_retries": 0,
        "visibility_timeout": NEVER_S,
        "unacked_key": NO_KEY,
        "unacked_index_key": f"{NO_KEY}_index",
        "unacked_mutex_key": f"{NO_KEY}_mutex",
        "priority_steps": [0],
    }
    if key_prefix:
        options["global_keyprefix"] = key_prefix
    if isinstance(place, SentinelAddress):
        server = place.to_master
        login = {"username": place.to_sentinel.username, "password": place.to_sentinel.password}
        waits = {"socket_timeout": timeout_s, "socket_connect_timeout": connect_timeout_s}
        options |= {"master_name": place.master, "sentinel_kwargs": {**login, **waits, **_tls_of(place.to_sentinel, ssl=True)}}
        url = ";".join(f"sentinel://{_login(server)}{at(*sentinel)}/{server.db}" for sentinel in place.sentinels)
    else:
        server = place
        url = _url(place)
    return {"hostname": url, "connect_timeout": connect_timeout_s, "ssl": _tls_of(server) or False, "transport_options": options}


def _url(address: RedisAddress) -> str:
    if address.path:
        return f"redis+socket://{_login(address)}{address.path}?virtual_host={address.db}"
    return f"redis://{_login(address)}{at(address.host, address.port)}/{address.db}"


def _login(address: RedisAddress) -> str:
    if not (address.username or address.password):
        return ""
    return f"{quote(address.username or '', safe='')}:{quote(address.password or '', safe='')}@"


def _tls_of(address: RedisAddress, **also: object) -> dict[str, object]:
    """The TLS arguments of redis-py; none without TLS."""
    if not address.tls:
        return {}
    files = {"ssl_ca_certs": address.ca_file, "ssl_certfile": address.cert_file, "ssl_keyfile": address.key_file}
    checked = {"ssl_cert_reqs": _NEEDS[address.cert_reqs], "ssl_check_hostname": address.check_host and address.cert_reqs == "required"}
    return {**also, **checked, **files}
