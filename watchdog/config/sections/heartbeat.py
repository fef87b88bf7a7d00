"""`heartbeat`: where watchdog reports that it is alive."""

import hashlib
from urllib.parse import urlsplit, urlunsplit

from pydantic import ConfigDict, Field

from watchdog.net.settings_types import PositiveDuration, ProxySetting, proxy_text
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.http.settings import Headers, HttpUrl, TlsSettings

__all__ = ["HeartbeatSettings", "failing_url"]


class HeartbeatSettings(TlsSettings):
    """`heartbeat = "https://…"`, or a table. `fail_url` defaults to `url` with `/fail` appended to its path."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: HttpUrl
    fail_url: HttpUrl | None = None
    every: PositiveDuration = 60.0
    headers: Headers = Field(default_factory=dict)
    timeout: PositiveDuration = 10.0
    proxy: ProxySetting = "environment"

    @property
    def urls(self) -> tuple[str, str]:
        """The URLs to request: while all is well, and while it is not."""
        url = self.url.get_secret_value()
        return url, self.fail_url.get_secret_value() if self.fail_url else failing_url(url)

    @property
    def place(self) -> str:
        """16 hex digits that depend on the URLs and reveal nothing about them."""
        return hashlib.sha256("\n".join(self.urls).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def plain_headers(self) -> dict[str, str]:
        """The headers as they are sent."""
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    def attempt(self, url: str) -> HttpAttempt:
        """A client for one of the URLs; neither URL ever appears in a reason."""
        return HttpAttempt(
            url,
            timeout_s=self.timeout,
            tls=self.tls,
            secrets=[*self.plain_headers.values(), *self.urls],
            proxy=proxy_text(self.proxy),
        )


def failing_url(url: str) -> str:
    """The URL with `/fail` appended to the path, as healthchecks.io defines it; a query is kept."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail", fragment=""))
