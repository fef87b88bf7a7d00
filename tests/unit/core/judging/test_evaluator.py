import math
from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders.small_tables import TABLES, queue, worker
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.model.rows import Key, Reading, Row
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Escalation, Rule
from watchdog.core.sql.conditions import ConditionError
from watchdog.core.sql.tables import SqlTables

REFUSED = "redis: connection refused"
NO_LENGTH = {"length": REFUSED}


def evaluator(max_steps: int = 5_000_000, **readings: Reading) -> Evaluator:
    made = Evaluator(TABLES, max_steps=max_steps, stopwatch=lambda: 0.0)
    made.load(readings)
    return made


def rule(when: str = "length > 50", **more: Any) -> Rule:
    return Rule(**{"name": "Backlog", "table": "queues", "when": when, "key": ("name",), "columns": ("length",), **more})


def query_rule(query: str, **more: Any) -> Rule:
    return Rule(**{"name": "Backlog", "query": query, "key": ("queue",), "columns": ("value",), **more})


def judged(asked: Rule, *rows: Row, open_keys: Mapping[Key, bool] | None = None, **reading: Any) -> Judgement:
    return evaluator(queues=Reading(rows, **reading)).judge(asked, (), open_keys or {})


def verdicts(judgement: Judgement) -> dict[str, Verdict]:
    assert (judgement.failed, judgement.idle, judgement.unknown) == (None, None, None)
    return {finding.key[0]: finding.verdict for finding in judgement.findings}


def only(judgement: Judgement) -> Finding:
    (finding,) = judgement.findings
    return finding


# --- when ---


def test_who_judges_while_another_does_has_an_evaluator_of_its_own() -> None:
    evaluators = Evaluators(evaluator)
    with evaluators.one() as first, evaluators.one() as second:
        assert first is not second
    evaluators.close()


def test_those_who_judge_one_after_another_share_one() -> None:
    evaluators = Evaluators(evaluator)
    with evaluators.one() as first:
        pass
    with pytest.raises(ZeroDivisionError), evaluators.one() as second:
        raise ZeroDivisionError
    with evaluators.one() as third:
        assert first is second is third
    evaluators.close()


def test_rows_are_forgotten_once_they_were_judged() -> None:
    evaluators, both = Evaluators(evaluator), rule("length > 50 AND consumers > 0")
    with evaluators.one() as used:
        used.load({"queues": Reading((queue("a", length=60),))}, [both])
        assert used.parts(both, ("a",)) != ()
    assert used.parts(both, ("a",)) == ()
    evaluators.close()


def test_a_row_in_breach_is_a_finding_with_its_values() -> None:
    finding = only(judged(rule(), queue("a", length=60), queue("b", length=50)))

    assert (finding.key, finding.verdict, finding.values) == (("a",), Verdict.BREACH, {"length": 60})
    assert finding.cells["consumers"] == 1.0


def test_clear_rows_are_not_spoken_of() -> None:
    assert judged(rule(), queue("a"), queue("b")).findings == ()


def test_numbers_are_real_so_that_nothing_is_lost_in_division() -> None:
    assert verdicts(judged(rule("length / 2 > 2"), queue("a", length=5))) == {"a": Verdict.BREACH}
    assert verdicts(judged(rule("5 / :n > 2", params={"n": 2}), queue("a"))) == {"a": Verdict.BREACH}


def test_params_are_bound_as_what_they_are() -> None:
    asked = rule("length > :limit and name = :who and declared = :on", params={"limit": 5, "who": "a' or 1=1", "on": True})

    assert verdicts(judged(asked, queue("a' or 1=1", length=6, declared=True), queue("a", length=6))) == {"a' or 1=1": Verdict.BREACH}


def test_infinity_is_larger_than_any_limit_and_not_a_number_is_nothing() -> None:
    rows = queue("a", length=math.inf), queue("b", length=math.nan)
    assert verdicts(judged(rule("length > 1e300"), *rows)) == {"a": Verdict.BREACH}


def test_a_whole_number_that_sqlite_cannot_hold_is_judged_as_a_real() -> None:
    assert verdicts(judged(rule(), queue("a", length=10**30), queue("b\ud800"))) == {"a": Verdict.BREACH}


