"""What the daemon serves over HTTP, across configurations.

In: each configuration as it is built. Out: what serves it once it is in force. Where `[http]` is unset, nothing of it is imported.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from watchdog.app.configured import Configured
from watchdog.daemon.daemon import Built, RejectedError
from watchdog.store import Store

if TYPE_CHECKING:
    from watchdog.web.server import WebServer

__all__ = ["Serving"]

log = structlog.get_logger()


class Serving:
    """The server of a process. It closes with the block."""

    def __init__(self) -> None:
        self._server: WebServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def prepare(self, conf: Configured, built: Built, store: Store) -> Callable[[], None]:
        """Bind its address. Returns what serves the configuration. RejectedError: the address cannot be listened on."""
        given = conf.settings.http
        if given is None:
            return self._close
        from watchdog.app.receivers import build_routing  # noqa: PLC0415
        from watchdog.status.gathering import Days  # noqa: PLC0415
        from watchdog.status.why.today import today_of  # noqa: PLC0415
        from watchdog.web.application import build_application  # noqa: PLC0415
        from watchdog.web.server import ListenError, WebServer  # noqa: PLC0415
        from watchdog.web.site import Site  # noqa: PLC0415

        watching = built.watching
        today = today_of(conf.settings, conf.book, built.recipients, build_routing(conf.settings))
        states = (watching.overdue, watching.delivering, watching.ready, built.self_seen)
        site = Site(conf.settings, store, Days(), *states, clock=time.time, today=today)
        server = self._server = self._server or WebServer()
        try:
            offer = server.offer(given.listen, given.address, build_application(site, given, time.monotonic))
        except ListenError as error:
            raise RejectedError(str(error)) from None

        def serve() -> None:
            server.take(offer)
            log.info("http_served", listen=given.listen, port=server.port, authentication=given.authenticates)

        return serve

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
