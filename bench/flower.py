"""A process that simulates Flower: every page of a site over keep-alive HTTP/1.1, under any prefix, so that it can be many Flowers.

`python -m bench.flower PORT SIZE NOW`; `GET /clock/NOW` sets its clock, which goes on from there; `GET /down/f7` takes what is below `/f7`
away until `GET /up/f7`.
"""

import re
import socketserver
import sys
import time

from bench.site import Site, page_at

__all__: list[str] = []

PREFIX = re.compile(r"^/f\d+(?=/)")
CLOCK = "/clock/"
SWITCH = re.compile(r"/(down|up)(/f\d+)")
HEADERS = (
    b"Server: TornadoServer/6.5.2\r\nContent-Type: application/json; charset=UTF-8\r\nDate: Fri, 27 Nov 2026 12:00:00 GMT\r\n"
    b'Etag: "3f0a1b9c5d7e2f4a6b8c0d1e2f3a4b5c6d7e8f90"\r\n'
)
"""Those of Tornado, which Flower runs on."""
TASKS = "/api/tasks?"
"""Lists of tasks: none that has not succeeded, whatever is asked for."""
TIMED = ("/?json=1", "/metrics", "/api/workers", "/api/workers?refresh=true")


class _Connection(socketserver.StreamRequestHandler):
    """One kept connection: http.server would cost more than what is measured."""

    server: "_Flower"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer GET after GET, until the other side has had enough."""
        while words := self.rfile.readline().split():
            while self.rfile.readline().strip():
                """The headers say nothing that matters here."""
            body = self.server.page(words[1].decode())
            status = b"200 OK" if body is not None else b"404 Not Found"
            self.wfile.write(b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, HEADERS, len(body or b""), body or b""))


class _Flower(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, site: Site) -> None:
        self._pages = site.pages()
        self._ahead_s = site.now - time.monotonic()
        self._inspected_at = site.now
        self._down: set[str] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def page(self, path: str) -> bytes | None:
        """The body of a page as it is now; None: there is none."""
        prefix = PREFIX.match(path)
        if prefix and prefix[0] in self._down:
            return None
        path = PREFIX.sub("", path)
        if switch := SWITCH.fullmatch(path):
            (self._down.add if switch[1] == "down" else self._down.discard)(switch[2])
            return b"OK"
        if path.startswith(CLOCK):
            self._ahead_s = float(path.removeprefix(CLOCK)) - time.monotonic()
            return b"OK"
        now = self._ahead_s + time.monotonic()
        if "refresh=true" in path:
            self._inspected_at = now
        body = b"{}" if path.startswith(TASKS) else self._pages.get(path)
        return page_at(body, now, self._inspected_at) if body is not None and path in TIMED else body

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none of our business."""


if __name__ == "__main__":
    with _Flower(int(sys.argv[1]), Site(int(sys.argv[2]), 0, float(sys.argv[3]))) as flower:
        flower.serve_forever()
