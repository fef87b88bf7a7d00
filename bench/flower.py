"""A process that plays Flower: every page of a site over keep-alive HTTP/1.1, under any prefix, so that it can be many Flowers.

`python -m bench.flower PORT SIZE NOW`
"""

import re
import socketserver
import sys

from bench.site import Site

__all__: list[str] = []

PREFIX = re.compile(r"^/f\d+(?=/)")


class _Connection(socketserver.StreamRequestHandler):
    """One kept connection: http.server would cost more than what is measured."""

    server: "_Flower"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer GET after GET, until the other side has had enough."""
        while words := self.rfile.readline().split():
            while self.rfile.readline().strip():
                """The headers say nothing that matters here."""
            body = self.server.pages.get(PREFIX.sub("", words[1].decode()))
            status = b"200 OK" if body is not None else b"404 Not Found"
            self.wfile.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body or b""), body or b""))


class _Flower(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, site: Site) -> None:
        self.pages = site.pages()
        super().__init__(("127.0.0.1", port), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none of our business."""


if __name__ == "__main__":
    with _Flower(int(sys.argv[1]), Site(int(sys.argv[2]), 0, float(sys.argv[3]))) as flower:
        flower.serve_forever()