def test_a_truth_value_is_a_condition_by_itself() -> None:
    assert verdicts(judged(rule("declared"), queue("a", declared=True), queue("b"))) == {"a": Verdict.BREACH}


def test_a_table_of_one_row_has_the_empty_key() -> None:
    made = evaluator(broker=Reading((Row({"latency_ms": 60.0}),)))

    finding = only(made.judge(Rule("Slow", table="broker", when="latency_ms > 50"), (), {}))

    assert (finding.key, finding.verdict) == ((), Verdict.BREACH)


def test_rows_are_those_of_the_last_load() -> None:
    made = evaluator(queues=Reading((queue("a", length=60),)))
    made.load({"queues": Reading((queue("b", length=60),))})

    assert verdicts(made.judge(rule(), (), {})) == {"b": Verdict.BREACH}


# --- gaps ---


def test_a_gap_in_a_column_that_when_reads_is_unknown_and_says_why() -> None:
    finding = only(judged(rule(), queue("a", NO_LENGTH)))

    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, REFUSED)


@pytest.mark.parametrize(
    "when", ["coalesce(length, 0) > 50", "ifnull(length, 0) > 50", "length is not null and length > 50", "max(length, 0) > 50"]
)
def test_no_function_can_hide_a_gap(when: str) -> None:
    assert verdicts(judged(rule(when), queue("a", NO_LENGTH))) == {"a": Verdict.UNKNOWN}


def test_a_gap_in_a_column_that_is_not_read_does_not_matter() -> None:
    assert judged(rule(), queue("a", {"oldest_s": REFUSED})).findings == ()


def test_a_breach_that_is_certain_wins_over_a_gap_elsewhere_in_the_row() -> None:
    assert verdicts(judged(rule("length > 50 or consumers = 0"), queue("a", NO_LENGTH, consumers=0))) == {"a": Verdict.BREACH}


def test_null_without_a_gap_is_simply_not_true() -> None:
    assert judged(rule("length / 0 > 1"), queue("a")).findings == ()


# --- where ---


def test_where_narrows_the_rows() -> None:
    asked = rule(where="declared")
    assert verdicts(judged(asked, queue("a", length=60, declared=True), queue("b", length=60))) == {"a": Verdict.BREACH}


def test_an_open_incident_that_where_no_longer_covers_is_not_covered() -> None:
    asked = rule(where="declared")
    assert verdicts(judged(asked, queue("a", length=60), open_keys={("a",): True})) == {"a": Verdict.NOT_COVERED}


def test_a_gap_in_where_is_unknown_even_in_breach() -> None:
    asked = rule(where="coalesce(consumers, 1) > 0")
    assert verdicts(judged(asked, queue("a", {"consumers": REFUSED}, length=60))) == {"a": Verdict.UNKNOWN}


def test_a_gap_in_where_is_unknown_though_when_is_not_true() -> None:
    assert verdicts(judged(rule(where="consumers > 0"), queue("a", {"consumers": REFUSED}))) == {"a": Verdict.UNKNOWN}


def test_a_gap_in_when_does_not_matter_where_the_rule_does_not_cover_the_row() -> None:
    assert judged(rule(where="declared"), queue("a", NO_LENGTH)).findings == ()


# --- clear and open keys ---


CLEARED = rule(clear="length < 25")


@pytest.mark.parametrize(
    ("length", "firing", "verdict"),
    [
        (60, True, Verdict.BREACH),
        (40, True, Verdict.BREACH),
        (20, True, Verdict.CLEAR),
        (60, False, Verdict.BREACH),
        (40, False, Verdict.CLEAR),
        (20, False, Verdict.CLEAR),
    ],
)
def test_between_when_and_clear_a_firing_incident_holds_and_a_pending_one_ends(length: float, firing: bool, verdict: Verdict) -> None:
    assert verdicts(judged(CLEARED, queue("a", length=length), open_keys={("a",): firing})) == {"a": verdict}


def test_a_held_breach_has_the_values_of_now() -> None:
    assert only(judged(CLEARED, queue("a", length=40), open_keys={("a",): True})).values == {"length": 40}


def test_without_clear_an_incident_recovers_when_when_is_no_longer_true() -> None:
    assert verdicts(judged(rule(), queue("a", length=40), open_keys={("a",): True})) == {"a": Verdict.CLEAR}


