import pytest

from tests.builders.small_tables import TABLES
from watchdog.core.model.rows import Param
from watchdog.core.sql.conditions import ConditionError, check_condition, check_output_condition, check_query, check_select

PARAMS: dict[str, Param] = {"limit": 50.0, "word": "abc", "flag": True, "state": "gone"}


def faults_of(text: str, table: str = "queues") -> tuple[str, ...]:
    with pytest.raises(ConditionError) as caught:
        check_condition(TABLES, table, text, PARAMS)
    return caught.value.faults


def query_faults_of(text: str, key: tuple[str, ...] = ("queue",)) -> tuple[str, ...]:
    with pytest.raises(ConditionError) as caught:
        check_query(TABLES, text, key, PARAMS)
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("length > :limit", {"length"}),
        ("length > 5 and not (consumers = 0 or declared)", {"length", "consumers", "declared"}),
        ("queues.length BETWEEN 1 AND :limit / 2", {"length"}),
        ("declared", {"declared"}),
        ("declared = TRUE and declared is not false", {"declared"}),
        ("coalesce(length, 0) > 5", {"length"}),
        ("coalesce(declared, 0)", {"declared"}),
        ("max(length, consumers) > 5", {"length", "consumers"}),
        ("name like 'celery%' and name not in ('a', 'b')", {"name"}),
        ("name regexp '^web-[0-9]+$' or regexp('x.*y', name)", {"name"}),
        ("case when length > 3 then 1 else 0 end", {"length"}),
        ("case name when 'a' then length > 3 else length > 5 end", {"length", "name"}),
        ("length is null or length not null", {"length"}),
        ("length IS NOT DISTINCT FROM 5", {"length"}),
        ("json_extract(meta, '$.a') > 5 or meta ->> 'b' = 'c'", {"meta"}),
        ("cast(name as real) > 5 and name || 'x' = 'yx'", {"name"}),
        ("sqrt(length) > 2 and -length < ~1", {"length"}),
        ("length > 3 collate nocase", {"length"}),
        (":flag", set()),
        ("true", set()),
    ],
)
def test_a_good_condition_gives_the_columns_it_reads(text: str, columns: set[str]) -> None:
    assert check_condition(TABLES, "queues", text, PARAMS) == columns


def test_a_column_may_be_called_like_a_keyword() -> None:
    assert check_condition(TABLES, "groups", "left > online", {}) == {"left", "online"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lenght > 5", 'no column "lenght" in queues; did you mean "length"?'),
        ("queues.lenght > 5", 'no column "lenght" in queues; did you mean "length"?'),
        ("workers.active > 5", 'no column "active" in queues'),
        ("rowid > 5", 'no column "rowid" in queues'),
        ("length > :limt", 'no parameter :limt; did you mean "limit"?'),
        ("length > limit", "write :limit for the parameter limit"),
        ("lenth(name) > 5", 'no function "lenth"; did you mean "length"?'),
        ("random() > 5", "the function random is not allowed: a verdict may not depend on chance"),
        ("unixepoch() > 5", "the function unixepoch is not allowed: it reads the clock"),
        ("load_extension('x') = 1", "the function load_extension is not allowed"),
        ("current_timestamp > 'a'", "the function current_timestamp is not allowed"),
        ("abs(length, 3) > 1", "wrong number of arguments to abs"),
        ('"length" > 5', "use single quotes for text"),
        ("length > (5", "unbalanced brackets"),
        ("1) or (1", "unbalanced brackets"),
        ("", "it is empty"),
        (" \n ", "it is empty"),
        ("length >", "something is missing"),
        ("length > 5 and", "something is missing"),
        ("> 5", 'syntax error near ">"'),
        ("exists > 5", '"exists" is a word of SQL before a subselect, and names no column'),
        ("length > 5 and not exists", '"exists" is a word of SQL'),
        ("length > 5, 3", "it must give one value"),
        ("length > 5; drop table queues", "it must be one statement"),
        ("length > 5 -- more", "a comment is not allowed"),
        ("(" * 120 + "length > 1" + ")" * 120, "it is nested too deeply"),
        (" or ".join(["length > 1"] * 150), "it is nested too deeply"),
    ],
)
def test_what_sqlite_would_refuse_is_said_in_words(text: str, said: str) -> None:
    assert len(faults_of(text)) == 1
    assert said in faults_of(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "length > 'abc'",
        "'abc' < length",
        "length = 'abc'",
        "length == 'abc'",
        "length != 'abc'",
        "length <> 'abc'",
        "length <= 'abc'",
        "length >= 'abc'",
        "length is 'abc'",
        "length is not 'abc'",
        "length > :word",
        ":word > length",
        "length in (1, 'abc')",
        "length between 1 and 'abc'",
        "length not between 'abc' and 2",
        "(length) > ('abc')",
        "length + 1 > 'abc'",
        "abs(length) > 'abc'",
        "name = 5",
        "name in (5)",
        "lower(name) = :limit",
        "name = length",
        "declared = 'true'",
        "case name when 5 then true end",
        "length > 3 and (consumers = 0 or not length > 'abc')",
    ],
)
def test_a_number_beside_a_text_is_a_fault(text: str) -> None:
    assert len(faults_of(text)) == 1
    assert " compares " in faults_of(text)[0]


