"""`[[mute]]`: hours at which receivers are not notified of what fires.

In: the tables as written; several of one name add up. Out: windows as the core sees them, with their time zones. Wrong days, times and
zones are ValueErrors that say what was expected and what was found.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, ValidationError, model_validator

from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.text.times_of_day import DAY_S, DAYS, UTC, checked_zone, days_of, second_of, zone_of
from watchdog.receivers.settings import as_tuple

__all__ = ["MuteSettings", "mutes_for_good", "muting", "to_windows"]

MINUTE_S = 60
WEEKS = (1_767_571_200, 1_783_296_000)
"""A Monday in January and one in July: windows in zones that differ may meet in one half of the year alone."""


def _checked_days(texts: tuple[str, ...]) -> tuple[str, ...]:
    days_of(texts)
    return texts


def _checked_start(text: str) -> str:
    second_of(text, DAY_S - 60)
    return text


def _checked_end(text: str) -> str:
    second_of(text, DAY_S)
    return text


class MuteSettings(BaseModel):
    """One `[[mute]]`. Without `days`: every day. Without `from` and `to`: whole days. `to` is on the next day if it is not after `from`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    name: Annotated[StrictStr, Field(min_length=1)]
    days: Annotated[tuple[StrictStr, ...], BeforeValidator(as_tuple), AfterValidator(_checked_days)] = ()
    from_: Annotated[StrictStr, AfterValidator(_checked_start)] | None = Field(default=None, alias="from")
    to: Annotated[StrictStr, AfterValidator(_checked_end)] | None = None
    timezone: Annotated[StrictStr, AfterValidator(checked_zone)] = UTC
    all_receivers: StrictBool = False

    @model_validator(mode="after")
    def _is_limited(self) -> "MuteSettings":
        if (self.from_ is None) is not (self.to is None):
            given, missing = ("to", "from") if self.from_ is None else ("from", "to")
            raise ValueError(f'expected from and to together, found only {given}; add for example {missing} = "07:00"')
        if self.from_ is None and not self.days:
            raise ValueError('expected days, or from and to, found neither: it would mute for good; add for example days = ["sat", "sun"]')
        if len(self.span.days) == len(DAYS) and (self.span.ends_s - self.span.starts_s) % DAY_S == 0:
            raise ValueError("expected hours that end, found every day and the whole of it: it would mute for good")
        return self

    @property
    def span(self) -> Span:
        """Its hours, as the core sees them."""
        starts_s = 0 if self.from_ is None else second_of(self.from_, DAY_S)
        ends_s = DAY_S if self.to is None else second_of(self.to, DAY_S)
        return Span(days_of(self.days or ("mon-sun",)), starts_s, ends_s, zone_of(self.timezone))


def to_windows(mutes: Iterable[MuteSettings]) -> tuple[Window, ...]:
    """The windows of a configuration, one for each name."""
    spans: dict[str, list[MuteSettings]] = {}
    for mute in mutes:
        spans.setdefault(mute.name, []).append(mute)
    return tuple(Window(name, tuple(one.span for one in ones), ones[0].all_receivers) for name, ones in spans.items())


def mutes_for_good(tables: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the tables of one name, as written, leave no minute of a week, in winter and in summer; not if one of them is at fault."""
    try:
        (window,) = to_windows(MuteSettings.model_validate(table) for table in tables)
    except ValidationError:
        return False
    return all(window.covers(week + MINUTE_S * minute) for week in WEEKS for minute in range(7 * DAY_S // MINUTE_S))


def muting(windows: Iterable[Window], names: Iterable[str]) -> tuple[Window, ...]:
    """Those that apply where these are named."""
    named = set(names)
    return tuple(window for window in windows if window.all_receivers or window.name in named)
