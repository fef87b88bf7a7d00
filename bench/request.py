"""One small GET to Flower, as a cycle asks it, beside the bare exchange: the same bytes over an open socket, and the body cut out."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from bench.cpu import cpu_ms_of, interleaved
from bench.figures import Figure, by_round
from bench.servers import LOOPBACK, Servers, serving
from bench.site import Site
from watchdog.sources.flower.dashboard_pages import Pages
from watchdog.sources.flower.page import Page
from watchdog.sources.flower.questions import STATUS
from watchdog.sources.flower.settings import FlowerSettings

__all__ = ["request"]

WORKERS = 4
HEAD = "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bench\r\nAccept-Encoding: identity\r\n\r\n"
MOST = 13


def request(folder: Path, *, requests: int = 300, rounds: int = 15) -> Iterator[Figure]:
    """CPU of one GET, and of its floor."""
    with serving(Site(WORKERS, 0, time.time()), folder) as servers:
        pages = Pages(FlowerSettings(url=servers.flower_url), None, time.monotonic)
        with closing(pages), socket.create_connection((LOOPBACK, servers.flower_port)) as line:
            measured = _repeated(lambda: _asked(pages), requests)
            floor = _repeated(lambda: _exchanged(line, servers), requests)
            interleaved(1, measured, floor)  # the first round connects and imports
            pairs = interleaved(rounds, measured, floor)
    yield by_round("one small GET to Flower: CPU", "ms", pairs, MOST)


def _repeated(work: Callable[[], object], times: int) -> Callable[[], float]:
    """The CPU (ms) of doing it once, by doing it so often."""

    def measure() -> float:
        return cpu_ms_of(lambda: [work() for _ in range(times)]) / times

    return measure


def _asked(pages: Pages) -> None:
    page = pages.get(STATUS)
    if not isinstance(page, Page) or page.status != 200:
        raise AssertionError(f"Flower was to answer: {page}")
    msgspec.json.decode(page.body)


def _exchanged(line: socket.socket, servers: Servers) -> None:
    line.sendall(HEAD.format(STATUS, servers.flower_url).encode())
    head, _, body = line.recv(65536).partition(b"\r\n\r\n")
    length = int(head.rpartition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += line.recv(65536)
    msgspec.json.decode(body)
