from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule
from watchdog.core.judging.blindness import Blindness, blindness_after
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Look, Row
from watchdog.tables.blind import read

RULE = a_rule()
WHY = "flower: the worker has not answered for 12s"


def unknown(reason: str = WHY, key: str = "indexing") -> Judgement:
    return Judgement(RULE, (replace(a_finding(Verdict.UNKNOWN, RULE, key=(key,)), reason=reason),))


def after(*cycles: list[Judgement]) -> Blindness:
    known = Blindness()
    for nth, judgements in enumerate(cycles):
        known = blindness_after(known, judgements, NOW + 10 * nth)
    return known


def rows(known: Blindness) -> list[Row]:
    return list(read(Look(a_target(), known, Replies({}, {}), NOW + 100, 300.0)).rows)


def test_what_could_be_judged_and_cannot_any_more_is_blindness() -> None:
    (cause,) = after([Judgement(RULE)], [unknown()], [unknown()]).causes.values()
    assert (cause.rules, cause.hidden, cause.since) == (("QueueBacklogHigh",), 1, NOW + 10)


def test_what_had_no_verdict_from_the_first_look_on_is_none() -> None:
    assert after([unknown()], [unknown()]).causes == {}


def test_what_is_known_again_is_over() -> None:
    assert after([Judgement(RULE)], [unknown()], [Judgement(RULE)]).causes == {}


def test_reasons_that_differ_in_numbers_are_one_cause() -> None:
    known = after([Judgement(RULE)], [unknown("silent for 1s", "a"), unknown("silent for 20s", "b")], [unknown("silent for 11s", "a")])
    assert [cause.since for cause in known.causes.values()] == [NOW + 10]


def test_reasons_that_differ_in_the_worker_they_begin_with_are_one_cause() -> None:
    silent = "all workers fell silent together"
    (cause,) = after([Judgement(RULE)], [unknown(f"celery@w{n}: {silent}", f"q{n}") for n in range(50)]).causes.values()
    assert (cause.reason, cause.hidden) == (silent, 50)


def test_what_is_blind_of_several_reasons_by_now_is_told_with_the_first() -> None:
    lost = [unknown("flower: lists none", "a"), unknown("flower: lists none", "b")]
    (cause,) = after([Judgement(RULE)], lost, [unknown("flower: lists none", "a"), unknown("all fell silent", "b")]).causes.values()
    assert (cause.reason, cause.hidden) == ("flower: lists none", 2)


def test_what_is_blind_of_another_reason_by_now_is_no_new_cause() -> None:
    looks = [[unknown("all workers fell silent together")], [unknown("flower: no answer")], [unknown("none can be asked")]]
    known = after([Judgement(RULE)], *looks)
    assert {name: (cause.reason, cause.since) for name, cause in known.causes.items()} == {
        "all workers fell silent together": ("none can be asked", NOW + 10)
    }


def test_a_table_that_was_not_read_hides_all_its_rows() -> None:
    (cause,) = after([Judgement(RULE)], [Judgement(RULE, unknown=WHY)]).causes.values()
    assert cause.reason == WHY


def test_rules_on_blindness_itself_are_no_cause() -> None:
    rule = a_rule(table="blind")
    assert after([Judgement(rule)], [Judgement(rule, unknown=WHY)]).causes == {}


def test_its_row_says_what_is_hidden_and_why() -> None:
    (row,) = rows(after([Judgement(RULE)], [unknown()]))
    assert [row.cells[c] for c in ("reason", "rules", "hidden", "blind_s")] == [WHY, "QueueBacklogHigh", 1.0, 90.0]


def test_a_source_that_is_down_is_told_of_by_its_own_rule() -> None:
    known = blindness_after(Blindness(), [Judgement(RULE)], NOW)
    assert [len(blindness_after(known, [unknown()], NOW + 10, [down]).causes) for down in ("flower", "redis")] == [0, 1]