def test_a_quoted_number_is_told_to_lose_its_quotes() -> None:
    assert faults_of("length > '50'") == ("length > '50' compares a number (length) with a text ('50'); write 50 without quotes",)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("length", "a number"),
        ("50", "a number"),
        (":limit", "a number"),
        ("length + 1", "a number"),
        ("coalesce(length, 0)", "a number"),
        ("'text'", "a text"),
        ("name", "a text"),
        ("name || 'a'", "a text"),
        ("length and declared", "a number"),
        ("declared or name", "a text"),
        ("not length", "a number"),
        ("(declared and (5))", "a number"),
    ],
)
def test_only_a_truth_value_is_a_condition(text: str, kind: str) -> None:
    assert len(faults_of(text)) == 1
    assert f"is {kind}, not a truth value" in faults_of(text)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("state = 'offlin'", "workers.state is one of online, left, lost; found 'offlin'; did you mean \"online\"?"),
        ("'gone' = state", "workers.state is one of online, left, lost; found 'gone'"),
        ("state in ('lost', 'gon')", "workers.state is one of online, left, lost; found 'gon'"),
        ("state is not 'gon'", "workers.state is one of online, left, lost; found 'gon'"),
        ("state = :state", "found 'gone' in :state"),
        ("case state when 'gon' then true end", "workers.state is one of online, left, lost; found 'gon'"),
    ],
)
def test_a_value_that_a_column_never_holds_is_a_fault(text: str, said: str) -> None:
    assert len(faults_of(text, "workers")) == 1
    assert said in faults_of(text, "workers")[0]


@pytest.mark.parametrize(
    "text",
    ["max(length) > 5", "count(*) > 5", "(select 1)", "length > (select 5)", "exists (select 1)", "row_number() over () > 5"],
)
def test_what_looks_at_many_rows_is_sent_to_query(text: str) -> None:
    assert all("use query for this" in fault for fault in faults_of(text))


