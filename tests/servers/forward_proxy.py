"""A forward proxy on a free loopback port: CONNECT for https, absolute addresses for http; it records what it is asked for.

It reaches whatever it is asked for on loopback, whatever the name: so a test can ask for `https://receiver.example`.
"""

import base64
import contextlib
import select
import socket
import ssl
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

HOP_BY_HOP = {"proxy-authorization", "proxy-connection", "connection", "keep-alive"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the proxy: `CONNECT host:port`, or `POST http://…`."""

    method: str
    what: str
    authorization: str | None


class ForwardProxy:
    """`login`: the user and password it wants; `refuses`: the status it answers everything with; `context`: it speaks TLS itself."""

    def __init__(self, login: tuple[str, str] | None = None, refuses: int | None = None, context: ssl.SSLContext | None = None) -> None:
        self.refuses = refuses
        self.asked: list[Asked] = []
        self.wanted = None if login is None else "Basic " + base64.b64encode(":".join(login).encode()).decode()
        self.closing = Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="forward-proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    proxy: ForwardProxy
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hung up is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    connection: socket.socket

    def admitted(self) -> bool:
        proxy = self.server.proxy
        given = self.headers.get("proxy-authorization")
        proxy.asked.append(Asked(self.command, self.path, given))
        refusal = proxy.refuses or (407 if proxy.wanted and given != proxy.wanted else None)
        if refusal is None:
            return True
        self.close_connection = True
        body = f"no: {self.path} {given}".encode()  # a proxy that repeats what it was told
        self.wfile.write(f"HTTP/1.1 {refusal} Refused\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        return False

    def do_CONNECT(self) -> None:
        if not self.admitted():
            return
        self.close_connection = True
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2])), timeout=5) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.wfile.flush()
            self.carry(upstream)

    def do_POST(self) -> None:
        if not self.admitted():
            return
        self.close_connection = True
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP]
        head = "\r\n".join([f"{self.command} {path} HTTP/1.1", *kept, "connection: close", "", ""])
        with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=5) as upstream:
            upstream.sendall(head.encode() + body)
            while piece := upstream.recv(65536):
                self.wfile.write(piece)

    do_GET = do_POST  # noqa: N815 - the name that http.server calls

    def carry(self, upstream: socket.socket) -> None:
        """Bytes both ways, until one side has enough."""
        ends = {self.connection: upstream, upstream: self.connection}
        with contextlib.suppress(OSError):
            while not self.server.proxy.closing.is_set():
                for end in select.select(list(ends), [], [], 0.05)[0]:
                    piece = end.recv(65536)
                    if not piece:
                        return
                    ends[end].sendall(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the base class
        """Say nothing."""
