"""Pages of one Flower: one request at a time, within its timeout and size limit, across all targets of this process that use it.

In: a path. Out: the HTTP answer, whatever its status, or a gap if there was none. Nothing is raised. Imported at the first query: httpx is
slow to import.
"""

import os
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from math import inf
from threading import Lock

import httpx
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.text.exception_chain import exception_chain
from watchdog.net.deadline import Deadline
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.net.http_proxy import Proxy, proxy_answer, proxy_for
from watchdog.net.http_silence import Asked, silence, stale
from watchdog.net.http_transport import HttpTransport
from watchdog.net.settings_types import proxy_text
from watchdog.sources.flower.access.login_page import login_page
from watchdog.sources.flower.access.token import Token
from watchdog.sources.flower.access.tokens import Tokens
from watchdog.sources.flower.page import Page
from watchdog.sources.flower.reasons import asks_workers, login_required, refusal
from watchdog.sources.flower.settings import FlowerSettings
from watchdog.sources.flower.shared import FlowerShared

__all__ = ["Pages"]

GET, POST = "GET", "POST"
SLOW_WORKERS = "it waits for workers, which takes Flower 1 to 2 s, or for a broker that hangs"

MOST_REQUESTS = 32
"""The most prepared requests kept; a cycle has half a dozen."""

_turns: dict[str, Lock] = {}
"""Base URL -> lock that limits it to one request at a time, for all targets of this process that share one Flower."""


