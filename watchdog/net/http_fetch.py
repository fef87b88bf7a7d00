"""Fetches pages of one server: one GET at a time, within its time and size limits; a kept connection that was closed is tried once more.

In: what is asked, and how to make its request. Out: the HTTP answer, whatever its status, or a sentence that says why there is none.
Nothing is raised but a lack of our own resources. Imported at the first query: httpx is slow to import.
"""

import os
import ssl
from collections.abc import Callable
from contextlib import closing

import httpx
from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.text.exception_chain import exception_chain
from watchdog.net.deadline import Deadline
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.net.http_proxy import Proxy, proxy_answer, proxy_for
from watchdog.net.http_silence import Asked, silence, stale
from watchdog.net.http_transport import HttpTransport
from watchdog.net.tls_files import TlsFiles

__all__ = ["Fetched", "HttpFetch"]


class Fetched(Struct, frozen=True):
    """One HTTP answer. `cut` says why its body is incomplete, `refusal` why a proxy did not pass the request on."""

    status: int
    body: bytes
    headers: httpx.Headers
    cut: str = ""
    refusal: str = ""


class HttpFetch:
    """The connection to one server. `source` begins each reason and is the key that configures it. `transport` exists for tests."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything that a connection depends on
        self,
        source: str,
        url: str,
        proxy: str,
        tls: TlsFiles,
        connect_timeout_s: float,
        most_bytes: int,
        transport: httpx.BaseTransport | None,
        clock: Callable[[], float],
    ) -> None:
        self._source, self._url, self._proxy_named, self._tls = source, url, proxy, tls
        self._connect_timeout_s, self._most_bytes = connect_timeout_s, most_bytes
        self._transport, self._clock = transport, clock
        self._proxy: Proxy | None = None
        self._deadline = Deadline(clock)

    def get(self, asked: Asked, prepared: Callable[[str], httpx.Request]) -> Fetched | str:
        """The answer, within `asked.timeout_s`. `prepared` makes the request for a URL."""
        self._deadline.start(asked.timeout_s)
        kept = self._transport is not None
        try:
            transport = self._transport = self._transport or self._made()
        except ValueError as error:  # from `proxy_for`
            return f"{self._source}: {error}"
        except OSError as error:
            raise_if_own(error)
            expected = "expected PEM files, and a key that fits and is not locked"
            return f"{self._source}: cannot read the certificates in {self._tls} of {self._source}: {expected}"
        asked = replace(asked, proxy=self._proxy)
        try:
            try:
                return self._streamed(transport, asked, prepared)
            except httpx.HTTPError as error:
                if not (kept and stale(error)):
                    raise
            return self._streamed(transport, asked, prepared)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise_if_own(error)
            if any(isinstance(cause, ssl.SSLError) for cause in exception_chain(error)):
                self.close()  # the next query reads the files again
            return silence(error, asked)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _streamed(self, transport: httpx.BaseTransport, asked: Asked, prepared: Callable[[str], httpx.Request]) -> Fetched:
        """The answer, read in pieces, so that the other side controls neither its size nor its duration."""
        with closing(transport.handle_request(prepared(asked.url))) as response:
            status, headers, body = response.status_code, response.headers, bytearray()
            try:
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > self._most_bytes:
                        expected = f"expected at most {self._most_bytes} bytes (`max_answer_bytes`) from {asked.url}"
                        return Fetched(status, b"", headers, cut=f"{self._source}: {expected}, found more")
                    if self._deadline.over:
                        raise httpx.ReadTimeout("no time left")
            except (httpx.RemoteProtocolError, httpx.DecodingError):
                found = f"expected the whole answer from {asked.url}, found it truncated or damaged after {len(body)} bytes"
                return Fetched(status, b"", headers, cut=f"{self._source}: {found}")
            if status == 407 and self._proxy:
                return Fetched(status, b"", headers, refusal=f"{self._source}: {proxy_answer(status, self._proxy, asked.base)}")
            return Fetched(status, bytes(body), headers)

    def _made(self) -> httpx.BaseTransport:
        self._proxy = proxy_for(self._url, self._proxy_named, os.environ)
        tls = self._tls if self._url.startswith("https://") else None
        return HttpTransport(tls, self._proxy, self._connect_timeout_s, self._deadline, self._clock)
