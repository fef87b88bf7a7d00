"""Settings shared by all receivers, and their fingerprint."""

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from watchdog.core.model.severity import Severity
from watchdog.net.settings_types import Duration

if TYPE_CHECKING:
    from watchdog.core.incidents.routing import Route

__all__ = ["ReceiverSettings"]


_NOT_WHERE = {"name", "was", "per_second", "min_severity", "match", "repeat", "repeat_most"}
"""Settings that do not affect whether a message is accepted."""


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _checked_matchers(text: str) -> str:
    from watchdog.core.incidents.quiet.matchers import parse_matchers  # noqa: PLC0415 - most configurations have none

    parse_matchers(text)
    return text


class ReceiverSettings(BaseModel):
    """One `[[receiver]]`. Each kind adds its `type` and its own settings. `was`: former names of the receiver.

    It is notified of incidents of at least `min_severity` that all matchers of `match` select. `repeat`: seconds before the first reminder
    of what still fires, 0 for none; unset: an hour, for critical incidents alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    name: str = Field(min_length=1)
    was: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_tuple)] = ()

    min_severity: Severity = Severity.INFO
    match: Annotated[str, AfterValidator(_checked_matchers)] | None = None
    repeat: Duration | None = None
    repeat_most: Annotated[int, Field(ge=0)] = 10

    @property
    def route(self) -> "Route":
        """Which incidents it is notified of, and how often it is reminded."""
        from watchdog.core.incidents.quiet.matchers import parse_matchers  # noqa: PLC0415 - `check` notifies nobody
        from watchdog.core.incidents.routing import Route  # noqa: PLC0415

        matchers = parse_matchers(self.match) if self.match else ()
        return Route(self.min_severity, matchers, self.repeat, self.repeat_most)

    def fingerprint(self) -> str:
        """The type, and 16 hex digits that depend on where and how it sends, secrets included, and reveal none of it.

        When it changes, refused messages may be retried. A new name or pace does not change it. Another type has other bodies.
        """
        revealed = json.dumps(self.model_dump(mode="python", exclude=_NOT_WHERE), default=_revealed, sort_keys=True)
        digits = hashlib.sha256(revealed.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return f"{getattr(self, 'type', '')}:{digits}"


def _revealed(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
