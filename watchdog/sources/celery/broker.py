"""How kombu is to connect to the broker. In: an address. Out: arguments of `kombu.Connection`, credentials included.

kombu was made for workers, and some of what it does for them must not happen here. A client that waits for replies on Redis also returns
unacknowledged messages to their queues once they are older than *its own* visibility_timeout, whatever the workers' is (see
findings/inspect-redelivers-what-runs.sh). So ours has none that ever ends, and looks under key names that no worker uses.
"""

import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from watchdog.sources.celery.amqp_address import AmqpAddress
from watchdog.sources.redis.address import RedisAddress, at
from watchdog.sources.redis.sentinel_address import SentinelAddress

__all__ = ["amqp_arguments", "close_amqp", "connection_arguments"]

NEVER_S = 10**9
NO_HEARTBEATS = 0
"""py-amqp waits anew after each heartbeat of the broker: where these come more often than a wait may last, it would have no limit.

The price: RabbitMQ does not notice that a connection was lost on the way within the seconds of a conversation. It keeps it, with an empty
queue that nobody else needs, until its TCP notices (`tcp_listen_options.keepalive`) or it restarts.
"""
NO_KEY = "_watchdog.no_unacked"
_CERT_REQS = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}

Place = AmqpAddress | RedisAddress | SentinelAddress


def connection_arguments(place: Place, *, timeout_s: float, connect_timeout_s: float, key_prefix: str) -> dict[str, Any]:
    """Return the arguments; each wait for the broker's answer is limited to `timeout_s`."""
    common: dict[str, Any] = {"connect_timeout": connect_timeout_s}
    if isinstance(place, AmqpAddress):
        limits = {"read_timeout": timeout_s, "write_timeout": timeout_s, "max_retries": 0}
        amqp = amqp_arguments(place, timeout_s=timeout_s, connect_timeout_s=connect_timeout_s)
        return {**amqp, **common, "heartbeat": NO_HEARTBEATS, "transport_options": limits}
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": connect_timeout_s,
        "max_retries": 0,
        "visibility_timeout": NEVER_S,
        "unacked_key": NO_KEY,
        "unacked_index_key": f"{NO_KEY}_index",
        "unacked_mutex_key": f"{NO_KEY}_mutex",
        "priority_steps": [0],  # replies have no priority: no other list is read or deleted
        **({"global_keyprefix": key_prefix} if key_prefix else {}),
    }
    master = place.to_master if isinstance(place, SentinelAddress) else place
    if isinstance(place, SentinelAddress):
        options |= {"master_name": place.master, "sentinel_kwargs": _of_sentinel(place.to_sentinel, timeout_s)}
        hosts = [f"sentinel://{_userinfo(master)}{at(host, port)}/{master.db}" for host, port in place.sentinels]
        where = {"hostname": ";".join(hosts)}
    elif place.path:
        where = {"hostname": f"redis+socket://{_userinfo(place)}{place.path}?virtual_host={place.db}"}
    else:
        where = {"hostname": f"redis://{_userinfo(place)}{at(place.host, place.port)}/{place.db}"}
    return {**common, **where, "ssl": _of_redis(master) if master.tls else False, "transport_options": options}


def amqp_arguments(place: AmqpAddress, *, timeout_s: float, connect_timeout_s: float) -> dict[str, Any]:
    """Return those for a connection that stays; sending is limited to `timeout_s`, and so must whoever reads limit each read."""
    limits = {"write_timeout": timeout_s}
    login = {"userid": place.username, "password": place.password, "virtual_host": place.virtual_host}
    where = {"transport": "pyamqp", "hostname": place.host, "port": place.port}
    tls = _of_amqp(place) if place.tls else False
    return {"connect_timeout": connect_timeout_s, **where, **login, "ssl": tls, "transport_options": limits}


def close_amqp(amqp: Any, within_s: float) -> None:
    """Close a connection of py-amqp, whatever state it is in; a broker that hangs is not waited for for longer. None: there is none."""
    if amqp is None:
        return
    with suppress(Exception):
        amqp.sock.settimeout(within_s)
        amqp.close()
    amqp.collect()


def _userinfo(address: RedisAddress) -> str:
    if not (address.username or address.password):
        return ""
    return f"{quote(address.username or '', safe='')}:{quote(address.password or '', safe='')}@"


def _of_redis(address: RedisAddress) -> dict[str, Any]:
    """The TLS arguments of redis-py."""
    return {
        "ssl_cert_reqs": _CERT_REQS[address.cert_reqs],
        "ssl_check_hostname": address.check_host and address.cert_reqs == "required",
        "ssl_ca_certs": address.ca_file,
        "ssl_certfile": address.cert_file,
        "ssl_keyfile": address.key_file,
    }


def _of_sentinel(address: RedisAddress, timeout_s: float) -> dict[str, Any]:
    """The arguments for the connections to sentinels."""
    login = {"username": address.username, "password": address.password, "socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    return {**login, **({"ssl": True, **_of_redis(address)} if address.tls else {})}


def _of_amqp(address: AmqpAddress) -> dict[str, Any]:
    """The TLS arguments of py-amqp."""
    files = {"ca_certs": address.ca_file, "certfile": address.cert_file, "keyfile": address.key_file}
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": address.host, **{name: path for name, path in files.items() if path}}
