"""What a daemon that stands by answers over HTTP: probes at once; all else, the page and `/metrics` too, from the database that it shares.

In: what is seen of the lease, and for how long nobody has looked at it where that is too long. Out: a WSGI application. The page costs
memory, and is built for its first visitor; who that is it asks itself, so why it cannot be built is for the log alone.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from watchdog.store.refusals import StoreError
from watchdog.store.sql import StandBy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["NoPageError", "StandbyApplication"]

log = structlog.get_logger()


class NoPageError(Exception):
    """The page cannot be built; the message says why."""


class StandbyApplication:
    """The application of a daemon that stands by. `build` makes the page, as the daemon that works serves it."""

    def __init__(
        self, seen: Callable[[], StandBy | None], stuck_s: Callable[[], float], prefix: str, build: "Callable[[], WSGIApplication]"
    ) -> None:
        self._seen, self._stuck_s, self._prefix, self._build = seen, stuck_s, prefix, build
        self._page: WSGIApplication | None = None
        self._one_by_one = threading.Lock()
        self._why_not = ""

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        probe = environ.get("PATH_INFO", "").removeprefix(self._prefix)
        if probe == "/healthz":
            return self._healthz(start)
        if probe == "/readyz":
            return self._readyz(start)
        try:
            page = self._page or self._built()
        except (NoPageError, StoreError) as error:
            self._note(str(error))
            return _said(start, 503, f"{self._sentence()}. Its page cannot be shown; its log says why")
        return page(environ, start)

    def _healthz(self, start: "StartResponse") -> Iterable[bytes]:
        stuck_s = self._stuck_s()
        return _said(start, 503, f"has not looked at the lease for {stuck_s:.0f}s") if stuck_s else _said(start, 200, self._sentence())

    def _readyz(self, start: "StartResponse") -> Iterable[bytes]:
        seen = self._seen()
        return _said(start, 503 if seen and not seen.holder else 200, self._sentence())

    def _sentence(self) -> str:
        seen = self._seen()
        return seen.sentence if seen else "takes over"

    def _note(self, why_not: str) -> None:
        if why_not != self._why_not:
            log.error("page_not_shown", reason=why_not)
        self._why_not = why_not

    def _built(self) -> "WSGIApplication":
        with self._one_by_one:
            self._page = self._page or self._build()
            return self._page


def _said(start: "StartResponse", status: int, text: str) -> Iterable[bytes]:
    line = {200: "200 OK", 503: "503 Service Unavailable"}[status]
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    start(line, headers)
    return [f"{text}\n".encode()]
