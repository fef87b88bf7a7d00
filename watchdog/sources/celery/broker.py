"""How kombu is to connect to the broker. In: an address. Out: arguments of `kombu.Connection`, credentials included."""

import ssl
from typing import Any

from watchdog.sources.celery.amqp_address import AmqpAddress

__all__ = ["connection_arguments"]


def connection_arguments(place: AmqpAddress, *, timeout_s: float, connect_timeout_s: float) -> dict[str, Any]:
    """Return the arguments; sending is limited to `timeout_s`, and so must whoever reads limit each read."""
    limits = {"write_timeout": timeout_s}
    login = {"userid": place.username, "password": place.password, "virtual_host": place.virtual_host}
    where = {"transport": "pyamqp", "hostname": place.host, "port": place.port}
    tls = _tls_of(place) if place.tls else False
    return {"connect_timeout": connect_timeout_s, **where, **login, "ssl": tls, "transport_options": limits}


def _tls_of(address: AmqpAddress) -> dict[str, Any]:
    """The TLS arguments of py-amqp."""
    files = {"ca_certs": address.ca_file, "certfile": address.cert_file, "keyfile": address.key_file}
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": address.host, **{name: path for name, path in files.items() if path}}
