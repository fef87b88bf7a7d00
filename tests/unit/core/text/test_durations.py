import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.text.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        (" 2d ", 172800.0),
        ("1w", 604800.0),
        ("250ms", 0.25),
        ("0.5s", 0.5),
        (".5h", 1800.0),
        ("1m30.5s", 90.5),
        ("0s", 0.0),
        ("0", 0.0),
        (0, 0.0),
        (0.0, 0.0),
    ],
)
def test_a_number_with_a_unit_is_seconds(text: str | int | float, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", " ", "5", "m", "5 minutes", "-5m", "5m-", "1h30", "1e3s", "5M", "٣s", "nan", "inf", "1..5s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='expected a duration such as "30s", "5m" or "1h30m", found "'):
        parse_duration(text)


@pytest.mark.parametrize("number", [30, -1, 1.5, True, False, math.inf, math.nan])
def test_a_number_without_a_unit_is_no_duration(number: float) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(number)


@pytest.mark.parametrize(("found", "meant"), [(30, '"30s"'), ("30", '"30s"'), (1.5, '"1.5s"')])
def test_a_bare_number_is_told_what_it_may_have_meant(found: str | int | float, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean {meant}"):
        parse_duration(found)


@pytest.mark.parametrize("text", ["9" * 400 + "d", "101000w"])
def test_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 100 years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (1e-9, "0s"),
        (0.0001, "0.1ms"),
        (0.25, "250ms"),
        (0.9999, "1s"),
        (1.5, "1.5s"),
        (12.345, "12.3s"),
        (59.999, "1m"),
        (60.0, "1m"),
        (90.0, "1m30s"),
        (3600.0, "1h"),
        (5400.0, "1h30m"),
        (5405.0, "1h30m"),
        (86700.0, "1d5m"),
        (864000.0, "10d"),
        (1209600.0, "2w"),
        (-90.0, "-1m30s"),
        (math.inf, "forever"),
        (math.nan, "unknown"),
    ],
)
def test_seconds_read_as_at_most_two_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=36500 * 86400))
def test_what_is_written_reads_back_within_its_second_unit(seconds: int) -> None:
    back = parse_duration(format_duration(float(seconds)))
    assert 0 <= seconds - back < (86400 if seconds >= 86400 else 60 if seconds >= 3600 else 1)
