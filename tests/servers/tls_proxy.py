"""A proxy on a free loopback port that ends TLS and hands everything on to a plain port: for servers built without TLS."""

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self


class TlsProxy:
    """Any number of connections at once; all of them end with the block."""

    def __init__(self, to_port: int, context: ssl.SSLContext) -> None:
        self._to_port = to_port
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve, name="tls-proxy")]

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in (self._listener, *self._open):
            _end(one)
        for thread in self._threads:
            thread.join()
        for one in (self._listener, *self._open):
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                outside, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(outside)
            thread = threading.Thread(target=self._relay, args=(outside,), name="tls-proxy-relay")
            self._threads.append(thread)
            thread.start()

    def _relay(self, outside: socket.socket) -> None:
        with contextlib.suppress(OSError):
            outside.settimeout(10)
            secure = self._context.wrap_socket(outside, server_side=True)
            inside = socket.create_connection(("127.0.0.1", self._to_port), timeout=10)
            self._open += [secure, inside]
            back = threading.Thread(target=_pump, args=(inside, secure), name="tls-proxy-back")
            back.start()
            _pump(secure, inside)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Until either side ends; then both do."""
    source.settimeout(None)
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            sink.sendall(some)
    _end(source)
    _end(sink)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(one, socket.SHUT_RDWR)
