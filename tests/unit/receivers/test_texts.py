from watchdog.core.text.sanitize import one_line, sanitize


def test_a_terminal_escape_is_shown_not_obeyed() -> None:
    assert sanitize("a\x1b[31mred\x07") == "a\\x1b[31mred\\x07"


def test_marks_that_turn_text_around_are_shown() -> None:
    assert sanitize("ab\u202egpj.exe\u2028") == "ab\\u202egpj.exe\\u2028"


def test_letters_of_any_script_stay() -> None:
    assert sanitize("Größe 数 é") == "Größe 数 é"


def test_the_first_line_that_says_something_is_kept() -> None:
    assert one_line("\n  \r\n no_service \nmore") == "no_service"


def test_a_long_line_is_cut() -> None:
    assert one_line("x" * 500, 10) == "x" * 9 + "…"


def test_nothing_stays_nothing() -> None:
    assert one_line(" \n\t") == ""
