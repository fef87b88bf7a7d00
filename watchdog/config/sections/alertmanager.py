"""`[[alertmanager]]`: an Alertmanager that mirrors what fires."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field

from watchdog.core.model.severity import Severity
from watchdog.net.settings_types import PositiveDuration, ProxySetting, proxy_text
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.http.settings import Headers, HttpUrl, TlsSettings
from watchdog.receivers.settings import checked_matchers

if TYPE_CHECKING:
    from watchdog.core.incidents.quiet.matchers import Matcher

__all__ = ["AlertmanagerSettings"]


class AlertmanagerSettings(TlsSettings):
    """One `[[alertmanager]]`: its address, and which incidents are mirrored there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    url: HttpUrl
    min_severity: Severity = Severity.INFO
    match: Annotated[str, AfterValidator(checked_matchers)] | None = None
    headers: Headers = Field(default_factory=dict)
    timeout: PositiveDuration = 10.0
    proxy: ProxySetting = "environment"

    @property
    def matchers(self) -> "tuple[Matcher, ...]":
        """What `match` selects; nothing: everything."""
        from watchdog.core.incidents.quiet.matchers import parse_matchers  # noqa: PLC0415 - most configurations have no Alertmanager

        return parse_matchers(self.match) if self.match else ()

    @property
    def plain_headers(self) -> dict[str, str]:
        """The headers as they are sent."""
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    def attempt(self) -> HttpAttempt:
        """A client for its API."""
        return HttpAttempt(
            f"{self.url.get_secret_value().rstrip('/')}/api/v2/alerts",
            timeout_s=self.timeout,
            tls=self.tls,
            secrets=self.plain_headers.values(),
            proxy=proxy_text(self.proxy),
        )
