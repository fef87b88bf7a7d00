"""Pages of one RabbitMQ's management API: one GET at a time. Imported at the first query: httpx is slow to import.

In: a path. Out: the body of an answer that is fine, or a gap, and whether there was no answer at all.
"""

from base64 import b64encode
from collections.abc import Callable

import httpx
from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.net.http_fetch import HttpFetch
from watchdog.net.http_silence import Asked
from watchdog.net.settings_types import proxy_text
from watchdog.sources.rabbitmq.reasons import refusal
from watchdog.sources.rabbitmq.settings import RabbitmqSettings

__all__ = ["Pages", "Unusable"]

WHAT = "RabbitMQ, with its plugin rabbitmq_management,"


class Unusable(Struct, frozen=True):
    """No usable answer. `gone`: there was none at all."""

    gap: Gap
    gone: bool


class Pages:
    """The pages of one RabbitMQ. `transport` exists for tests."""

    def __init__(self, settings: RabbitmqSettings, transport: httpx.BaseTransport | None, clock: Callable[[], float]) -> None:
        s = self._settings = settings
        self._fetch = HttpFetch("rabbitmq", s.url, proxy_text(s.proxy), s.tls, s.connect_timeout, s.max_answer_bytes, transport, clock)
        self._headers = _headers(settings)
        self._requests: dict[str, httpx.Request] = {}

    def get(self, path: str, columns: str, vhost: str = "") -> bytes | Unusable:
        """Get these columns of one page. `vhost`: the virtual host that it is about."""
        s = self._settings
        credentials = s.username is not None or s.password is not None
        asked = Asked(
            s.url, path, s.timeout, s.connect_timeout, s.tls, has_credentials=credentials, source="rabbitmq", of="rabbitmq", what=WHAT
        )
        got = self._fetch.get(asked, lambda url: self._request(f"{url}?columns={columns}"))
        if isinstance(got, str):
            return Unusable(Gap(got), gone=True)
        if got.cut or got.refusal:
            return Unusable(Gap(got.cut or got.refusal), gone=False)
        if got.status != 200:
            return Unusable(Gap(refusal(got.status, got.body, asked, vhost, s.username or "")), gone=False)
        return got.body

    def close(self) -> None:
        """Close the connection."""
        self._fetch.close()

    def _request(self, url: str) -> httpx.Request:
        """The request, kept for the next time: parsing URLs costs as much as a small query."""
        if url not in self._requests:
            self._requests[url] = httpx.Request("GET", url, headers=self._headers)
        return self._requests[url]


def _headers(settings: RabbitmqSettings) -> httpx.Headers:
    headers = httpx.Headers(
        {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "keep-alive", "User-Agent": "celery-watchdog"}
    )
    if settings.username is not None or settings.password is not None:
        password = settings.password.get_secret_value() if settings.password else ""
        headers["Authorization"] = "Basic " + b64encode(f"{settings.username or ''}:{password}".encode()).decode()
    return headers
