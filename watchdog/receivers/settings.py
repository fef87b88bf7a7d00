"""Settings shared by all receivers, and their fingerprint."""

import hashlib
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StrictBool, StrictStr, model_validator

from watchdog.core.model.severity import Severity
from watchdog.core.text.durations import format_duration
from watchdog.net.settings_types import Duration

if TYPE_CHECKING:
    from watchdog.core.incidents.quiet.matchers import Matcher
    from watchdog.core.incidents.routing import Terms
    from watchdog.core.report.schedule import DigestTimes

__all__ = ["DigestSettings", "GroupTime", "Label", "ReceiverSettings", "address_of", "as_tuple", "checked_matchers"]


LABEL = re.compile(r"[^\W\d]\w*")

_NOT_WHERE = {
    "name",
    "was",
    "per_second",
    "min_severity",
    "match",
    "repeat",
    "repeat_most",
    "group_by",
    "group_wait",
    "group_interval",
    "mute",
    "tell_silences",
    "digest",
    "digest_timezone",
    "chart",
}
"""Settings that do not affect whether a message is accepted."""


def as_tuple(value: Any) -> Any:
    """A single text is short for a list of one."""
    return (value,) if isinstance(value, str) else value


def _short_enough(seconds: float) -> float:
    from watchdog.core.incidents.routing import LONGEST_GROUP_INTERVAL_S  # noqa: PLC0415 - most configurations set none

    if seconds > LONGEST_GROUP_INTERVAL_S:
        raise ValueError(f"expected at most {format_duration(LONGEST_GROUP_INTERVAL_S)}, found {format_duration(seconds)}")
    return seconds


def _a_label(text: str) -> str:
    if not LABEL.fullmatch(text):
        raise ValueError('expected a label: "target", "rule", "severity", a key column such as "name", or a label of rules')
    return text


def checked_matchers(text: str) -> str:
    """The text, if it holds matchers; ValueError otherwise."""
    from watchdog.core.incidents.quiet.matchers import parse_matchers  # noqa: PLC0415 - most configurations have none

    parse_matchers(text)
    return text


def _checked_digest(text: str) -> str:
    _days_and_second(text)
    return text


def _days_and_second(text: str) -> tuple[frozenset[int], int]:
    """The weekdays and the time of day of `08:00`, `mon 08:00` or `mon-fri 08:00`."""
    from watchdog.core.text.times_of_day import days_of, second_of  # noqa: PLC0415 - most configurations have no digest

    days, _, clock = text.strip().rpartition(" ")
    second = second_of(clock)
    return days_of([days.strip() or "mon-sun"]), second


def _checked_zone(name: str) -> str:
    from watchdog.core.text.times_of_day import checked_zone  # noqa: PLC0415

    return checked_zone(name)


Label = Annotated[StrictStr, AfterValidator(_a_label)]
GroupTime = Annotated[Duration, AfterValidator(_short_enough)]


class ReceiverSettings(BaseModel):
    """One `[[receiver]]`. Each kind adds its `type` and its own settings. `was`: former names of the receiver.

    It is notified of incidents of at least `min_severity` that all matchers of `match` select. `repeat`: seconds before the first reminder
    of what still fires, 0 for none; unset: an hour, for critical incidents alone. Incidents with equal labels `group_by` share a message:
    the first message waits `group_wait` for more of them, a further one about less than critical ones `group_interval`.
    `mute`: the names of its `[[mute]]` windows. `tell_silences`: whether it is notified of the start and the end of silences and deploys.
    Kinds that may be sent a report are `DigestSettings`, too; not those where everything that is sent is an incident.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    takes_digests: ClassVar[bool] = False

    type: str
    name: str = Field(min_length=1)
    was: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_tuple)] = ()

    min_severity: Severity = Severity.INFO
    match: Annotated[str, AfterValidator(checked_matchers)] | None = None
    repeat: Duration | None = None
    repeat_most: Annotated[int, Field(ge=0)] = 10
    group_by: Annotated[tuple[Label, ...], BeforeValidator(as_tuple)] = ("target", "rule")
    group_wait: GroupTime = 0.0
    group_interval: GroupTime = 60.0
    mute: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_tuple)] = ()
    tell_silences: StrictBool = False

    @property
    def digest_times(self) -> "DigestTimes | None":
        """When it gets a digest; None: never."""
        return None

    @property
    def shows_charts(self) -> bool:
        """Whether its messages are given charts."""
        return False

    @property
    def matchers(self) -> "tuple[Matcher, ...]":
        """What `match` selects; nothing: everything."""
        from watchdog.core.incidents.quiet.matchers import parse_matchers  # noqa: PLC0415 - `check` notifies nobody

        return parse_matchers(self.match) if self.match else ()

    @property
    def terms(self) -> "Terms":
        """How often it is reminded, and what is told together."""
        from watchdog.core.incidents.routing import Terms  # noqa: PLC0415

        return Terms(0.0, self.repeat, self.repeat_most, self.group_by, self.group_wait, self.group_interval)

    def fingerprint(self) -> str:
        """The type, and 16 hex digits that depend on where and how it sends, secrets included, and reveal none of it.

        When it changes, refused messages may be retried. A new name or pace does not change it. Another type has other bodies.
        """
        revealed = json.dumps(self.model_dump(mode="python", exclude=_NOT_WHERE), default=_revealed, sort_keys=True)
        digits = hashlib.sha256(revealed.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return f"{self.type}:{digits}"


class DigestSettings(ReceiverSettings):
    """A receiver of reports, too. `digest`: when it gets one: `08:00`, or on some days, `mon 08:00`, by the clock of `digest_timezone`."""

    takes_digests = True

    digest: Annotated[StrictStr, AfterValidator(_checked_digest)] | None = None
    digest_timezone: Annotated[StrictStr, AfterValidator(_checked_zone)] | None = None

    @model_validator(mode="after")
    def _has_its_zone_for_something(self) -> "DigestSettings":
        if self.digest_timezone is not None and self.digest is None:
            raise ValueError('expected digest beside digest_timezone, found none; add for example digest = "08:00"')
        return self

    @property
    def digest_times(self) -> "DigestTimes | None":
        """When it gets a digest; None: never."""
        from watchdog.core.report.schedule import DigestTimes  # noqa: PLC0415
        from watchdog.core.text.times_of_day import UTC, zone_of  # noqa: PLC0415

        if self.digest is None:
            return None
        zone = self.digest_timezone or UTC
        days, second = _days_and_second(self.digest)
        return DigestTimes(days, second, zone_of(zone), f"{self.digest} {zone}")


def address_of(*parts: SecretStr | str | int | None) -> str:
    """A key for where a receiver sends to, which reveals none of these parts."""
    told = "\n".join(part.get_secret_value() if isinstance(part, SecretStr) else str(part) for part in parts)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _revealed(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
