import pytest

from watchdog.core.sql.tokens import LONGEST_TEXT, TokenKind, bracket_faults, scan, with_real_numbers


def faults_of(text: str) -> tuple[str, ...]:
    return scan(text)[1]


def test_tokens_know_their_kind_and_where_they_start() -> None:
    tokens, faults = scan("length >= :limit AND name IN ('a''b', 1.5)")

    assert faults == ()
    assert [(token.kind.value, token.text, token.start) for token in tokens] == [
        ("word", "length", 0),
        ("operator", ">=", 7),
        ("parameter", ":limit", 10),
        ("word", "AND", 17),
        ("word", "name", 21),
        ("word", "IN", 26),
        ("open", "(", 29),
        ("text", "'a''b'", 30),
        ("comma", ",", 36),
        ("number", "1.5", 38),
        ("close", ")", 41),
    ]


@pytest.mark.parametrize("number", ["5", "5.", ".5", "5.25", "1e3", "1.5E-3"])
def test_a_number_is_one_token(number: str) -> None:
    tokens, faults = scan(number)
    assert ([token.kind for token in tokens], faults) == ([TokenKind.NUMBER], ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a > 1 -- b", "a comment is not allowed"),
        ("a > 1 /* b", "a comment is not allowed"),
        ("a > 1; b", "remove the ;"),
        ("'abc", "does not end"),
        ("a > 5m", 'params = { limit = "5m" }'),
        ("a > 1.2.3", "1.2.3 is no number"),
        ("a > 0x1F", "hexadecimal"),
        ("a > ?1", "a parameter is written as :name; found ?1"),
        ("a > @b", "a parameter is written as :name"),
        ("x'ab'", "a blob is not allowed"),
        ('"name" = 5', "use single quotes for text ('name')"),
        ("[name] = 5", "write the name name without []"),
        ("a ! b", "unexpected character '!'"),
        ("a \x00", "a character that no text may hold"),
        ("'\ud800'", "a character that no text may hold"),
        ("a" * (LONGEST_TEXT + 1), "at most 10,000 are allowed"),
    ],
)
def test_what_has_no_place_is_a_fault(text: str, said: str) -> None:
    assert len(faults_of(text)) == 1
    assert said in faults_of(text)[0]


@pytest.mark.parametrize("text", ["(a", "a)", "a) or (b", "((a)"])
def test_brackets_must_pair(text: str) -> None:
    assert "unbalanced brackets" in bracket_faults(scan(text)[0])[0]


def test_a_bracket_in_a_text_is_no_bracket() -> None:
    assert bracket_faults(scan("a = ')'")[0]) == ()


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("length > 50", "length > 50.0"),
        ("length > 50.5 or a > 1e3", "length > 50.5 or a > 1e3"),
        ("name = '50'", "name = '50'"),
        ("length > :limit / 2", "length > :limit *1.0/ 2.0"),
        ("x in (1, 2)", "x in (1.0, 2.0)"),
        ("select a, count(*) from q group by 1, 2", "select a, count(*) from q group by 1, 2"),
        ("select a from q order by 2 desc, a + 1 limit 5 offset 3", "select a from q order by 2 desc, a + 1.0 limit 5 offset 3"),
        ("select a from q group by 1 having count(*) > 3", "select a from q group by 1 having count(*) > 3.0"),
        ("(select a from q order by 1) > 3", "(select a from q order by 1) > 3.0"),
        ("meta ->> 0 > 3", "meta ->> 0 > 3.0"),
        ("name || 5 = 'a5'", "name || 5 = 'a5'"),
    ],
)
def test_numbers_become_real_but_positions_stay_whole(text: str, real: str) -> None:
    assert with_real_numbers(text) == real


def test_a_text_with_a_fault_has_no_real_form() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        with_real_numbers("a > 0x10")