def test_a_gap_that_clear_reads_is_unknown_for_a_firing_incident_alone() -> None:
    asked = rule(clear="coalesce(oldest_s, 0) < 5")
    row = queue("a", {"oldest_s": REFUSED}, length=10)

    assert verdicts(judged(asked, row, open_keys={("a",): True})) == {"a": Verdict.UNKNOWN}
    assert verdicts(judged(asked, row, open_keys={("a",): False})) == {"a": Verdict.CLEAR}


def test_many_open_keys_far_apart_and_close_together_are_all_answered() -> None:
    rows = [queue(f"q{n}", length=40 if n % 2 else 20) for n in range(200)]
    far = judged(CLEARED, *rows, open_keys={("q0",): True, ("q199",): True})
    near = judged(CLEARED, *rows, open_keys={(f"q{n}",): True for n in range(100)})

    assert verdicts(far) == {"q0": Verdict.CLEAR, "q199": Verdict.BREACH}
    assert list(verdicts(near).values()).count(Verdict.BREACH) == 50


# --- absent rows ---


def test_an_open_key_absent_from_a_table_read_whole_is_clear() -> None:
    assert verdicts(judged(rule(), queue("b"), open_keys={("a",): True})) == {"a": Verdict.CLEAR}


@pytest.mark.parametrize("cut", ["partial", "unread"])
def test_an_open_key_absent_from_a_table_read_in_part_is_unknown(cut: str) -> None:
    finding = only(judged(rule(), queue("b"), open_keys={("a",): True}, **{cut: "cut at 1,000 keys"}))

    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, "cut at 1,000 keys")


def test_a_table_that_was_not_read_gives_no_verdict_at_all() -> None:
    judgement = judged(rule(), open_keys={("a",): True}, unread=REFUSED)

    assert (judgement.unknown, judgement.findings) == (REFUSED, ())


def test_remembered_rows_of_an_unread_table_are_judged_by_what_is_still_known() -> None:
    judgement = judged(rule("length > 50 or declared"), queue("a", NO_LENGTH), queue("b", NO_LENGTH, declared=True), unread=REFUSED)

    assert verdicts(judgement) == {"a": Verdict.UNKNOWN, "b": Verdict.BREACH}


# --- idle ---


@pytest.mark.parametrize("field", ["when", "where", "clear", "escalate"])
def test_a_rule_that_decides_by_an_idle_column_is_idle(field: str) -> None:
    reads: Any = (Escalation("oldest_s > 5", Severity.ERROR),) if field == "escalate" else "oldest_s > 5"
    judgement = judged(rule(**{field: reads}), queue("a", length=60), idle={"oldest_s": "oldest_s needs a second poll"})

    assert (judgement.idle, judgement.findings) == ("oldest_s needs a second poll", ())


def test_an_idle_column_that_is_only_shown_is_none() -> None:
    row = Row({name: cell for name, cell in queue("a", length=60).cells.items() if name != "oldest_s"})
    finding = only(judged(rule(columns=("length", "oldest_s")), row, idle={"oldest_s": "needs a second poll"}))

    assert finding.values == {"length": 60, "oldest_s": None}
    assert finding.cells["oldest_s"] is None
    assert finding.cells == {**dict.fromkeys(column.name for column in TABLES["queues"].columns), **row.cells}


def test_an_idle_reason_names_its_column() -> None:
    assert judged(rule(), idle={"length": "needs Redis"}).idle == "length: needs Redis"


def test_a_table_that_is_not_part_of_the_look_makes_its_rules_idle() -> None:
    assert evaluator().judge(rule(), (), {("a",): True}).idle == "queues is not part of this poll"


# --- severity ---


ESCALATING = rule(
    clear="length < 25",
    escalate=(
        Escalation("length > 500", Severity.CRITICAL),
        Escalation("length > 100", Severity.ERROR),
        Escalation("length > 80", Severity.INFO),
    ),
)


@pytest.mark.parametrize(("length", "severity"), [(60, "warning"), (90, "warning"), (200, "error"), (600, "critical")])
def test_the_highest_entry_of_escalate_that_is_true_wins(length: float, severity: str) -> None:
    assert only(judged(ESCALATING, queue("a", length=length))).severity == severity


