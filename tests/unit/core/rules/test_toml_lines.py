import tomllib

import pytest

from watchdog.core.rules.toml_lines import Path, line_of, lines_of, syntax_line

TEXT = '''# a comment with [[rule]] in it
[[rule]]
name = "A"          # and = here
when = """
length > 5
[[rule]]
"""
labels = { team = "x", "the \\"key\\"" = "y" }
escalate = [
  # first
  { when = "a > 1", severity = "error" },

  { when = "b > 1", severity = "critical" },
]
params.limit = 5

[rule.more]
deep = 1

[[rule]]
name = 'B'
targets = ["a]", "b",
  "c"]
[[rule.steps]]
x = 1
[[rule.steps]]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("rule",), 2),
        (("rule", 0), 2),
        (("rule", 0, "name"), 3),
        (("rule", 0, "when"), 4),
        (("rule", 0, "labels"), 8),
        (("rule", 0, "labels", 'the "key"'), 8),
        (("rule", 0, "escalate"), 9),
        (("rule", 0, "escalate", 0, "when"), 11),
        (("rule", 0, "escalate", 1), 13),
        (("rule", 0, "escalate", 1, "severity"), 13),
        (("rule", 0, "params"), 15),
        (("rule", 0, "params", "limit"), 15),
        (("rule", 0, "more"), 17),
        (("rule", 0, "more", "deep"), 18),
        (("rule", 1), 20),
        (("rule", 1, "name"), 21),
        (("rule", 1, "targets", 2), 23),
        (("rule", 1, "steps", 1, "x"), 27),
    ],
)
def test_every_key_has_its_line(path: Path, line: int) -> None:
    assert lines_of(TEXT)[path] == line


def test_every_value_of_tomllib_has_a_line() -> None:
    assert set(_paths(tomllib.loads(TEXT))) == set(lines_of(TEXT))


def test_an_unknown_path_has_the_line_of_what_is_around_it() -> None:
    assert line_of(lines_of(TEXT), ("rule", 1, "nothing", 3)) == 20


def test_a_path_without_surroundings_is_at_line_one() -> None:
    assert line_of({}, ("rule", 0)) == 1


def test_windows_line_ends_count_once() -> None:
    assert lines_of("a = 1\r\nb = 'x'\r\nc = 2\r\n")[("c",)] == 3


def test_quotes_at_the_end_of_a_multi_line_string_belong_to_it() -> None:
    assert lines_of('a = """x"""""\nb = 1\n')[("b",)] == 2


def test_an_escaped_quote_ends_no_string() -> None:
    assert lines_of('a = "x\\"\\\\"\nb = \'\\\'\nc = 1')[("c",)] == 3


@pytest.mark.parametrize("text", ["a", 'a = "', "a = [", "a = {b", "[[", "= 3", "a = '''x", '"', "[a", "a.b"])
def test_a_text_that_is_no_toml_raises_nothing(text: str) -> None:
    lines_of(text)


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = = 2\n", 2), ("a = 1\n\nb = [1,\n", 3), ("", 1)])
def test_a_syntax_error_has_its_line(text: str, line: int) -> None:
    error = tomllib.TOMLDecodeError("nothing at end of document")
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as found:
        error = found
    assert syntax_line(error, text) == line


def _paths(value: object, path: Path = ()) -> list[Path]:
    """Every path of a parsed document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    own = [path] if path else []
    return own + [p for part, item in inner for p in _paths(item, (*path, part))]
