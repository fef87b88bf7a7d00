"""Which values say something beside a summary."""

import math

import pytest

from watchdog.core.model.rows import Cell
from watchdog.core.text.phrasing import FILTERS, worth_showing


@pytest.mark.parametrize("cell", [0.0, 60.0, True, "demo.ok", None])
def test_a_number_a_yes_a_text_and_a_gap_are_shown(cell: Cell) -> None:
    assert worth_showing({"it": cell}) == {"it": cell}


@pytest.mark.parametrize("cell", ["", False, math.inf, -math.inf])
def test_nothing_no_and_never_are_not(cell: Cell) -> None:
    assert worth_showing({"it": cell, "length": 60.0}) == {"length": 60.0}


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.999, "99.9%"),
        (0.99896, "99.896%"),
        (0.9989999, "99.899%"),
        (0.95, "95%"),
        (0.94999, "94.99%"),
        (0.981, "98.1%"),
        (0.123456, "12.3%"),
        (1.0, "100%"),
        (0.0, "0%"),
        (-0.4, "-40%"),
    ],
)
def test_a_share_that_fell_short_is_never_rounded_up_to_its_limit(ratio: float, text: str) -> None:
    assert FILTERS["percent_down"](ratio) == text


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("celery@web-1", "celery@web-1"),
        ("send the mails", "'send the mails'"),
        ("x; rm -rf ~", "'x; rm -rf ~'"),
        ("it's", "'it'\"'\"'s'"),
        (3.0, "3"),
    ],
)
def test_a_value_in_a_command_is_one_word(value: object, word: str) -> None:
    assert FILTERS["shell"](value) == word