@pytest.mark.parametrize("text", ["length = NULL", "NULL != length", "null"])
def test_a_comparison_with_null_is_never_true(text: str) -> None:
    assert "never true" in faults_of(text)[0]


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|bc)*x", "(a*)*", r"(\w+)\1", "(", "[[a]", "a{1,99999999999}"])
def test_a_pattern_that_may_never_end_or_does_not_compile_is_a_fault(pattern: str) -> None:
    assert "regexp" in faults_of(f"name regexp '{pattern}'")[0]
    assert "regexp" in faults_of(f"regexp('{pattern}', name)")[0]


def test_all_faults_come_out_at_once() -> None:
    faults = faults_of("lenght > :limt and consumer = 0 and nosuch(oldest) > 3 and consumers = 'a' or length")

    assert len(faults) == 7


def test_an_unknown_table_is_a_fault() -> None:
    with pytest.raises(ConditionError, match=r'no table "queue"; did you mean "queues"\?'):
        check_condition(TABLES, "queue", "length > 5", {})


def test_a_function_that_this_sqlite_lacks_is_a_fault_not_a_crash() -> None:
    try:
        check_condition(TABLES, "queues", "concat(name, 'a') = 'ba'", {})
    except ConditionError as error:
        assert "has no function concat" in error.faults[0]  # noqa: PT017 - newer SQLites have it


def test_a_query_gives_its_columns_and_what_it_reads() -> None:
    text = "SELECT q.name AS queue, q.length AS value, count(*) > 3 AS breach FROM queues q JOIN workers w ON w.name = q.name GROUP BY 1"

    shape = check_query(TABLES, text, ("queue",), PARAMS)

    assert shape.columns == ("queue", "value", "breach")
    assert shape.reads == {"queues": {"name", "length"}, "workers": {"name"}}


def test_a_table_that_is_only_counted_is_read_too() -> None:
    assert check_query(TABLES, "select 'all' as queue, count(*) > 3 as breach from workers", ("queue",), {}).reads == {
        "workers": frozenset()
    }


@pytest.mark.parametrize(
    "text",
    [
        "with a(n, l) as (select name, length from queues) select n as queue, l > 3 as breach from a",
        "select name as queue, sum(length) over () > 3 as breach from queues",
        "select name as queue, length > (select avg(length) from queues) as breach from queues order by 1 limit 5",
        "select name as queue, count(*) filter (where length > 3) > 1 as breach from queues group by name having count(*) > 1",
        "select name as queue, 1 as breach from queues union all select pattern, 0 from groups",
    ],
)
def test_a_query_may_join_and_sum_and_rank(text: str) -> None:
    assert check_query(TABLES, text, ("queue",), {}).columns == ("queue", "breach")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select name as queue from queues", 'it has no column "breach"'),
        ("select length > 3 as breach from queues", 'key column "queue" is not among'),
        ("select name as queue, name as queue, 1 as breach from queues", 'two columns are called "queue"'),
        ("select name as queue, count(*), 1 as breach from queues", "name the column count(*) with AS"),
        ("select name as queue, 0 as true, 1 as breach from queues", "call the column true something else"),
        ("select name as queue, 1 as current_date, 1 as breach from queues", "call the column current_date something else"),
        ("select name as queue, exists as breach from queues", '"exists" is a word of SQL'),
        ("select lenght as queue, 1 as breach from queues", 'no column "lenght" in queues; did you mean "length"?'),
        ("select active as queue, 1 as breach from queues", 'no column "active" in queues; the table workers has one'),
        ("select name as queue, 1 as breach from queus", 'no table "queus"; did you mean "queues"?'),
        ("select name as queue, 1 as breach from sqlite_master", 'no table "sqlite_master"'),
        ("select name as queue, 1 as breach from xyz", 'no table "xyz"; there are queues, workers'),
        ("select name as queue, 1 as breach from queues, workers", 'more than one table has a column "name"'),
        ("select name as queue, :limt as breach from queues", "no parameter :limt"),
        ("select name as queue, summ(length) as breach from queues", 'no function "summ"; did you mean "sum"?'),
        ("select name as queue, 1 as breach from queues natural join workers", "NATURAL hides which columns are compared"),
        ("select name as queue, 1 as breach from queues join workers using (name)", "USING hides which columns are compared"),
        ("with recursive a(x) as (select 1 union all select x + 1 from a) select x as queue, 1 as breach from a", "recursive"),
        ("with a(x) as (select 1 union all select x + 1 from a) select x as queue, 1 as breach from a", "recursive"),
        ("select rowid as queue, 1 as breach from queues", 'no column "rowid" in queues'),
        ("select name as queue, state = 'gon' as breach from workers", "workers.state is one of online, left, lost"),
        ("select name as queue, 1 as breach from queues where length > 'abc'", "length > 'abc' compares a number"),
        ('select name as queue, 1 as breach from queues where name = "abc"', "use single quotes for text ('abc')"),
        ("select 1 as queue, 1 as breach; select 2", "it must be one statement"),
        ("delete from queues", "it must be one SELECT"),
        ("values (1)", "it must be one SELECT"),
        ("pragma table_info('queues')", "it must be one SELECT"),
        ("select name as queue, 1 as breach from json_each('[1]')", 'no function "json_each"'),
        ("", "it is empty"),
    ],
)
def test_a_query_is_checked_like_a_condition(text: str, said: str) -> None:
    faults = query_faults_of(text)
    assert len(faults) == 1
    assert said in faults[0]


def test_conditions_over_a_querys_output_know_its_columns() -> None:
    assert check_output_condition(("queue", "value", "breach"), "value < 3 and queue = 'a'", {}) == {"value", "queue"}
    with pytest.raises(ConditionError, match=r'no column "valu" in the query.s output; did you mean "value"\?'):
        check_output_condition(("queue", "value", "breach"), "valu < 3", {})


def test_any_select_can_be_checked_without_a_key() -> None:
    assert check_select(TABLES, "select * from groups").columns == ("pattern", "online", "left")
