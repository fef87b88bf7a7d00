"""An HTTP receiver over bare sockets that misbehaves on command, and keeps every message that reached it whole."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

Mood = Callable[[socket.socket, threading.Event], None]
"""What to do with a connection whose request was read; the event is set when the server closes."""


def answers(status: int, *headers: str, body: bytes = b"") -> Mood:
    head = "\r\n".join([f"HTTP/1.1 {status} As Told", f"content-length: {len(body)}", "connection: close", *headers])
    return lambda connection, _: connection.sendall(head.encode() + b"\r\n\r\n" + body)


def answers_late(after_s: float) -> Mood:
    def mood(connection: socket.socket, closing: threading.Event) -> None:
        closing.wait(after_s)
        well(connection, closing)

    return mood


def drips(every_s: float) -> Mood:
    """One byte at a time, never to the end of its headers."""

    def mood(connection: socket.socket, closing: threading.Event) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nx-" + b"y" * 3600:
            connection.sendall(bytes([byte]))
            if closing.wait(every_s):
                return

    return mood


def never_answers(connection: socket.socket, closing: threading.Event) -> None:
    """Until the other side has had enough."""
    connection.settimeout(0.2)
    while not closing.is_set():
        with contextlib.suppress(TimeoutError):
            if not connection.recv(1):
                return


def resets(connection: socket.socket, _: threading.Event) -> None:
    """RST in the middle of the answer."""
    connection.sendall(b"HTTP/1.1 2")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


well: Mood = answers(200)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request that was read whole; `at` is monotonic seconds."""

    id: str
    body: bytes
    at: float


class MoodyReceiver:
    """Listens on a loopback port of its own; `deaf`: nothing listens there. One thread a connection."""

    def __init__(self, mood: Mood = well, context: ssl.SSLContext | None = None) -> None:
        self.mood = mood
        self.arrived: list[Arrived] = []
        self._context = context
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listen(self._listener)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}/hook"

    def go_deaf(self) -> None:
        """Connections are refused from now on."""
        self._listener.close()
        self._threads[0].join(10)

    def hear_again(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen(self._listener)

    def _listen(self, listener: socket.socket) -> None:
        listener.settimeout(0.05)
        thread = threading.Thread(target=self._serve, args=(listener,))
        self._threads.insert(0, thread)
        thread.start()

    def _serve(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            if self._context is None:
                self._converse(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    self._converse(secure)

    def _converse(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += _more(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        while len(body) < int(headers["content-length"]):
            body += _more(connection)
        name = next(line.split(b": ", 1)[1] for line in head.split(b"\r\n") if line.lower().startswith(b"webhook-id: "))
        self.arrived.append(Arrived(name.decode(), body, time.monotonic()))
        self.mood(connection, self._closing)


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("closed by the other side")
    return chunk
