"""The HTTP server of a daemon: one address at a time, and on it the application of the configuration in force.

In: an address and a WSGI application. Out: requests answered in threads of its own. A reload replaces the application between two requests;
a new address is bound before the old one is left, so that a reload that cannot have it changes nothing.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from waitress import wasyncore
from waitress.server import create_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ListenError", "Offer", "WebServer"]

THREADS = 4
MOST_CONNECTIONS = 100
LONGEST_BODY = 256 * 1024
IDLE_CONNECTION_S = 60
STOP_S = 5


class ListenError(Exception):
    """An address that cannot be listened on; the message says why."""


class Offer(Struct, frozen=True):
    """An application, and the bound socket of its address unless that is already listened on. Not served until it is taken."""

    listen: str
    application: "WSGIApplication"
    bound: socket.socket | None


class WebServer:
    """Serves nothing until an offer is taken."""

    def __init__(self) -> None:
        self._serving: _Serving | None = None

    @property
    def port(self) -> int | None:
        """The port that it listens on."""
        return self._serving.port if self._serving else None

    def offer(self, listen: str, address: tuple[str, int], application: "WSGIApplication") -> Offer:
        """Bind the address if it is a new one. Raises ListenError."""
        if self._serving is not None and self._serving.listen == listen:
            return Offer(listen, application, None)
        return Offer(listen, application, _bound(listen, address))

    def take(self, offer: Offer | None) -> None:
        """Serve this from now on; None: nothing."""
        if offer is not None and offer.bound is None and self._serving is not None:
            self._serving.application = offer.application
            return
        self.close()
        if offer is not None and offer.bound is not None:
            self._serving = _Serving(offer.listen, offer.application, offer.bound)

    def close(self) -> None:
        """Stop serving; requests in progress are given a moment."""
        if self._serving is not None:
            self._serving.close()
            self._serving = None


def _bound(listen: str, address: tuple[str, int]) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
            bound.listen(128)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        raise ListenError(
            f"http.listen: {listen} cannot be listened on: {error.strerror or error}; choose another address or port"
        ) from None
    return bound


class _Serving:
    """A server and its thread. `application` may be replaced while it serves."""

    def __init__(self, listen: str, application: "WSGIApplication", bound: socket.socket) -> None:
        logging.getLogger("waitress").setLevel(logging.CRITICAL)  # the application logs what fails in it
        self.listen, self.application = listen, application
        self.port: int = bound.getsockname()[1]
        self._map: dict[int, Any] = {}
        self._server: Any = create_server(
            self._answer,
            map=self._map,
            sockets=[bound],
            threads=THREADS,
            connection_limit=MOST_CONNECTIONS,
            max_request_body_size=LONGEST_BODY,
            channel_timeout=IDLE_CONNECTION_S,
            ident=None,
            clear_untrusted_proxy_headers=False,  # web/access.py says whom to trust
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)
        self._thread.start()

    def _answer(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        return self.application(environ, start)

    def close(self) -> None:
        close_all: Callable[[], None] = lambda: wasyncore.close_all(self._map)  # noqa: E731 - its thread runs it, then ends
        with contextlib.suppress(OSError):
            self._server.trigger.pull_trigger(close_all)
        self._thread.join(STOP_S)
        self._server.task_dispatcher.shutdown(timeout=STOP_S)