class Pages:
    """The pages of one Flower. `transport` exists for tests; the real one is created at the first query and kept.

    `took_s` is how long Flower needed for all pages since it was last set to 0, without waits for the lock.
    """

    def __init__(
        self,
        settings: FlowerSettings,
        transport: httpx.BaseTransport | None,
        clock: Callable[[], float],
        shared: FlowerShared | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.took_s = 0.0
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._shared = shared
        self._forgot_at = -inf
        self._proxy: Proxy | None = None
        self._deadline = Deadline(clock)
        self._turn = _turns.setdefault(settings.url.lower(), Lock())
        self._headers = _headers(settings)
        self._cookies = httpx.Cookies()
        self._requests: dict[str, httpx.Request] = {}
        self._token = ""
        self._tokens = tokens or (Tokens(settings, settings.url, clock, time.time) if settings.token_source else None)

    def get(self, path: str) -> Page | Gap:
        """Get one page. May wait for a token, `timeout` for the lock, and `timeout` for the answer; all twice if the token was refused."""
        return self._with_token(path, GET)

    def post(self, path: str) -> Page | Gap:
        """Post to one page, without a body: an action, so it is sent once, on a connection of its own, and its answer is not kept.

        A gap does not tell whether Flower got it.
        """
        return self._with_token(path, POST)

    def _with_token(self, path: str, method: str) -> Page | Gap:
        """The page; if the token was refused, with another one."""
        if self._tokens is None:
            return self._in_turn(path, method)
        token = self._tokens.current()
        page = token if isinstance(token, Gap) else self._in_turn(path, method, token)
        if isinstance(page, Page) and isinstance(token, Token) and page.needs_login and self._tokens.refused(token):
            token = self._tokens.current()
            page = token if isinstance(token, Gap) else self._in_turn(path, method, token)
        return page

    def _in_turn(self, path: str, method: str, token: Token | None = None) -> Page | Gap:
        """The page, once no other target asks this Flower."""
        s = self._settings
        if not self._turn.acquire(timeout=s.timeout):
            return Gap(f"flower: {s.url} was still busy with another target's question after {s.timeout:g}s")
        try:
            self._send_from_now_on(token)
            return self._kept_or_fetched(path) if method == GET else self._posted(path)
        finally:
            self._turn.release()

    def forget(self) -> None:
        """Take no page from another target that was asked for before now."""
        self._forgot_at = self._clock()

    def close(self) -> None:
        """Close the connection, and forget cookies."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._cookies.clear()

    def _kept_or_fetched(self, path: str) -> Page | Gap:
        """The page as another target just got it, or a new one."""
        began = self._clock()
        kept = self._shared.fresh(path, began, self._forgot_at) if self._shared is not None else None
        if kept is not None:
            self.took_s += kept.took_s
            return kept
        self._deadline.start(self._settings.timeout)
        page = self._fetched(path)
        took_s = self._clock() - began
        self.took_s += took_s
        if isinstance(page, Gap):
            return page
        page = replace(page, took_s=took_s)
        if self._shared is not None and not page.needs_login:
            self._shared.keep(path, page, self._clock())
        return page

    def _posted(self, path: str) -> Page | Gap:
        """The answer to an action. A kept connection may be closed on the other side, and then nobody knows whether it was read."""
        if self._transport is not None:
            self._transport.close()
        self._deadline.start(self._settings.timeout)
        return self._fetched(path, POST)

    def _fetched(self, path: str, method: str = GET) -> Page | Gap:
        """The page; requested a second time if a kept connection turns out to be closed."""
        kept = self._transport is not None
        try:
            transport = self._transport = self._transport or self._made()
        except ValueError as error:  # from `proxy_for`
            return Gap(f"flower: {error}")
        except OSError as error:
            raise_if_own(error)
            files = self._settings.tls
            return Gap(
                f"flower: cannot read the certificates in {files} of flower: expected PEM files, and a key that fits and is not locked"
            )
        asked = self._asked(path)
        try:
            try:
                return self._streamed(transport, asked, method)
            except httpx.HTTPError as error:
                if not (kept and stale(error)) or method != GET:
                    raise
            return self._streamed(transport, asked, method)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise_if_own(error)
            if any(isinstance(cause, ssl.SSLError) for cause in exception_chain(error)):
                self.close()  # the next query reads the files again
            return Gap(silence(error, asked))

    def _streamed(self, transport: httpx.BaseTransport, asked: Asked, method: str) -> Page:
        """The answer, read in pieces, so that the other side controls neither its size nor its duration. Redirects are not followed."""
        request = self._request(asked.url, method)
        with closing(transport.handle_request(request)) as response:
            status, body = response.status_code, BytesIO()  # gives its bytes without a copy: answers may be megabytes
            try:
                for piece in response.iter_bytes():
                    body.write(piece)
                    if body.tell() > self._settings.max_answer_bytes:
                        limit = self._settings.max_answer_bytes
                        return Page(status, cut=f"flower: expected at most {limit} bytes (`max_answer_bytes`) from {asked.url}, found more")
                    if self._deadline.over:
                        raise httpx.ReadTimeout("no time left")
            except (httpx.RemoteProtocolError, httpx.DecodingError):
                cut = f"flower: expected the whole answer from {asked.url}, found it truncated or damaged after {body.tell()} bytes"
                return Page(status, cut=cut)
            if status == 407 and self._proxy:
                return Page(status, refusal=f"flower: {proxy_answer(status, self._proxy, asked.base)}")
            location = response.headers.get("location", "")
            content = body.getvalue()
            if page_of := login_page(status, content, location, asked.url):
                return Page(status, content, refusal=login_required(page_of, asked), needs_login=True)
            self._keep_cookies(response, request)
            why = "" if status == 200 else refusal(status, content, location, asked)
            return Page(status, content, refusal=why, needs_login=status == 401)

    def _send_from_now_on(self, token: Token | None) -> None:
        """Put the token into the headers of the requests to come."""
        if token is not None and token.text != self._token:
            self._token = token.text
            self._headers[self._settings.token_field] = self._settings.carried(token.text)
            self._requests.clear()

    def _request(self, url: str, method: str) -> httpx.Request:
        """The request, kept for the next time: parsing URLs and merging headers costs as much as a small query."""
        if self._cookies or method != GET:
            return self._request_with_cookies(url, method)
        if url not in self._requests:
            if len(self._requests) >= MOST_REQUESTS:
                self._requests.clear()
            self._requests[url] = httpx.Request(GET, url, headers=self._headers)
        return self._requests[url]

    def _request_with_cookies(self, url: str, method: str) -> httpx.Request:
        """The request with the cookies that were set, beside the one that carries the token: httpx would leave them out."""
        own = self._headers.get("cookie", "")
        if not own:
            return httpx.Request(method, url, headers=self._headers, cookies=self._cookies)
        name = own.partition("=")[0]
        set_by_server = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies.jar if cookie.name != name)
        request = httpx.Request(method, url, headers=self._headers)
        request.headers["cookie"] = f"{own}; {set_by_server}" if set_by_server else own
        return request

    def _keep_cookies(self, response: httpx.Response, request: httpx.Request) -> None:
        """A proxy in front of several Flowers may set one, to be asked by the same way again."""
        if "set-cookie" in response.headers:
            response.request = request
            self._cookies.extract_cookies(response)
            if not all(f"{cookie.name}{cookie.value}".isascii() for cookie in self._cookies.jar):
                self._cookies.clear()  # httpx cannot send it

    def _made(self) -> httpx.BaseTransport:
        s = self._settings
        self._proxy = proxy_for(s.url, proxy_text(s.proxy), os.environ)
        tls = s.tls if s.url.startswith("https://") else None
        return HttpTransport(tls, self._proxy, s.connect_timeout, self._deadline, self._clock)

    def _asked(self, path: str) -> Asked:
        s = self._settings
        credentials = s.username is not None or s.password is not None or bool(s.headers)
        asked = Asked(s.url, path, s.timeout, s.connect_timeout, s.tls, has_credentials=credentials, proxy=self._proxy)
        return replace(asked, token_source=s.token_source, why_slow=SLOW_WORKERS if asks_workers(path) else asked.why_slow)


def _headers(settings: FlowerSettings) -> httpx.Headers:
    """The headers of every request: those that httpx sends unless told otherwise, the user's, and the user's login."""
    headers = httpx.Headers({"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive", "User-Agent": "celery-watchdog"})
    headers.update({name: value.get_secret_value() for name, value in settings.headers.items()})
    if settings.username is not None or settings.password is not None:
        password = settings.password.get_secret_value() if settings.password else ""
        headers["Authorization"] = "Basic " + b64encode(f"{settings.username or ''}:{password}".encode()).decode()
    return headers