def test_a_gap_escalates_nothing() -> None:
    asked = rule("consumers = 0", escalate=(Escalation("coalesce(length, 1000) > 100", Severity.CRITICAL),))
    assert only(judged(asked, queue("a", NO_LENGTH, consumers=0))).severity == "warning"


# --- variants ---


def test_a_key_is_judged_by_the_last_tuned_copy_that_fits_it() -> None:
    base = rule("length > :limit", params={"limit": 50.0})
    raised, higher = (rule("length > :limit", params={"limit": limit}) for limit in (100.0, 500.0))
    variants = [(raised, lambda key: key["name"] in ("a", "b")), (higher, lambda key: key["name"] == "b")]
    rows = [queue(name, length=200) for name in ("a", "b", "c")]

    judgement = evaluator(queues=Reading(tuple(rows))).judge(base, variants, {("b",): True, ("gone",): True})

    assert {finding.key[0]: (finding.verdict, finding.rule) for finding in judgement.findings} == {
        "a": (Verdict.BREACH, raised),
        "b": (Verdict.CLEAR, higher),
        "c": (Verdict.BREACH, base),
        "gone": (Verdict.CLEAR, base),
    }


def test_a_key_that_an_override_switches_off_is_not_covered() -> None:
    variants = [(rule(enabled=False), lambda key: key["name"] in ("a", "b", "gone"))]
    rows = [queue(name, length=200) for name in ("a", "b", "c")]

    judgement = evaluator(queues=Reading(tuple(rows))).judge(rule(), variants, {("a",): True, ("gone",): True})

    assert verdicts(judgement) == {"a": Verdict.NOT_COVERED, "gone": Verdict.NOT_COVERED, "c": Verdict.BREACH}


# --- queries ---


BY_QUEUE = "select name as queue, length as value, length > :limit as breach from queues"
SUMMED = "select 'all' as queue, sum(length) as value, sum(length) > 50 as breach from queues"


def test_each_row_of_a_query_is_a_key() -> None:
    asked = query_rule(BY_QUEUE, params={"limit": 50})
    finding = only(judged(asked, queue("a", length=60), queue("b", length=5)))

    assert (finding.key, finding.verdict, finding.values) == (("a",), Verdict.BREACH, {"value": 60.0})
    assert finding.cells == {"queue": "a", "value": 60.0, "breach": 1}


def test_a_key_that_no_longer_comes_back_is_clear() -> None:
    asked = query_rule(BY_QUEUE + " where length > 10", params={"limit": 50})
    assert verdicts(judged(asked, queue("a", length=5), open_keys={("a",): True})) == {"a": Verdict.CLEAR}


def test_clear_and_escalate_see_a_querys_output() -> None:
    asked = query_rule(BY_QUEUE, params={"limit": 50}, clear="value < :limit / 2", escalate=(Escalation("value > 100", Severity.ERROR),))
    rows = queue("a", length=40), queue("b", length=20), queue("c", length=200)
    judgement = judged(asked, *rows, open_keys={("a",): True, ("b",): True})

    assert verdicts(judgement) == {"a": Verdict.BREACH, "b": Verdict.CLEAR, "c": Verdict.BREACH}
    assert [f.severity for f in judgement.findings if f.key == ("c",)] == ["error"]


def test_counts_divide_as_reals() -> None:
    asked = query_rule("select 'all' as queue, 1 as value, count(*) / 2 > 0.4 and count(*) / (count(*) + 1) > 0 as breach from queues")
    assert verdicts(judged(asked, queue("a"))) == {"all": Verdict.BREACH}


@pytest.mark.parametrize(
    ("row", "reading", "reason"),
    [
        (queue("a", NO_LENGTH), {}, REFUSED),
        (queue("a", length=60), {"partial": "cut at 1,000 keys"}, "cut at 1,000 keys"),
        (queue("a", length=60), {"unread": REFUSED}, REFUSED),
    ],
)
def test_a_query_over_what_was_not_wholly_seen_is_not_answered(row: Row, reading: dict[str, str], reason: str) -> None:
    judgement = judged(query_rule(SUMMED), row, queue("b", length=100), open_keys={("all",): True}, **reading)

    assert (judgement.unknown, judgement.findings) == (reason, ())


