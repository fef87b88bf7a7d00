"""The HTTP client for one Flower: one connection, kept alive between cycles, and no wait longer than the deadline allows.

httpx's timeouts apply to one read each; a server that sends byte by byte would outlast them. Here each wait on the socket, headers
included, is limited to what is left of the query's deadline. Imported at the first query: httpx is slow to import.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from watchdog.net.deadline import Deadline
from watchdog.net.http_proxy import Proxy
from watchdog.net.tls_files import TlsFiles, no_tls, tls_context

__all__ = ["make_client"]

KEEPALIVE_S = 120.0
"""Longer than a usual interval, so that each cycle finds its connection still open."""


def make_client(*, secure: bool, tls: TlsFiles, deadline: Deadline, proxy: Proxy | None = None) -> httpx.Client:
    """A client for one base URL, using only that proxy and no .netrc. OSError if its TLS files cannot be read."""
    context = tls_context(tls) if secure else no_tls()
    return httpx.Client(transport=_Transport(context, deadline, proxy, tls.trust_alone), trust_env=False, follow_redirects=False)


class _Transport(httpx.HTTPTransport):
    """httpx's transport over a pool of one connection that respects the deadline."""

    def __init__(self, context: ssl.SSLContext, deadline: Deadline, proxy: Proxy | None, trust: TlsFiles) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = _pool(context, _Backend(deadline), proxy, trust)


def _pool(context: ssl.SSLContext, backend: httpcore.NetworkBackend, proxy: Proxy | None, trust: TlsFiles) -> httpcore.ConnectionPool:
    if proxy is None:
        return httpcore.ConnectionPool(ssl_context=context, max_connections=1, keepalive_expiry=KEEPALIVE_S, network_backend=backend)
    return httpcore.HTTPProxy(
        proxy.url,
        proxy_auth=proxy.auth,
        ssl_context=context,
        proxy_ssl_context=tls_context(trust) if proxy.url.startswith("https") else None,
        max_connections=1,
        keepalive_expiry=KEEPALIVE_S,
        network_backend=backend,
    )


class _Backend(httpcore.NetworkBackend):
    """Opens TCP connections whose every wait ends with the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream; raises httpcore's ConnectError or ConnectTimeout."""
        wait = _wait(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Stream(self._sockets.connect_tcp(host, port, wait, local_address, socket_options), self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The bytes received within the time left."""
        return self._stream.read(max_bytes, _wait(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything within the time left."""
        self._stream.write(buffer, _wait(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection under TLS."""
        wait = _wait(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, wait), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Information that httpcore asks of its streams (`is_readable`: the server closed the connection in the meantime)."""
        return self._stream.get_extra_info(info)


def _wait(deadline: Deadline, timeout: float | None, over: type[httpcore.TimeoutException]) -> float:
    """How long this step may wait (seconds)."""
    left = deadline.left()
    if left <= 0:
        raise over("no time left")
    return left if timeout is None else min(timeout, left)
