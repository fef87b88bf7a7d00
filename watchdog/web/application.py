"""The WSGI application: every route in one registry, behind one guard, with the same headers on every answer.

In: a `Site` and `[http]`. Out: a Flask application. What fails in it is logged and answered in one sentence; no answer holds a traceback.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import structlog
from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from watchdog.config.sections.http import HttpSettings
from watchdog.store import ConflictError, NotFoundError, StoreError
from watchdog.web.access import Access, Person
from watchdog.web.acting.routes import acting
from watchdog.web.api import api
from watchdog.web.health import health
from watchdog.web.metrics.route import metrics
from watchdog.web.pages.changes import changes
from watchdog.web.pages.drawn import printable
from watchdog.web.pages.routes import pages
from watchdog.web.refusals import API, RefusedError, for_programs, refused
from watchdog.web.site import Site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["build_application"]

log = structlog.get_logger()

BLUEPRINTS: tuple[Blueprint, ...] = (health, metrics, api, pages, changes, acting)
"""Everything that is always served."""

OPEN = frozenset({"health.healthz", "health.readyz", "static"})
"""What is served without authentication: nothing in it is about a cluster."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOT_OURS = "this form is not from a page of watchdog, or older than its last start; open the page again and repeat it."
NOT_A_PROGRAM = (
    "a page of another site may have had a browser send this; expected Content-Type: application/json and no Origin or Sec-Fetch-Site of "
    "another site, or the bearer token"
)


def build_application(site: Site, settings: HttpSettings, stopwatch: Callable[[], float]) -> "_Prefixed":
    """The application of one configuration."""
    app = Flask("watchdog.web", static_folder="static", template_folder="templates")
    app.jinja_options = {"finalize": printable}
    app.extensions["site"] = site
    app.extensions["access"] = access = Access(settings, stopwatch)
    for blueprint in (*BLUEPRINTS, *_asked_for(settings)):
        app.register_blueprint(blueprint)

    @app.before_request
    def admitted() -> Response | None:
        if request.endpoint in OPEN:
            g.person = Person()
            return None
        found = access.admit(request)
        if isinstance(found, Response):
            return found
        g.person = found
        if isinstance(request.routing_exception, MethodNotAllowed):
            return None  # Flask refuses it, and names the methods that there are
        return None if access.may_change(request, found) else refused(403, NOT_A_PROGRAM if for_programs() else NOT_OURS)

    @app.after_request
    def guarded(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if request.endpoint != "static":
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    app.register_error_handler(RefusedError, lambda refusal: refused(refusal.status, refusal.detail, refusal.where))
    app.register_error_handler(HTTPException, _http_refused)
    app.register_error_handler(StoreError, _store_failed)
    app.register_error_handler(Exception, _crashed)
    return _Prefixed(app, settings.prefix)


def _asked_for(settings: HttpSettings) -> Iterator[Blueprint]:
    """What is served only if the configuration says so, and imported only then."""
    if settings.alertmanager_api:
        from watchdog.web.alertmanager import alertmanager  # noqa: PLC0415

        yield alertmanager


class _Prefixed:
    """The application below a path, whether the proxy in front of it keeps that path or removes it."""

    def __init__(self, app: Flask, prefix: str) -> None:
        self.app, self._prefix = app, prefix

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self._prefix:
            environ["SCRIPT_NAME"] = self._prefix
            if path == self._prefix or path.startswith(f"{self._prefix}/"):
                environ["PATH_INFO"] = path[len(self._prefix) :]
        return self.app(environ, start)


def _http_refused(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return refused(error.code, _sentence(error, kept.get("Allow", "")), headers=kept)


def _sentence(error: HTTPException, allowed: str) -> str:
    """What Flask refuses, in our words where they can say more."""
    if error.code == 405:
        return f"expected {allowed}, found {request.method}"
    if error.code == 413:
        return f"expected a body of at most {request.max_content_length} bytes, found a longer one"
    if error.code == 404 and for_programs():
        return f"nothing is here; {request.script_root}{API}v1/openapi.json lists what there is"
    return f"{error.name.lower()}. {error.description}"


def _store_failed(error: StoreError) -> Response:
    return refused(404 if isinstance(error, NotFoundError) else 409 if isinstance(error, ConflictError) else 503, str(error))


def _crashed(error: Exception) -> Response:
    log.error("request_failed", endpoint=request.endpoint, reason=f"unexpected {type(error).__name__}; please report it")
    log.debug("request_crashed", exc_info=error)
    return refused(500, "this could not be answered; its log says why.")
