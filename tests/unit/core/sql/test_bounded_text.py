import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.sql.bounded_text import LONGEST_TEXT, TEXT_FUNCTIONS, TooLongError

CELL = st.text("abc é☃", max_size=8) | st.floats(-1e6, 1e6) | st.none() | st.integers(-1000, 1000).map(float)
SQLITE = sqlite3.connect(":memory:", check_same_thread=False)


@pytest.mark.parametrize(("name", "arguments"), TEXT_FUNCTIONS)
@given(data=st.data())
def test_it_gives_what_sqlite_gives(name: str, arguments: int, data: st.DataObject) -> None:
    given_ = [data.draw(CELL) for _ in range(arguments)]
    marks = ", ".join("?" * arguments)
    (expected,) = SQLITE.execute(f"SELECT {name}({marks})", given_).fetchone()
    found = TEXT_FUNCTIONS[name, arguments](*given_)
    assert (found if expected is None or isinstance(expected, int) else str(found)) == (
        expected if isinstance(expected, int | None) else str(expected)
    )


@pytest.mark.parametrize(
    ("name", "given_"),
    [
        ("trim", ("z" * 100_000, "a" * 50_000 + "z")),
        ("trim", ("z" * 100_000, "".join(map(chr, range(0x4E00, 0x9E00))) + "z")),
        ("instr", ("0" * 100_000, "0" * 50_000 + "1")),
        ("replace", ("0" * 200_000, "0" * 100_000 + "1", "")),
    ],
)
def test_texts_that_take_sqlite_a_minute_take_no_time(name: str, given_: tuple[str, ...]) -> None:
    began = time.process_time()
    TEXT_FUNCTIONS[name, len(given_)](*given_)
    assert time.process_time() - began < 1.0


def test_a_text_does_not_grow_without_bounds() -> None:
    with pytest.raises(TooLongError, match="replace: the text would grow beyond 200,000"):
        TEXT_FUNCTIONS["replace", 3]("a" * LONGEST_TEXT, "a", "b" * LONGEST_TEXT)
