import io
import re

import pytest

from watchdog.cli.output.page import ByMedium, Entries, Entry, Grid, Ink, Line, Page, clean, plain
from watchdog.cli.output.screen import show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_terminal(page: Page, monkeypatch: pytest.MonkeyPatch, **environ: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG"):
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


WIDE = Grid(("name", "length", "queues"), (("celery@web-1", "60", "indexing,priority"), ("celery@gpu-1", "", "analysis,training")))


def drawn(page: Page, monkeypatch: pytest.MonkeyPatch, *, columns: str) -> str:
    """What a terminal of so many columns shows, without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", on_a_terminal(page, monkeypatch, COLUMNS=columns))


def test_a_grid_that_fits_is_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn([WIDE], monkeypatch, columns="80")
    assert re.search(r"│ celery@web-1 │ 60 +│ indexing,priority", shown)


def test_a_grid_that_is_too_wide_is_shown_as_records(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn([WIDE], monkeypatch, columns="40")
    assert re.search(r"│ name +│ celery@web-1 +│\n│ length +│ 60 +│", shown)


def test_a_record_leaves_out_what_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn([WIDE], monkeypatch, columns="40")
    assert shown.count("length") == 1


def test_one_column_of_sentences_may_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(("rule", "why"), (("A", "needs Flower, and this target has no such thing configured at all " * 2),))
    assert "│ rule" in drawn([grid], monkeypatch, columns="80")


def test_a_pipe_gets_its_own_form_and_a_terminal_another(monkeypatch: pytest.MonkeyPatch) -> None:
    page = [ByMedium((Line.of("piped"),), (Line.of("on screen"),))]
    assert (plain(page), on_a_terminal(page, monkeypatch).strip()) == ("piped\n", "on screen")