def test_a_gap_in_a_column_that_a_query_does_not_read_does_not_matter() -> None:
    assert verdicts(judged(query_rule(SUMMED), queue("a", {"oldest_s": REFUSED}, length=60))) == {"all": Verdict.BREACH}


def test_a_query_that_only_counts_a_table_that_was_not_read_is_not_answered() -> None:
    asked = query_rule("select 'all' as queue, 1 as value, count(*) = 0 as breach from queues")
    assert judged(asked, unread=REFUSED).unknown == REFUSED


def test_a_query_over_an_idle_column_is_idle() -> None:
    assert judged(query_rule(SUMMED), idle={"length": "length needs Redis"}).idle == "length needs Redis"


def test_a_query_over_an_idle_table_is_idle_though_it_only_counts() -> None:
    asked = query_rule("select 'all' as queue, 1 as value, count(*) = 0 as breach from groups")
    idle = {column.name: "needs Flower" for column in TABLES["groups"].columns}
    assert evaluator(groups=Reading(idle=idle)).judge(asked, (), {}).idle == "pattern: needs Flower"


@pytest.mark.parametrize(
    "asked", [rule(), rule("consumers < 1", clear="length < 10"), query_rule("select 'all' as queue, 1 as value from queues")]
)
def test_a_query_after_rules_that_read_little_sees_every_column(asked: Rule) -> None:
    made = evaluator()
    made.load({"queues": Reading((queue("a", length=60),))}, [asked])
    made.judge(asked, (), {})
    assert made.query("select name, length, consumers from queues", 1)[1] == [("a", 60.0, 1.0)]


def test_rules_that_read_different_columns_are_judged_as_if_all_were_loaded() -> None:
    rules = [
        rule(),
        rule("consumers < 1"),
        rule("oldest_s > 5", where="length > 1"),
        query_rule("select name as queue, consumers as value from queues"),
    ]
    reading = Reading((queue("a", length=60, oldest_s=9.0), queue("b", consumers=0.0)))
    made = evaluator()
    made.load({"queues": reading}, rules)
    assert [made.judge(one, (), {}) for one in rules] == [evaluator(queues=reading).judge(one, (), {}) for one in rules]


def test_sets_of_rules_that_are_judged_in_turns_read_the_columns_of_their_own() -> None:
    made, found = evaluator(), []
    for asked in [rule("length > 50"), rule("consumers < 1"), rule("length > 50"), rule("oldest_s > 5")]:
        made.load({"queues": Reading((queue("a", length=60, consumers=0.0, oldest_s=9.0),))}, [asked])
        found.append(verdicts(made.judge(asked, (), {})))

    assert found == [{"a": Verdict.BREACH}] * 4


@pytest.mark.parametrize("broken", ["name = '\ud800'", "no_such_function(length) > 1"])
def test_a_rule_that_cannot_be_prepared_fails_alone(broken: str) -> None:
    made, bad = evaluator(), rule(broken)
    made.load({"queues": Reading((queue("a", length=60),))}, [bad, rule()])
    assert made.judge(bad, (), {}).failed
    assert verdicts(made.judge(rule(), (), {})) == {"a": Verdict.BREACH}


