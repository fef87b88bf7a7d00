# ruff: noqa: RUF001 - letters that look alike are what this is about
import pytest

from watchdog.receivers.slack.text import bold, code, date, is_link, link, prose, prose_with_code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<!here> <@U123> <#C1> <https://evil|bank>", "&lt;!here&gt; &lt;@U123&gt; &lt;#C1&gt; &lt;https://evil|bank&gt;"),
        ("*bold* ~gone~ `code`", "∗bold∗ ∼gone∼ ˋcodeˋ"),
        ("_a_ my_task_name __init__", "ˍaˍ my_task_name ˍˍinitˍˍ"),
        (":fire: a:100:b", "∶fire: a∶100:b"),
        ("at 09:15:00", "at 09:15:00"),
        ("redis://10.0.0.5:6379/0 refused", "redis://10.0.0.5:6379/0 refused"),
        ("> quoted", "› quoted"),
        ("two\n  lines\u2028more", "two lines more"),
        ("\x1b[31mred\x07\u202e\udc80", "\\x1b[31mred\\x07\\u202e\\udc80"),
    ],
)
def test_prose_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert prose(text, 200) == shown


def test_an_entity_is_never_cut_in_the_middle() -> None:
    assert prose("&" * 10, 12) == "&amp;&amp;…"


def test_what_fits_exactly_is_not_cut() -> None:
    assert prose("x" * 12, 12) == "x" * 12


def test_characters_beyond_the_basic_plane_count_twice() -> None:
    assert prose("😀" * 5, 8) == "😀" * 3 + "…"


def test_a_megabyte_is_cut() -> None:
    assert prose("x" * 1_000_000, 100) == "x" * 99 + "…"


def test_what_follows_a_megabyte_of_spaces_is_said_to_be_cut() -> None:
    assert prose("a" + " " * 1_000_000 + "b", 100) == "a…"


def test_bold_stays_bold_whatever_is_in_it() -> None:
    assert bold("a*b*", 100) == "*a∗b∗*"


def test_a_name_in_a_code_span_stays_fit_to_be_copied() -> None:
    assert code("my_*queue*:~1&", 100) == "`my_*queue*:~1&amp;`"


def test_a_backtick_does_not_end_a_code_span() -> None:
    assert code("a`*b*`", 100) == "`aˋ*b*ˋ`"


def test_an_empty_name_is_shown_as_quotes() -> None:
    assert code("", 100) == '`""`'


def test_commands_of_a_runbook_can_be_copied() -> None:
    assert prose_with_code("*Run* `SELECT count(*) FROM a_`, <b>", 200) == "∗Run∗ `SELECT count(*) FROM a_`, &lt;b&gt;"


@pytest.mark.parametrize(
    ("line", "shown"),
    [("a`*b*`c", "aˋ∗b∗ˋc"), ("` *b* `", "ˋ ∗b∗ ˋ"), ("one ` alone", "one ˋ alone"), ("```x```", "ˋˋˋxˋˋˋ")],
)
def test_what_slack_would_not_take_for_code_is_no_code(line: str, shown: str) -> None:
    assert prose_with_code(line, 200) == shown


def test_a_long_line_with_code_is_cut_and_the_span_closed() -> None:
    assert prose_with_code("see `" + "x" * 60 + "` now", 20) == "see `" + "x" * 12 + "…`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://wiki.example.com/a?b=c", True),
        ("http://wiki", True),
        ("see https://wiki", False),
        ("https://a b", False),
        ("https://a\nb", False),
        ("ftp://a", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://a/" + "x" * 1000, False),
        ("https://a/?" + "&" * 700, False),
    ],
)
def test_a_link_is_one_url_and_nothing_else(text: str, expected: bool) -> None:
    assert is_link(text) is expected


def test_a_url_cannot_end_its_link_early() -> None:
    assert link("https://a/?b=1&c=<x>|y", "Runbook") == "<https://a/?b=1&amp;c=%3Cx%3E%7Cy|Runbook>"


def test_a_date_is_shown_in_the_readers_time_zone_or_in_utc() -> None:
    assert date(1_795_338_900.5) == "<!date^1795338900^{date_short_pretty} {time}|2026-11-22T09:15:00Z>"
