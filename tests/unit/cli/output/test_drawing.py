import pytest

from watchdog.cli.output.drawing import bar, columns, spark
from watchdog.cli.output.page import text_of
from watchdog.status.numbers import percent, short, time_short


@pytest.mark.parametrize(
    ("number", "shown"),
    [(None, "?"), (0.0, "0"), (0.25, "0.25"), (3.25, "3.2"), (12.04, "12"), (12.5, "12.5"), (999.6, "1,000"), (12_345.0, "12,345"),
     (123_456.0, "123k"), (1_250_000.0, "1.2M"), (2_000_000.0, "2M"), (-123_456.0, "-123k")],
)  # fmt: skip
def test_numbers_are_short(number: float | None, shown: str) -> None:
    assert short(number) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"), [(None, "?"), (0.0, "0 %"), (0.0001, "<0.1 %"), (0.004, "0.4 %"), (0.1, "10 %"), (1.0, "100 %")]
)
def test_a_share_that_is_more_than_nothing_is_never_0(ratio: float | None, shown: str) -> None:
    assert percent(ratio) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "?"), (0.0, "0s"), (0.0512, "51ms"), (1.26, "1.3s"), (272.3, "4m32s"), (90000.0, "1d1h")]
)
def test_times_are_short(seconds: float | None, shown: str) -> None:
    assert time_short(seconds) == shown


def test_a_bar_is_as_long_as_its_share() -> None:
    assert [text_of(bar(share, 4)) for share in (0.0, 0.5, 1.0, 2.0)] == ["░░░░", "██░░", "████", "████"]
    assert text_of(bar(0.001, 4)) == "▏░░░"
    assert text_of(bar(None, 4)) == "?   "


def test_a_gap_in_a_sparkline_is_a_dot_and_zero_is_a_line() -> None:
    assert text_of(spark([None, 0.0, 4.0, 8.0])) == "·▁▄█"


def test_columns_are_as_high_as_their_values() -> None:
    drawn = [text_of(line) for line in columns([8.0, 4.0, 0.0, None, 0.01], 2, 1)]
    assert drawn == ["█        ", "█ █   · ▁"]
