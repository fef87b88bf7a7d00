"""A TCP relay on a free loopback port that can become a black hole: what is sent into it is taken, and nothing comes out, nor is closed.

In: the port behind it. Out: `port`; bytes in both directions at once, until it holds them back, lets them go again, or closes everything.
"""

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Self

__all__ = ["TcpRelay"]

TICK_S = 0.05


class TcpRelay:
    """Between whoever connects to `port` and `upstream` (a loopback port). One thread, which sleeps while nothing moves."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._other_end: dict[socket.socket, socket.socket] = {}
        self._holding, self._closing, self._resetting = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._carry, name="tcp-relay", daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def hold(self) -> None:
        """From now on nothing comes through: a black hole, to which one can still connect."""
        self._holding.set()

    def let_go(self) -> None:
        """What was held back comes through, and everything after it."""
        self._holding.clear()

    def reset(self) -> None:
        """Close all connections that there are."""
        self._resetting.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._thread.join()
        self._close_all()
        self._listener.close()
        self._selector.close()

    def _carry(self) -> None:
        while not self._closing.is_set():
            if self._resetting.is_set():
                self._resetting.clear()
                self._close_all()
            if self._holding.is_set():
                self._closing.wait(TICK_S)
                continue
            for key, _ in self._selector.select(TICK_S):
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self._listener:
                    self._connect()
                elif end in self._other_end:  # the other end may have been closed in this round
                    self._move(end)

    def _connect(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream), timeout=5)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(5)
            self._other_end[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _move(self, end: socket.socket) -> None:
        try:
            moved = end.recv(65536)
            self._other_end[end].sendall(moved)
        except OSError:
            moved = b""
        if not moved:
            self._close(end)

    def _close(self, end: socket.socket) -> None:
        for one in (end, self._other_end[end]):
            self._selector.unregister(one)
            del self._other_end[one]
            with contextlib.suppress(OSError):
                one.close()

    def _close_all(self) -> None:
        while self._other_end:
            self._close(next(iter(self._other_end)))
