"""A receiver that notes when each webhook arrived. `python -m bench.receiver PORT` is one that only answers, in a process of its own."""

import json
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.servers import LOOPBACK, wait_for_port
from watchdog.demo.processes import Process, child_environment, free_port

__all__ = ["Receiver", "answering"]


class Receiver:
    """Notes, for each queue that an incident names, when its first notification came (`time.time`)."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        self.news = threading.Condition()
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/hook"

    def take(self, body: bytes, at: float) -> None:
        """One webhook."""
        with self.news:
            for incident in json.loads(body)["data"]["incidents"]:
                self.told.setdefault(incident["key"].get("name", ""), at)
            self.news.notify_all()

    def wait_for(self, names: set[str], timeout_s: float) -> dict[str, float]:
        """When each of these was notified. TimeoutError names those that were not."""
        with self.news:
            if not self.news.wait_for(lambda: names <= self.told.keys(), timeout_s):
                raise TimeoutError(f"never notified of {', '.join(sorted(names - self.told.keys()))}")
            return {name: self.told[name] for name in names}


def _handler_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.time()
            receiver.take(self.rfile.read(int(self.headers["content-length"])), at)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the base class
            """Say nothing."""

    return Handler


class _Answering(socketserver.StreamRequestHandler):
    """One kept connection whose every request is answered."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Read request after request, until the other side has had enough."""
        while self.rfile.readline().strip():
            length = 0
            while header := self.rfile.readline().strip().lower():
                if header.startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            self.rfile.read(length)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """One that only answers, in a process of its own, which costs this one nothing. Its URL."""
    port = free_port()
    process = Process("receiver", [sys.executable, "-m", "bench.receiver", str(port)], folder, child_environment({}))
    try:
        wait_for_port(process, port)
        yield f"http://{LOOPBACK}:{port}/hook"
    finally:
        process.end()


if __name__ == "__main__":
    with socketserver.ThreadingTCPServer((LOOPBACK, int(sys.argv[1])), _Answering) as server:
        server.serve_forever()
