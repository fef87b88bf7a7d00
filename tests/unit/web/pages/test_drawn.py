"""Cells of panels as HTML: nothing from outside becomes markup, and no colour says what a word does not."""

import pytest
from flask import Flask

from watchdog.config.masking import MASKING
from watchdog.status.panel import Bar, Cell, Course, Ink, Line
from watchdog.web.pages.drawn import coded, drawn, drawn_line, is_none

HOSTILE = '"><script>alert(1)</script>'


def test_a_text_is_escaped() -> None:
    assert drawn(HOSTILE) == "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"


def test_control_characters_and_text_direction_are_removed() -> None:
    assert drawn("evil\x1b[2J\u202eabc\x00") == "evil[2Jabc"


def test_a_secret_is_masked() -> None:
    MASKING.learn(["a-secret-of-a-target"])
    assert drawn("redis says a-secret-of-a-target") == "redis says ***"


def test_a_style_is_a_class() -> None:
    assert drawn(Ink("lost", "bad")) == '<span class="ink-bad">lost</span>'


def test_bars_of_several_lines_begin_below_each_other() -> None:
    labels = [drawn_line(Line.of(label, Bar(0.5, 20, "chart"), " of 2")) for label in ("busy now", "busy 24 h")]
    assert [label.startswith('<span class="before-bar">busy') for label in labels] == [True, True]


def test_a_severity_has_a_sign_beside_its_word() -> None:
    found = drawn(Ink("critical", "critical"))
    assert "<svg" in found
    assert found.endswith("critical</span>")


def test_an_incident_is_linked_with_its_id_quoted() -> None:
    app = Flask("x")
    app.add_url_rule("/incidents/<named>", "pages.incident")
    with app.test_request_context():
        assert drawn(Ink("w", "", incident="a b'\"")) == '<a href="/incidents/a%20b&#39;%22">w</a>'


@pytest.mark.parametrize(
    ("bar", "found"),
    [(Bar(0.37, 8), 'width="37.0"'), (Bar(0.0001, 8), 'width="1.0"'), (Bar(7.0, 8), 'width="100.0"'), (Bar(None, 8), ">?<")],
)
def test_a_bar_is_as_long_as_its_share(bar: Bar, found: str) -> None:
    assert found in drawn(bar)


def test_a_bar_says_its_share() -> None:
    assert 'aria-label="37 %"' in drawn(Bar(0.37, 8))


def test_a_gap_of_a_course_is_drawn_as_one() -> None:
    assert drawn(Course((None, 1.0))).count('class="gap"') == 1


def test_what_stands_between_backticks_is_code() -> None:
    assert coded("run `ls <x>` now") == "run <code>ls &lt;x&gt;</code> now"


def test_a_lonely_backtick_is_itself() -> None:
    assert coded("it`s") == "it`s"


@pytest.mark.parametrize(("cell", "none"), [("", True), (Ink("-", "faint"), True), ("0", False), (Ink("?", "odd"), False)])
def test_only_what_says_nothing_is_left_out_on_a_phone(cell: Cell, none: bool) -> None:
    assert is_none(cell) is none
