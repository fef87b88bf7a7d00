import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_finding, a_rule
from watchdog.core.judging.check_result import CheckResult, Idle, check_target
from watchdog.core.judging.expectations import Answer
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.rows import Reading, Row
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

RULE = a_rule()
TRIED = a_rule(trial=True)
BLIND = a_rule("BrokerUnreachable", table="sources", reads={"sources": frozenset({"name", "up"})})


def checking(*judgements: Judgement, fail_on: Severity = Severity.WARNING, readings: dict[str, Reading] | None = None) -> CheckResult:
    return CheckResult(NOW, len(judgements), (check_target("prod", judgements, readings or {}),), fail_on)


def judged(verdict: Verdict, rule: Rule = RULE, severity: Severity = Severity.WARNING) -> Judgement:
    return Judgement(rule, (a_finding(verdict, rule, severity=severity, reason="redis: NOPERM"),))


@pytest.mark.parametrize(
    ("judgements", "code"),
    [
        ([], 0),
        ([judged(Verdict.CLEAR)], 0),
        ([judged(Verdict.NOT_COVERED)], 0),
        ([Judgement(RULE, idle="needs a second poll")], 0),
        ([judged(Verdict.BREACH)], 1),
        ([judged(Verdict.BREACH, severity=Severity.INFO)], 0),
        ([judged(Verdict.BREACH, severity=Severity.CRITICAL)], 1),
        ([judged(Verdict.UNKNOWN)], 3),
        ([Judgement(RULE, unknown="redis: connection refused")], 3),
        ([Judgement(RULE, failed="no such thing")], 3),
        ([judged(Verdict.BREACH, BLIND)], 3),
        ([judged(Verdict.BREACH, BLIND, Severity.INFO)], 3),
        ([judged(Verdict.BREACH, BLIND), judged(Verdict.BREACH)], 1),
        ([judged(Verdict.UNKNOWN), judged(Verdict.BREACH)], 1),
        ([judged(Verdict.UNKNOWN), judged(Verdict.BREACH, severity=Severity.INFO)], 3),
        ([judged(Verdict.BREACH, TRIED)], 0),
        ([judged(Verdict.UNKNOWN, TRIED)], 0),
        ([Judgement(TRIED, unknown="redis: connection refused")], 0),
        ([Judgement(TRIED, failed="no such thing")], 0),
        ([judged(Verdict.BREACH, replace(BLIND, trial=True))], 0),
        ([judged(Verdict.BREACH, TRIED), judged(Verdict.UNKNOWN)], 3),
    ],
)
def test_the_exit_code_follows_from_the_judgements(judgements: list[Judgement], code: int) -> None:
    assert checking(*judgements).exit_code == code


@pytest.mark.parametrize(
    ("verdict", "oks", "code"),
    [
        (Verdict.CLEAR, (True, True), 0),
        (Verdict.CLEAR, (True, False), 1),
        (Verdict.CLEAR, (True, None), 3),
        (Verdict.CLEAR, (None, False), 1),
        (Verdict.BREACH, (True, None), 1),
        (Verdict.UNKNOWN, (True, False), 1),
    ],
)
def test_expectations_count_beside_the_rules(verdict: Verdict, oks: tuple[bool | None, ...], code: int) -> None:
    answers = [Answer("cluster: workers_online >= 3", "prod", ok) for ok in oks]
    result = CheckResult(NOW, 1, (check_target("prod", [judged(verdict)], {}, answers),))
    assert result.exit_code == code


def test_what_an_answer_measures_comes_from_the_cluster() -> None:
    rows = (Row({"workers_online": 3.0, "backlog": None, "capacity": 4.0}, {"backlog": "redis: refused"}),)
    assert check_target("prod", [], {"cluster": Reading(rows)}).measured == {"workers_online": 3.0, "backlog": None}


def test_commands_name_the_app_of_the_target() -> None:
    rule = a_rule(runbook="celery -A {{ app }} purge")
    breach = Judgement(rule, findings=(a_finding(rule=rule, length=60.0),))
    assert [f.runbook for f in check_target("prod", [breach], {}, app="shop.celery").firing] == ["celery -A shop.celery purge"]


@pytest.mark.parametrize(("fail_on", "code"), [(Severity.INFO, 1), (Severity.WARNING, 1), (Severity.ERROR, 0), (Severity.CRITICAL, 0)])
def test_fail_on_says_from_which_severity_a_breach_counts(fail_on: Severity, code: int) -> None:
    assert checking(judged(Verdict.BREACH), fail_on=fail_on).exit_code == code


def test_what_fires_names_key_values_and_words() -> None:
    firing = checking(judged(Verdict.BREACH)).firing[0]
    assert (firing.rule, firing.key, firing.values, firing.summary) == (
        "QueueBacklogHigh",
        {"name": "indexing"},
        {"length": 60.0},
        "indexing holds 60 messages",
    )


def test_the_worst_fires_first() -> None:
    mild, bad = judged(Verdict.BREACH), judged(Verdict.BREACH, a_rule("Worse"), Severity.CRITICAL)
    assert [f.rule for f in checking(mild, bad).firing] == ["Worse", "QueueBacklogHigh"]


def test_an_unknown_verdict_names_its_key_and_reason() -> None:
    unknown = checking(judged(Verdict.UNKNOWN)).unknown[0]
    assert (unknown.key, unknown.reason) == ({"name": "indexing"}, "redis: NOPERM")


def test_a_table_that_could_not_be_read_has_no_key() -> None:
    unknown = checking(Judgement(RULE, unknown="redis: connection refused")).unknown[0]
    assert (unknown.key, unknown.reason) == ({}, "redis: connection refused")


def test_a_rule_that_failed_says_so() -> None:
    assert checking(Judgement(RULE, failed="stopped")).unknown[0].reason == "the rule failed: stopped"


def test_idle_rules_are_listed_with_their_reason() -> None:
    result = checking(Judgement(RULE, idle="needs a second poll"))
    assert result.idle == (Idle("QueueBacklogHigh", "prod", "needs a second poll"),)


def test_sources_are_shown_as_they_were_found() -> None:
    rows = (
        Row({"name": "flower", "up": True, "error": "", "latency_ms": 12.0}),
        Row({"name": "redis", "up": False, "error": "redis: connection refused", "latency_ms": None}),
    )
    sources = checking(readings={"sources": Reading(rows)}).sources
    assert [(s.source, s.up, s.error, s.latency_ms) for s in sources] == [
        ("flower", True, None, 12.0),
        ("redis", False, "redis: connection refused", None),
    ]


def test_a_breach_is_the_same_incident_as_in_the_daemon() -> None:
    assert len(checking(judged(Verdict.BREACH)).firing[0].fingerprint) == 16


def test_nothing_of_a_target_on_trial_decides() -> None:
    checked = check_target("prod", [judged(Verdict.BREACH), judged(Verdict.UNKNOWN)], {}, trial=True)
    assert CheckResult(NOW, 2, (checked,)).exit_code == 0
    assert ([one.trial for one in checked.firing], [one.trial for one in checked.unknown]) == ([True], [True])
