"""A TCP server on a free loopback port with programmed answers: for those that no decent server gives."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Conversation = Callable[[socket.socket, threading.Event], None]
"""What to do with one connection; the event is set when the server closes."""


class TcpServer:
    """Holds `converse` with each connection, one after the other, counting them."""

    def __init__(self, converse: Conversation, context: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self._converse = converse
        self._context = context
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._thread = threading.Thread(target=self._serve, name="tcp-server")

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            connection.settimeout(5)
            with contextlib.suppress(OSError), connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self._context is None:
            self._converse(connection, self._closing)
            return
        with self._context.wrap_socket(connection, server_side=True) as secure:
            self._converse(secure, self._closing)


def says(answer: bytes, times: int = 1) -> Conversation:
    """Wait for something to be asked, answer this, so many times, and close."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        for _ in range(times):
            connection.recv(65536)
            connection.sendall(answer)

    return converse


def drips(answer: bytes, every_s: float) -> Conversation:
    """Wait for something to be asked, answer one byte at a time."""

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        connection.recv(65536)
        for at in range(len(answer)):
            connection.sendall(answer[at : at + 1])
            if closing.wait(every_s):
                return

    return converse


def is_silent(connection: socket.socket, closing: threading.Event) -> None:
    """Take the connection and say nothing."""
    closing.wait(10)