def statements_run(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is run from now on."""
    ran: list[str] = []
    run = SqlTables.run

    def noted(self: SqlTables, sql: str, params: Mapping[str, object], max_rows: int) -> Any:
        ran.append(sql)
        return run(self, sql, params, max_rows)

    monkeypatch.setattr(SqlTables, "run", noted)
    return ran


@pytest.mark.parametrize("size", [2, 16, 17, 40])
def test_rules_that_are_asked_together_give_the_findings_that_each_gives_alone(size: int) -> None:
    rows = tuple(queue(f"q{n}", length=n) for n in range(60))
    asked = [rule("length > :most", name=f"R{n}", params={"most": 50.0 + n % 12}) for n in range(size)]
    asked += [rule("length > 5 OR consumers > 9", name="Two", where="name LIKE :most", params={"most": "q1%"})]
    together = evaluator()
    together.load({"queues": Reading(rows)}, asked)

    assert [together.judge(one, (), {}) for one in asked] == [judged(one, *rows) for one in asked]


def test_rules_that_hold_nowhere_are_asked_in_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [rule("length > :most", name=f"R{n}", params={"most": 100.0 + n}) for n in range(16)]
    together, ran = evaluator(), statements_run(monkeypatch)
    together.load({"queues": Reading((queue("a", length=60),))}, asked)

    assert [together.judge(one, (), {}).findings for one in asked] == [()] * 16
    assert len(ran) == 1


def test_rules_hold_again_when_rows_are_loaded_again() -> None:
    asked = [rule("length > :most", name=f"R{n}", params={"most": 50.0 + n}) for n in range(3)]
    together = evaluator()
    found = []
    for length in (10, 60, 10):
        together.load({"queues": Reading((queue("a", length=length),))}, asked)
        found.append(len(together.judge(asked[0], (), {}).findings))

    assert found == [0, 1, 0]


def test_a_rule_that_fails_among_others_fails_alone_and_is_not_asked_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = rule("name REGEXP '('", name="Broken")
    asked = [rule("length > 50", name="Fine"), broken]
    together, ran = evaluator(), statements_run(monkeypatch)
    for _ in range(2):
        together.load({"queues": Reading((queue("a", length=10),))}, asked)
        fine, failed = (together.judge(one, (), {}) for one in asked)

        assert (fine.failed, fine.findings) == (None, ())
        assert failed.failed is not None
    assert len(ran) == 5


def test_a_join_of_two_tables_is_judged_like_any_query() -> None:
    asked = query_rule("select q.name as queue, w.active as value, w.active > 3 as breach from queues q join workers w on w.name = q.name")
    made = evaluator(queues=Reading((queue("a"), queue("b"))), workers=Reading((worker("a", active=5), worker("b"))))

    assert verdicts(made.judge(asked, (), {})) == {"a": Verdict.BREACH}


def test_a_tuned_copy_of_a_query_judges_its_keys_alone() -> None:
    base, raised = (query_rule(BY_QUEUE, params={"limit": limit}) for limit in (50, 500))
    made = evaluator(queues=Reading((queue("a", length=60), queue("b", length=60))))

    judgement = made.judge(base, [(raised, lambda key: key["queue"] == "a")], {("a",): True})

    assert verdicts(judgement) == {"a": Verdict.CLEAR, "b": Verdict.BREACH}


# --- what fails ---


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (rule("json_extract(meta, '$.a') > 5"), "malformed JSON"),
        (rule("length(hex(printf('%0190000d', length))) > 5"), "too big"),
        (rule("name regexp name || '('"), "is no regular expression"),
        (rule("name regexp '" + "a?" * 40 + "b'"), "could take too long"),
        (rule("no_such_column > 5"), "no such column"),
        (rule("length > :nope"), "binding"),
        (rule("random() > 5"), "the function random is not allowed"),
        (query_rule("select 'a' as queue, 1 as value, 1 as breach from queues"), "the query gives queue = a more than once"),
        (query_rule("select null as queue, 1 as value, 1 as breach from queues limit 1"), 'key column "queue" is NULL'),
    ],
)
def test_a_rule_that_fails_says_so_and_stops_no_other(asked: Rule, said: str) -> None:
    made = evaluator(queues=Reading((queue("a", length=60, meta="{"), queue("b", length=60, meta="{"))))

    judgement = made.judge(asked, (), {("a",): True})

    assert said in (judgement.failed or "")
    assert judgement.findings == ()
    assert len(made.judge(rule(), (), {}).findings) == 2


def test_a_rule_that_takes_too_many_steps_is_stopped() -> None:
    rows = tuple(queue(f"q{n}") for n in range(50))
    asked = query_rule("select 'a' as queue, count(*) as value, 1 as breach from queues a, queues b, queues c, queues d")

    judgement = evaluator(max_steps=100_000, queues=Reading(rows)).judge(asked, (), {})

    assert judgement.failed == "it needs more than 100,000 steps and was stopped; make it simpler"


def test_a_rule_that_takes_too_long_is_stopped() -> None:
    ticks = iter(range(0, 1_000_000, 3))
    made = Evaluator(TABLES, stopwatch=lambda: float(next(ticks)))
    made.load({"queues": Reading(tuple(queue(f"q{n}") for n in range(50)))})
    asked = query_rule("select 'a' as queue, count(*) as value, 1 as breach from queues a, queues b, queues c")

    assert made.judge(asked, (), {}).failed == "it takes more than 5 seconds and was stopped; make it simpler"


def test_a_query_may_give_ten_thousand_rows_and_no_more() -> None:
    asked = query_rule("select a.name || '/' || b.name as queue, 1 as value, 0 as breach from queues a, queues b")

    assert evaluator(queues=Reading(tuple(queue(f"q{n}") for n in range(100)))).judge(asked, (), {}).failed is None
    judgement = evaluator(queues=Reading(tuple(queue(f"q{n}") for n in range(101)))).judge(asked, (), {})
    assert judgement.failed == "the query gives more than 10,000 rows; narrow it"


def test_a_pattern_that_could_search_for_ever_is_refused_for_long_texts() -> None:
    judgement = judged(rule("meta regexp 'x.*y.*z.*!'"), queue("a", meta="xyz" * 1000))

    assert "could take too long" in (judgement.failed or "")


def test_a_pattern_that_is_slow_over_all_rows_is_stopped() -> None:
    ticks = iter(range(1_000_000))
    made = Evaluator(TABLES, stopwatch=lambda: float(next(ticks)))
    made.load({"queues": Reading(tuple(queue(f"q{n}") for n in range(50)))})

    assert "too slow over all rows" in (made.judge(rule("name regexp 'x'"), (), {}).failed or "")


def test_how_long_a_rule_took_is_the_stopwatchs_word() -> None:
    ticks = iter([10.0, 10.25])
    made = Evaluator(TABLES, stopwatch=lambda: next(ticks))

    assert made.judge(rule(), (), {}).took_ms == 250.0


# --- query by hand ---


def test_a_select_by_hand_gives_columns_and_at_most_so_many_rows() -> None:
    made = evaluator(queues=Reading(tuple(queue(name, length=5) for name in "abc")))

    assert made.query("select name, length / 2 as half from queues order by 1 desc", 2) == (("name", "half"), [("c", 2.5), ("b", 2.5)])
    assert made.query("select * from groups", 5) == (("pattern", "online", "left"), [])


@pytest.mark.parametrize(
    "sql",
    [
        "delete from queues",
        "select * from sqlite_master",
        "select 1; drop table queues",
        "select load_extension('x') as a",
        "select randomblob(1000000000) as a",
        "attach 'x' as y",
        "select rowid from queues",
        "select json_extract('{', '$.a') as a",
    ],
)
def test_nothing_but_a_pure_select_on_the_tables_is_run(sql: str) -> None:
    made = evaluator(queues=Reading((queue("a", length=60),)))

    with pytest.raises(ConditionError):
        made.query(sql, 10)
    assert verdicts(made.judge(rule(), (), {})) == {"a": Verdict.BREACH}


def hundred() -> tuple[Row, ...]:
    return tuple(queue(f"q{number}", length=float(number)) for number in range(100))


def test_a_rule_that_needs_too_much_memory_is_stopped_and_the_next_one_is_asked() -> None:
    made = evaluator(queues=Reading(hundred()))
    hungry = query_rule(
        "SELECT a.name AS name, 1 AS breach FROM queues a, queues b ORDER BY printf('%0190000d', a.length * 1000 + b.length)"
    )

    assert made.judge(hungry, (), {}).failed == "it needs more than 256 MB of memory and was stopped; make it simpler"
    assert verdicts(made.judge(rule("length > 98"), (), {})) == {"q99": Verdict.BREACH}


def test_an_answer_of_long_texts_is_stopped_before_it_fills_the_memory() -> None:
    made = evaluator(queues=Reading(hundred()))
    long = query_rule("SELECT printf('%0190000d', length) AS name, 1 AS breach FROM queues")

    assert made.judge(long, (), {}).failed == "its answer holds more than 10 million characters; narrow it"


def test_a_text_that_grows_without_bounds_is_stopped_and_says_by_what() -> None:
    made = evaluator(queues=Reading(hundred()))
    bomb = rule("replace(printf('%.190000c', name), 'q', 'qq') = 'x'")

    assert made.judge(bomb, (), {}).failed == "replace: the text would grow beyond 200,000 characters"


def test_a_name_of_a_megabyte_is_judged_like_any_other() -> None:
    assert [finding.key for finding in judged(rule(), queue("m" * 1_000_000, length=60.0)).findings] == [("m" * 1_000_000,)]
