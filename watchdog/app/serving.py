"""What the daemon serves over HTTP, across configurations.

In: each configuration as it is built. Out: what serves it once it is in force. Where `[http]` is unset, nothing of it is imported.
"""

import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from watchdog.app.configured import Configured
from watchdog.daemon.daemon import Built, RejectedError
from watchdog.store import Store

if TYPE_CHECKING:
    from watchdog.app.acting import Acting
    from watchdog.web.acting.attempts import Attempts
    from watchdog.web.server import WebServer

__all__ = ["Serving"]

log = structlog.get_logger()

FINISH_S = 5.0
"""How long a stop waits for actions that are under way."""
ANSWER_WITHIN_S = 2.0
"""How long workers have to answer an action of the page, as by default on the command line."""


class Serving:
    """The server of a process. It closes with the block."""

    def __init__(self) -> None:
        self._server: WebServer | None = None
        self._attempts: Attempts | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()
        if self._attempts is not None:
            self._attempts.finish(FINISH_S)

    def prepare(self, conf: Configured, built: Built, store: Store) -> Callable[[], None]:
        """Bind its address. Returns what serves the configuration. RejectedError: the address cannot be listened on."""
        given = conf.settings.http
        if given is None:
            return self._close
        from watchdog.app.receivers import build_routing  # noqa: PLC0415
        from watchdog.status.gathering import Days  # noqa: PLC0415
        from watchdog.status.why.today import today_of  # noqa: PLC0415
        from watchdog.web.acting.attempts import Attempts  # noqa: PLC0415
        from watchdog.web.application import build_application  # noqa: PLC0415
        from watchdog.web.server import ListenError, WebServer  # noqa: PLC0415
        from watchdog.web.site import Site  # noqa: PLC0415

        watching = built.watching
        today = today_of(conf.settings, conf.book, built.recipients, build_routing(conf.settings))
        states = (watching.overdue, watching.delivering, watching.ready, built.self_seen)
        attempts = self._attempts = self._attempts or Attempts(store, time.time)
        actor_of = partial(_actor, conf, store)
        site = Site(conf.settings, store, Days(), *states, clock=time.time, today=today, attempts=attempts, actor_of=actor_of)
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


def _actor(conf: Configured, store: Store, target: str) -> "Acting":
    """Who acts on a target from the page. Imported when somebody does."""
    from watchdog.app.acting import Acting  # noqa: PLC0415
    from watchdog.app.watching import stored_past  # noqa: PLC0415
    from watchdog.config.settings import to_target  # noqa: PLC0415

    settings = next(one for one in conf.settings.target if one.name == target)
    return Acting(settings, to_target(conf.settings, settings), stored_past(store, target, 0.0, time.time()), ANSWER_WITHIN_S)
