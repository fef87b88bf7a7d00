"""Which values say something beside a summary."""

import math

import pytest

from watchdog.core.model.rows import Cell
from watchdog.core.text.phrasing import telling_cells


@pytest.mark.parametrize("cell", [0.0, 60.0, True, "demo.ok", None])
def test_a_number_a_yes_a_text_and_a_gap_are_shown(cell: Cell) -> None:
    assert telling_cells({"it": cell}) == {"it": cell}


@pytest.mark.parametrize("cell", ["", False, math.inf, -math.inf])
def test_nothing_no_and_never_are_not(cell: Cell) -> None:
    assert telling_cells({"it": cell, "length": 60.0}) == {"length": 60.0}
