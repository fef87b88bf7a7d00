"""The HTTP client for one server: one connection, kept alive between cycles, straight to it or through a forward proxy.

In: a request. Out: its answer, whose body is read from the socket as it is used; httpx's exceptions if there is none. It is a transport of
httpx that is called without an `httpx.Client`: redirects, pools and merged settings are not needed here, and were most of the cost of a
small query. Imported at the first query: httpx is slow to import.
"""

import base64
import ssl
from collections.abc import Callable, Iterator
from typing import NoReturn

import h11
import httpcore
import httpx

from watchdog.net.deadline import Deadline
from watchdog.net.http_connection import HttpConnection, time_left
from watchdog.net.http_proxy import Proxy
from watchdog.net.tls_files import TlsFiles, tls_context

__all__ = ["HttpTransport"]

_PORTS = {"http": 80, "https": 443}
_WIRE = "watchdog.wire"
"""Among the extensions of a request: its form for h11, which takes long to check."""
_FAULTS = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError, h11.ProtocolError)


class HttpTransport(httpx.BaseTransport):
    """Sends requests to one server, one at a time, using only that proxy. Its every wait ends with the deadline.

    `tls`: None for plain http. OSError if its files cannot be read.
    """

    def __init__(
        self, tls: TlsFiles | None, proxy: Proxy | None, connect_timeout_s: float, deadline: Deadline, clock: Callable[[], float]
    ) -> None:
        self._context = tls_context(tls) if tls else None
        self._proxy_context = tls_context((tls or TlsFiles()).trust_alone) if proxy and proxy.url.startswith("https:") else None
        self._proxy = proxy
        self._connect_timeout_s, self._deadline, self._clock = connect_timeout_s, deadline, clock
        self._connection: HttpConnection | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request. Its answer must be read, or closed, before the next one."""
        try:
            if self._connection is None or not self._connection.usable:
                self.close()
                self._connection = HttpConnection(self._connected(request.url), self._deadline, self._clock)
            head = self._connection.ask(self._on_the_wire(request), request.content)
        except _FAULTS as error:
            self.close()
            _raise_as_httpx(error)
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=_Body(self._connection))

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _on_the_wire(self, request: httpx.Request) -> h11.Request:
        """The request as the next hop wants it, kept with it: a proxy for plain http is given the whole URL."""
        kept: h11.Request | None = request.extensions.get(_WIRE)
        if kept is None:
            forwarded = self._proxy is not None and self._context is None
            target = str(request.url).encode("ascii") if forwarded else request.url.raw_path
            login = _login(self._proxy) if forwarded else []
            kept = h11.Request(method=request.method, target=target, headers=[*login, *request.headers.raw])
            request.extensions[_WIRE] = kept
        return kept

    def _connected(self, url: httpx.URL) -> httpcore.NetworkStream:
        """A stream to the server of this URL, or to the proxy that forwards to it."""
        if self._proxy is None:
            return self._reached(url, self._context)
        stream = self._reached(httpx.URL(self._proxy.url), self._proxy_context)
        return stream if self._context is None else self._tunnelled(stream, self._proxy, url, self._context)

    def _reached(self, url: httpx.URL, context: ssl.SSLContext | None) -> httpcore.NetworkStream:
        """A connection to the host of this URL."""
        stream = httpcore.SyncBackend().connect_tcp(_host(url), _port(url), self._time_to_connect())
        return stream if context is None else self._secured(stream, url, context)

    def _tunnelled(self, stream: httpcore.NetworkStream, proxy: Proxy, url: httpx.URL, context: ssl.SSLContext) -> httpcore.NetworkStream:
        """The same connection, carried on by the proxy to the server."""
        host = f"[{_host(url)}]" if ":" in _host(url) else _host(url)
        place = f"{host}:{_port(url)}"
        try:
            headers = [(b"Host", place.encode()), (b"Accept", b"*/*"), *_login(proxy)]
            answer = HttpConnection(stream, self._deadline, self._clock).ask(h11.Request(method="CONNECT", target=place, headers=headers))
            if not 200 <= answer.status_code < 300:
                raise httpcore.ProxyError(str(answer.status_code))
            return self._secured(stream, url, context)
        except _FAULTS:
            stream.close()
            raise

    def _secured(self, stream: httpcore.NetworkStream, url: httpx.URL, context: ssl.SSLContext) -> httpcore.NetworkStream:
        return stream.start_tls(context, _host(url), self._time_to_connect())

    def _time_to_connect(self) -> float:
        return min(self._connect_timeout_s, time_left(self._deadline, httpcore.ConnectTimeout))


class _Body(httpx.SyncByteStream):
    """The body of the answer that a connection is giving."""

    def __init__(self, connection: HttpConnection) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._connection.body()
        except _FAULTS as error:
            _raise_as_httpx(error)

    def close(self) -> None:
        """The connection may be used again if the body was read to its end."""
        self._connection.finish()


def _raise_as_httpx(error: Exception) -> NoReturn:
    """The exception of httpx with the same name, as its own transport raises it."""
    raise getattr(httpx, type(error).__name__)(str(error)) from error


def _login(proxy: Proxy | None) -> list[tuple[bytes, bytes]]:
    if proxy is None or proxy.auth is None:
        return []
    return [(b"Proxy-Authorization", b"Basic " + base64.b64encode(":".join(proxy.auth).encode()))]


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS[url.scheme]
