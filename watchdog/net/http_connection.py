"""One HTTP/1.1 connection that is kept between requests, with no wait longer than the deadline allows.

In: a connected stream, and requests. Out: the head of each answer, then its body in pieces; h11's ProtocolError or
httpcore's exceptions if there is none. h11 reads the answers, as it does for httpx; without what httpx and its pool add to each request,
a small one costs a third. Each wait on the socket, headers included, is limited to what is left: a server that sends byte by byte counts
as hanging.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import h11
import httpcore

from watchdog.net.deadline import Deadline

__all__ = ["HttpConnection", "time_left"]

KEEPALIVE_S = 120.0
"""Longer than a usual interval, so that each cycle finds its connection still open."""
READ_BYTES = 65536

_END = h11.EndOfMessage()


class HttpConnection:
    """One request at a time: `ask`, then `body` to its end, then `finish`."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline, clock: Callable[[], float]) -> None:
        self.stream = stream
        self._deadline, self._clock = deadline, clock
        self._protocol = h11.Connection(h11.CLIENT)
        self._expires_at = 0.0
        self._idle = False

    @property
    def usable(self) -> bool:
        """Whether another request may be sent: the last one is finished, and the other side has not hung up since."""
        return self._idle and self._clock() <= self._expires_at and not self.stream.get_extra_info("is_readable")

    def ask(self, request: h11.Request, content: bytes = b"") -> h11.Response:
        """Send a request, with a body of the length that its headers say. Returns the head of its answer."""
        self._idle = False
        wire = self._protocol.send(request) or b""
        if content:
            wire += self._protocol.send(h11.Data(data=content)) or b""
        self._protocol.send(_END)
        with suppress(httpcore.WriteError):  # it may have answered before it hung up
            self.stream.write(wire, time_left(self._deadline, httpcore.WriteTimeout))
        while not isinstance(event := self._event(), h11.Response):
            """An answer such as 100 precedes the real one."""
        return event

    def body(self) -> Iterator[bytes]:
        """The body in pieces as they arrive."""
        while isinstance(event := self._event(), h11.Data):
            yield event.data

    def finish(self) -> None:
        """Keep the connection if the answer was read to its end and the other side keeps it too; else close it."""
        if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
            self._protocol.start_next_cycle()
            self._idle, self._expires_at = True, self._clock() + KEEPALIVE_S
        else:
            self.close()

    def close(self) -> None:
        """Close the socket."""
        self._idle = False
        self.stream.close()

    def _event(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            received = self.stream.read(READ_BYTES, time_left(self._deadline, httpcore.ReadTimeout))
            if not received and self._protocol.their_state is h11.SEND_RESPONSE:
                raise httpcore.RemoteProtocolError("the connection was closed before the answer")
            self._protocol.receive_data(received)
        return event  # type: ignore[return-value] # mypy cannot tell that it is not NEED_DATA


def time_left(deadline: Deadline, over: type[httpcore.TimeoutException]) -> float:
    """How long this step may wait (seconds); raises `over` if no time is left."""
    left = deadline.left()
    if left <= 0:
        raise over("no time left")
    return left
