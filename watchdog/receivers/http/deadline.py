"""An attempt's deadline at the network level: all addresses of a name share the time, and nothing is written after the deadline.

httpx gives each address of a name the whole timeout, and a thread abandoned while connecting goes on to send: the message would arrive
although it was reported as unanswered, and again at the next attempt. In: a host, a deadline (monotonic seconds). Out: httpcore streams,
which refuse to write after the deadline. Name resolution cannot be interrupted; a result that comes too late is not used.
"""

import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

__all__ = ["DeadlineBackend"]


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects for one client. `deadline` is set before each attempt; `wrote`: whether anything was written to a connection since."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()
        self.deadline = float("inf")
        self.wrote = False

    def begin(self, timeout_s: float) -> None:
        """Start a new attempt with this timeout."""
        self.deadline, self.wrote = time.monotonic() + timeout_s, False

    def left(self, failure: type[Exception] = httpcore.ConnectTimeout) -> float:
        """The time left (seconds); raises `failure` if there is none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise failure("the attempt's time is up")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses one after the other, each with its share of the time left."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        failure: Exception = httpcore.ConnectError(f"no address of {host}")
        for nth, address in enumerate(addresses):
            share = self.left() / (len(addresses) - nth)
            try:
                stream = self._plain.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            self.left()
            return _Stream(stream, self)
        raise failure

    def sleep(self, seconds: float) -> None:
        """Wait between httpcore's own retries, which watchdog does not use."""
        self._plain.sleep(min(seconds, self.left()))


class _Stream(httpcore.NetworkStream):
    """A connection that refuses to write after the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, backend: DeadlineBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._backend.left(httpcore.WriteTimeout)
        self._backend.wrote = True
        self._stream.write(buffer, left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._backend.left()), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
