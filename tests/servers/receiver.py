"""A recording HTTP server on a free loopback port: what arrives is kept, what it answers is programmed."""

import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.servers.waiting import until


@dataclass(frozen=True, slots=True)
class Answer:
    """What the next request gets. `hang_up`: close the connection without a word. The delay comes before the answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived. Header names are lower case; `at` is epoch seconds."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


class RecordingReceiver:
    """Answers each request with the next of `then` (in order), else with `default`."""

    def __init__(self, default: Answer | None = None, context: ssl.SSLContext | None = None) -> None:
        self.default = default or Answer()
        self.requests: list[Request] = []
        self._then: list[Answer] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        self._scheme = "https" if context else "http"
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="recording-receiver")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/hook"

    def then(self, *answers: Answer) -> None:
        with self._lock:
            self._then.extend(answers)

    def wait_for(self, count: int, timeout: float = 60.0) -> list[Request]:
        """The requests so far, once there are `count`; AssertionError where they do not come."""
        until(lambda: len(self.requests) >= count, timeout, f"{count} requests (there are {len(self.requests)})")
        return list(self.requests)

    def take(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self._then.pop(0) if self._then else self.default

    def pause(self, seconds: float) -> None:
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    receiver: RecordingReceiver
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def answer(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = self.rfile.read(size)
        if len(body) < size:  # who sent it died half-way: no server takes that for a request
            self.close_connection = True
            return
        headers = {name.lower(): ", ".join(self.headers.get_all(name, [])) for name in self.headers}
        answer = self.server.receiver.take(Request(self.command, self.path, headers, body, time.time()))
        self.server.receiver.pause(answer.delay_s)
        self.close_connection = True
        if answer.hang_up:
            return
        self.send_response(answer.status)
        for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the base class
        """Say nothing."""
