import io
import re

import pytest

from watchdog.cli.page import Entries, Entry, Grid, Ink, Line, Page, clean, plain
from watchdog.cli.screen import show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_terminal(page: Page, monkeypatch: pytest.MonkeyPatch, **environ: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": "100", **environ}.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    show(page, terminal)
    return terminal.getvalue()


def test_a_grid_in_a_pipe_is_aligned_and_has_no_frame() -> None:
    assert plain([Grid(("name", "n"), (("a", "1"), ("long", "22")))]) == "name  n\na     1\nlong  22\n"


def test_entries_align_their_heads_and_indent_what_is_below() -> None:
    page = [Entries((Entry(("error", "A"), ("why",)), Entry(("critical", "B"))))]
    assert plain(page) == "error     A\n    why\ncritical  B\n"


def test_a_line_joins_its_pieces_without_ink() -> None:
    assert plain([Line.of("a ", Ink("b", "bad"), indent=2)]) == "  a b\n"


def test_an_empty_page_is_no_text() -> None:
    assert plain([]) == ""


@pytest.mark.parametrize("evil", ["\x1b[31mred", "a\rb", "\u202eabc", "x\x07y", "\x9b31m"])
def test_what_could_paint_a_terminal_is_taken_out(evil: str) -> None:
    assert clean(evil).isprintable()


def test_a_line_end_within_a_cell_becomes_a_space() -> None:
    assert plain([Grid(("a",), (("x\ny",),))]) == "a\nx y\n"


def test_a_pipe_gets_no_escape_codes() -> None:
    out = io.StringIO()
    show([Line.of(Ink("FIRING", "bad"))], out)
    assert out.getvalue() == "FIRING\n"


def test_a_terminal_gets_colours_and_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_a_terminal([Line.of(Ink("FIRING", "bad")), Grid(("a",), (("1",),))], monkeypatch)
    assert "\x1b[1;31mFIRING" in shown
    assert "╭" in shown


def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    page: Page = [Line.of(Ink("FIRING", "bad")), Entries((Entry((Ink("critical", "critical"), "A"), ("why",)),))]
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", on_a_terminal(page, monkeypatch, NO_COLOR="1"))


def test_markup_in_a_name_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[red]x[/red]" in on_a_terminal([Line.of("[red]x[/red]")], monkeypatch)
