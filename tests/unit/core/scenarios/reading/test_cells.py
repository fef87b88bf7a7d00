import math

import pytest

from watchdog.core.model.rows import Column, Kind
from watchdog.core.scenarios.reading.cells import CellError, read_cell
from watchdog.core.scenarios.scenario import Gap, Ramp, Written

NUMBER, TEXT, FLAG = (
    Column("length", Kind.NUMBER, ""),
    Column("state", Kind.TEXT, "", allowed=("online", "lost")),
    Column("up", Kind.BOOLEAN, ""),
)


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        (NUMBER, 40, 40.0),
        (NUMBER, 0.5, 0.5),
        (NUMBER, math.inf, math.inf),
        (NUMBER, "5m", 300.0),
        (NUMBER, "1h30m", 5400.0),
        (NUMBER, "-9h", -32400.0),
        (NUMBER, "40 + 10/1m", Ramp(40.0, 10.0, 60.0)),
        (NUMBER, "40+10/1m", Ramp(40.0, 10.0, 60.0)),
        (NUMBER, "-5 - 0.5 / 30s", Ramp(-5.0, -0.5, 30.0)),
        (NUMBER, "5m + 1s/1s", Ramp(300.0, 1.0, 1.0)),
        (NUMBER, "1h30m - 1m/1s", Ramp(5400.0, -60.0, 1.0)),
        (NUMBER, "+10/1m", Ramp(None, 10.0, 60.0)),
        (NUMBER, "- 1/1s", Ramp(None, -1.0, 1.0)),
        (NUMBER, {"gap": "no answer"}, Gap("no answer")),
        (NUMBER, {"gap": "a bound", "at_least": "10m"}, Gap("a bound", 600.0)),
        (TEXT, "lost", "lost"),
        (TEXT, {"gap": "no answer"}, Gap("no answer")),
        (FLAG, True, True),
    ],
)
def test_a_cell_means(column: Column, written: object, meant: Written) -> None:
    assert read_cell(written, column) == meant


@pytest.mark.parametrize(
    ("column", "written", "said"),
    [
        (NUMBER, "many", 'expected a number, a duration such as "5m", or a ramp such as "40 + 10/1m", found "many"'),
        (NUMBER, "5", 'found "5"'),
        (NUMBER, True, 'or { gap = "…" }, found true'),
        (NUMBER, math.nan, "expected a number that can be compared, found the number nan"),
        (NUMBER, 10**400, "expected a number that can be compared"),
        (NUMBER, "+10/0s", 'expected a ramp over some time, such as "+10/1m", found "+10/0s"'),
        (NUMBER, "1 + 1/1x", "or a ramp such as"),
        (NUMBER, {"gap": 3}, 'expected { gap = "why it is unknown" }, found the number 3'),
        (NUMBER, {"gap": " "}, 'found " "'),
        (NUMBER, {"at_least": 3}, "found no gap"),
        (NUMBER, {"gab": "x"}, 'unknown key "gab"; did you mean "gap"?'),
        (NUMBER, {"gap": "x", "at_least": "many"}, 'found "many"'),
        (TEXT, "los", 'state is never "los"; did you mean "lost"?'),
        (TEXT, "q", 'state is never "q"; there are online, lost'),
        (TEXT, 5, "expected a text, or"),
        (FLAG, 1, "expected true or false, or"),
    ],
)
def test_what_says_nothing_of_its_column_is_a_fault(column: Column, written: object, said: str) -> None:
    with pytest.raises(CellError) as fault:
        read_cell(written, column)
    assert said in str(fault.value)
