"""What the daemon serves over HTTP, across configurations.

In: each configuration as it is built; before that, what is known while another daemon works. Out: what serves it once it is in force. Where
`[http]` is unset, nothing of it is imported, and nothing of a configuration as long as the daemon stands by.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from watchdog.daemon.rejected import RejectedError
from watchdog.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from watchdog.app.acting import Acting
    from watchdog.app.configured import Configured
    from watchdog.config.sections.http import HttpSettings
    from watchdog.core.incidents.routing import Recipient
    from watchdog.core.model.self_seen import SelfSeen
    from watchdog.daemon.daemon import Built
    from watchdog.daemon.starting.begun_anew import Left
    from watchdog.daemon.starting.standing_by import StandingBy
    from watchdog.web.acting.attempts import Attempts
    from watchdog.web.server import WebServer

    _States = tuple[Callable[[], list[str]], Callable[[], bool], Callable[[], bool], Callable[[], SelfSeen]]

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

    def stand_by(self, left: "Left", standing_by: "StandingBy", store: Store, read: "Callable[[], Configured]") -> None:
        """Answer while another daemon works. `read`: the configuration, for the first visitor. `RejectedError` as by `prepare`."""
        if not left.listen:
            return
        from watchdog.web.standby import StandbyApplication  # noqa: PLC0415

        application = StandbyApplication(
            lambda: standing_by.seen, standing_by.stuck_s, left.prefix, lambda: self._page_of_standby(read, standing_by, store)
        )
        self._offered(left.listen, left.address, application)()
        self._say(left.listen, authenticates=left.authenticates)

    def _page_of_standby(self, read: "Callable[[], Configured]", standing_by: "StandingBy", store: Store) -> "WSGIApplication":
        from watchdog.app.receivers import build_receivers, build_recipients  # noqa: PLC0415
        from watchdog.core.model.self_seen import SelfSeen  # noqa: PLC0415
        from watchdog.web.standby import NoPageError  # noqa: PLC0415

        store.check_current()
        try:
            conf = read()
        except RejectedError as error:
            raise NoPageError(str(error)) from None
        if conf.settings.http is None:
            raise NoPageError("[http] is no longer in the configuration; a restart obeys that")
        recipients = build_recipients(build_receivers(conf.settings), conf.settings)

        def stands_by() -> str:
            return standing_by.seen.sentence if standing_by.seen else ""

        states: _States = (list, lambda: True, lambda: True, SelfSeen)
        return self._application(conf, conf.settings.http, recipients, store, states, stands_by)

    def prepare(self, conf: "Configured", built: "Built", store: Store) -> Callable[[], None]:
        """Bind its address. Returns what serves the configuration. RejectedError: the address cannot be listened on."""
        given = conf.settings.http
        if given is None:
            return self._close
        watching = built.watching
        states = (watching.overdue, watching.delivering, watching.ready, built.self_seen)
        serve = self._offered(given.listen, given.address, self._application(conf, given, built.recipients, store, states))

        def serve_and_say() -> None:
            serve()
            self._say(given.listen, authenticates=given.authenticates)

        return serve_and_say

    def _say(self, listen: str, *, authenticates: bool) -> None:
        log.info("http_served", listen=listen, port=self._server and self._server.port, authentication=authenticates)

    def _application(
        self,
        conf: "Configured",
        given: "HttpSettings",
        recipients: "Sequence[Recipient]",
        store: Store,
        states: "_States",
        stands_by: Callable[[], str] = lambda: "",
    ) -> "WSGIApplication":
        from watchdog.app.receivers import build_routing  # noqa: PLC0415
        from watchdog.status.gathering import Days  # noqa: PLC0415
        from watchdog.status.why.today import today_of  # noqa: PLC0415
        from watchdog.web.acting.attempts import Attempts  # noqa: PLC0415
        from watchdog.web.application import build_application  # noqa: PLC0415
        from watchdog.web.site import Site  # noqa: PLC0415

        settings = conf.settings
        today = today_of(settings, conf.book, recipients, build_routing(settings))
        attempts = self._attempts = self._attempts or Attempts(store, time.time)
        site = Site(
            settings,
            store,
            Days(),
            *states,
            clock=time.time,
            today=today,
            attempts=attempts,
            actor_of=partial(_actor, conf, store),
            stands_by=stands_by,
        )
        return build_application(site, given, time.monotonic)

    def _offered(self, listen: str, address: tuple[str, int], application: "WSGIApplication") -> Callable[[], None]:
        """Bind the address, and return what serves the application there."""
        from watchdog.web.server import ListenError, WebServer  # noqa: PLC0415

        server = self._server = self._server or WebServer()
        try:
            return partial(server.take, server.offer(listen, address, application))
        except ListenError as error:
            raise RejectedError(str(error)) from None

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()


def _actor(conf: "Configured", store: Store, target: str) -> "Acting":
    """Who acts on a target from the page. Imported when somebody does."""
    from watchdog.app.acting import Acting  # noqa: PLC0415
    from watchdog.app.watching import stored_past  # noqa: PLC0415
    from watchdog.config.settings import to_target  # noqa: PLC0415

    settings = next(one for one in conf.settings.target if one.name == target)
    return Acting(settings, to_target(conf.settings, settings), stored_past(store, target, 0.0, time.time()), ANSWER_WITHIN_S)
