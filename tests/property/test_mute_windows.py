"""A mute window says what a clock on the wall says, minute by minute, around every change of the clocks."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.text.times_of_day import DAY_S

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # the clocks changed at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Casablanca",  # four times a year
    "Pacific/Apia",  # a Friday that did not exist
    "UTC",
)
FIRST, LAST = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())


@cache
def changes(name: str) -> tuple[int, ...]:
    """Every change of the clocks of a zone, to the minute."""
    zone = ZoneInfo(name)

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, zone).utcoffset()

    found = []
    for day in range(FIRST, LAST, DAY_S):
        if offset(day) != offset(day + DAY_S):
            hour = next(at for at in range(day, day + DAY_S, 3600) if offset(at) != offset(at + 3600))
            found.append(next(at for at in range(hour, hour + 3660, 60) if offset(at) != offset(hour)))
    return tuple(found) or (FIRST,)


@st.composite
def moments(draw: st.DrawFn) -> tuple[ZoneInfo, int]:
    """A zone, and a minute near one of its changes."""
    name = draw(st.sampled_from(ZONES))
    change = draw(st.sampled_from(changes(name)))
    return ZoneInfo(name), (change // 60 + draw(st.integers(-26 * 60, 26 * 60))) * 60


TIMES = st.one_of(st.integers(0, 4 * 60 - 1), st.integers(0, 24 * 60 - 1)).map(lambda minute: minute * 60)


@st.composite
def spans(draw: st.DrawFn, zone: ZoneInfo) -> Span:
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return Span(days, draw(TIMES), draw(st.one_of(TIMES, st.just(DAY_S))), zone)


def on_the_wall(span: Span, wall: datetime) -> bool:
    """Whether the span's hours of some day include this time on the wall; no clock is asked, only the calendar."""
    for midnight in (datetime.combine(wall.date() + timedelta(days=n), datetime.min.time()) for n in range(-2, 2)):
        begins, ends = midnight + timedelta(seconds=span.starts_s), midnight + timedelta(seconds=span.ends_s)
        if midnight.weekday() in span.days and begins <= wall < (ends if begins < ends else ends + timedelta(days=1)):
            return True
    return False


def by_the_wall(window: Window, at: int) -> bool:
    return any(on_the_wall(span, datetime.fromtimestamp(at, span.zone).replace(tzinfo=None, fold=0)) for span in window.spans)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), moment=moments(), second=st.floats(0, 59.9))
def test_a_window_covers_what_the_wall_clock_says(data: st.DataObject, moment: tuple[ZoneInfo, int], second: float) -> None:
    zone, at = moment
    window = Window("nights", tuple(data.draw(st.lists(spans(zone), min_size=1, max_size=2))))
    assert window.covers(at + second) is by_the_wall(window, at)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), moment=moments(), second=st.integers(0, 59))
@example(data=None, moment=(ZoneInfo("Pacific/Apia"), 1325239200 - 3600), second=0)
def test_a_window_ends_at_the_first_instant_that_it_does_not_cover(
    data: st.DataObject | None, moment: tuple[ZoneInfo, int], second: int
) -> None:
    zone, at = moment
    drawn = (Span(frozenset({3}), 0, 0, zone),) if data is None else tuple(data.draw(st.lists(spans(zone), min_size=1, max_size=2)))
    window = Window("nights", drawn)
    minutes = range(at + 60, at + 16 * DAY_S, 60)
    expected = next((float(minute) for minute in minutes if not by_the_wall(window, minute)), None) if by_the_wall(window, at) else None
    assert window.ends_at(at + second) == expected
