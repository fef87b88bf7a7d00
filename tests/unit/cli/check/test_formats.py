"""`check --format junit`, `github` and `nagios`: what each says of a look. Their escaping is in tests/property."""

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from watchdog.cli.check.faults import faults_document, github_faults, job_summary_of_faults, junit_faults
from watchdog.cli.check.github import annotations, as_markdown, job_summary
from watchdog.cli.check.junit import junit_text
from watchdog.cli.check.nagios import STATES, nagios_code, nagios_refusal, nagios_text
from watchdog.core.judging.check_result import CheckResult, Firing, Idle, TargetChecked, Unknown
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity

REFUSED = "redis: connection refused"
EXPECT = "cluster: workers_online >= 3"
FALSE = Answer(EXPECT, "prod", ok=False, reason="workers_online=2", rows=({"workers_online": 2.0},))
UNANSWERED = Answer(EXPECT, "prod", None, REFUSED)


def fires(rule: str, severity: Severity = Severity.WARNING, *, blind: bool = False) -> Firing:
    key: dict[str, str] = {"name": "indexing"}
    values: dict[str, Cell] = {"length": 60.0}
    return Firing(rule, "prod", severity, key, {}, values, f"{rule} says so", rule, runbook="1. Look.\n2. Mend.", blind=blind)


def a_look(*firing: Firing, fail_on: Severity = Severity.WARNING, several: bool = False, **parts: object) -> CheckResult:
    rules = ("Fires", "Mild", "Blind", "Idle", "Fine")
    measured = {"workers_online": 2.0, "backlog": 60.5, "unacked": None}
    prod = TargetChecked(firing=firing, target="prod", rules=rules, measured=measured, **parts)  # type: ignore[arg-type]
    lab = (TargetChecked(target="lab b|c", measured={"workers_online": 1.0}),) if several else ()
    return CheckResult(1_763_802_900.0, 5, (prod, *lab), fail_on, (Idle("RuleFailed", "watchdog", "watches itself"),))


ALL = a_look(
    fires("Fires"),
    fires("Mild", Severity.INFO),
    unknown=(Unknown("Blind", "prod", {"name": "a"}, REFUSED), Unknown("Fires", "prod", {}, REFUSED)),
    idle=(Idle("Idle", "prod", "needs a second poll"),),
    expected=(FALSE, UNANSWERED, Answer("x: y", "prod", ok=True)),
)


# --- junit ---


def cases(result: CheckResult) -> dict[str, TestCase]:
    return {str(case.name): case for suite in JUnitXml.fromstring(junit_text(result)) for case in suite}


def outcome(case: TestCase) -> tuple[type | None, str]:
    results = list(case.result)
    assert len(results) <= 1
    return (type(results[0]), str(results[0].message)) if results else (None, "")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("Fires", Failure, "Fires says so"),
        ("Mild", None, ""),
        ("Blind", Error, f"name=a: {REFUSED}"),
        ("Idle", Skipped, "needs a second poll"),
        ("Fine", None, ""),
        ("RuleFailed", Skipped, "watches itself"),
        ("x: y", None, ""),
    ],
)
def test_each_rule_and_expectation_is_a_case(name: str, kind: type | None, message: str) -> None:
    assert outcome(cases(ALL)[name]) == (kind, message)


def test_an_expectation_fails_or_is_an_error() -> None:
    assert outcome(cases(a_look(expected=(FALSE,)))[EXPECT]) == (Failure, "workers_online=2")
    assert outcome(cases(a_look(expected=(UNANSWERED,)))[EXPECT]) == (Error, REFUSED)


def test_a_rule_that_says_nobody_could_look_is_an_error() -> None:
    assert outcome(cases(a_look(fires("Fires", blind=True)))["Fires"])[0] is Error


def test_what_fires_below_fail_on_passes_and_is_told() -> None:
    case = cases(a_look(fires("Fires"), fail_on=Severity.CRITICAL))["Fires"]
    assert outcome(case)[0] is None
    assert "Fires says so" in str(case.system_out)


def test_the_counts_are_true() -> None:
    report = JUnitXml.fromstring(junit_text(ALL))
    assert (report.tests, report.failures, report.errors, report.skipped) == (9, 2, 2, 2)
    written = report.tests, report.failures, report.errors, report.skipped
    report.update_statistics()  # type: ignore[no-untyped-call]
    assert (report.tests, report.failures, report.errors, report.skipped) == written


def test_a_failure_tells_key_values_and_what_to_do() -> None:
    (failure,) = cases(ALL)["Fires"].result
    assert str(failure.text) == "warning (name=indexing): Fires says so\nlength=60\n1. Look."


# --- github ---


def test_what_fails_the_job_is_an_error_what_is_mild_a_notice_or_a_warning() -> None:
    look = a_look(fires("Worst", Severity.CRITICAL), fires("Odd", Severity.ERROR), fires("Mild", Severity.INFO), fail_on=Severity.CRITICAL)
    assert [line.split(" in ")[0] for line in annotations(look).splitlines()[:3]] == [
        "::error title=Worst",
        "::warning title=Odd",
        "::notice title=Mild",
    ]


def test_an_annotation_tells_what_and_what_to_do_first() -> None:
    assert annotations(a_look(fires("Fires"))).splitlines()[0] == "::error title=Fires in prod::Fires says so%0A1. Look."


def test_expectations_and_reasons_are_annotated_too() -> None:
    said = annotations(a_look(expected=(FALSE, UNANSWERED), unknown=(Unknown("A", "prod", {}, REFUSED), Unknown("B", "prod", {}, REFUSED))))
    assert said.splitlines() == [
        "::error title=Expectation in prod::cluster: workers_online >= 3 is false: workers_online=2",
        "::error title=Expectation in prod::cluster: workers_online >= 3 could not be answered: redis: connection refused",
        "::error title=Could not be known in prod::redis: connection refused%0Ablinds A, B",
        "NOT AS EXPECTED: 1, 2 unknown, 1 expectation not answered, 5 rules, 1 target",
    ]


def test_more_than_github_shows_are_counted() -> None:
    lines = annotations(a_look(*(fires(f"R{n}") for n in range(14)))).splitlines()
    assert (len(lines), lines[9]) == (11, "::error title=watchdog::5 more; the job summary has them all")


def test_the_job_summary_begins_with_the_verdict_and_has_a_row_for_each() -> None:
    lines = job_summary(ALL, "no configuration file").splitlines()
    assert lines[0].startswith("## watchdog: FIRING\\: 1")
    assert "| warning | Fires | prod | name\\=indexing | Fires says so |" in lines
    assert "| false | cluster\\: workers\\_online \\>\\= 3 | prod | workers\\_online\\=2 |" in lines
    assert "| prod | Blind | name\\=a | redis\\: connection refused |" in lines


def test_markdown_is_disarmed() -> None:
    assert as_markdown("<b>|`x`\n@all") == "\\<b\\>\\|\\`x\\` \\@all"


# --- nagios ---


@pytest.mark.parametrize(
    ("look", "state"),
    [
        (a_look(), "OK"),
        (a_look(fires("Mild", Severity.INFO)), "OK"),
        (a_look(fires("Fires")), "WARNING"),
        (a_look(fires("Fires", Severity.ERROR)), "CRITICAL"),
        (a_look(fires("Fires", Severity.CRITICAL)), "CRITICAL"),
        (a_look(fires("Fires"), fires("Worst", Severity.CRITICAL)), "CRITICAL"),
        (a_look(fires("Fires"), fail_on=Severity.CRITICAL), "OK"),
        (a_look(fires("Mild", Severity.INFO), fail_on=Severity.INFO), "WARNING"),
        (a_look(expected=(FALSE,)), "CRITICAL"),
        (a_look(expected=(UNANSWERED,)), "UNKNOWN"),
        (a_look(unknown=(Unknown("A", "prod", {}, REFUSED),)), "UNKNOWN"),
        (a_look(fires("Blind", Severity.CRITICAL, blind=True)), "UNKNOWN"),
        (a_look(fires("Fires"), unknown=(Unknown("A", "prod", {}, REFUSED),)), "WARNING"),
    ],
)
def test_the_state_follows_from_the_look(look: CheckResult, state: str) -> None:
    assert STATES[nagios_code(look)] == state
    assert nagios_text(look).startswith(f"WATCHDOG {state} - ")


def test_a_quiet_look_is_one_line() -> None:
    perfdata = "workers_online=2;;;0 backlog=60.5;;;0 unacked=U;;;0 rules_firing=0;;;0"
    assert nagios_text(a_look()) == f"WATCHDOG OK - nothing fires, 5 rules, 1 target|{perfdata}\n"


def test_what_is_wrong_stands_in_the_first_line_and_below() -> None:
    lines = nagios_text(a_look(fires("Fires", Severity.CRITICAL))).splitlines()
    said = "critical Fires in prod (name=indexing): Fires says so"
    assert lines[0].startswith(f"WATCHDOG CRITICAL - {said}|")
    assert lines[1:] == ["FIRING: 1 (1 critical), 5 rules, 1 target", said, "Fires: 1. Look."]


def test_of_several_targets_each_measures_under_its_name() -> None:
    first = nagios_text(a_look(several=True)).splitlines()[0]
    assert first.partition("|")[2].split()[-2:] == ["lab_b_c/workers_online=1;;;0", "lab_b_c/rules_firing=0;;;0"]


def test_a_refusal_is_unknown_with_its_sentences() -> None:
    assert nagios_refusal("mine.toml:4: a | b\nmore") == "WATCHDOG UNKNOWN - mine.toml:4: a / b\nmore\n"


FAULTS = ("conf.d/a.toml:4: interval: unknown key: a, b", "watchdog.toml: nothing to watch", '--expect "x: y": no table "x"')


def test_faults_as_json_are_a_document_with_the_exit_code() -> None:
    assert faults_document(FAULTS) == {"version": 1, "exit_code": 2, "faults": list(FAULTS)}


def test_faults_as_junit_are_a_case_each_that_is_an_error() -> None:
    report = JUnitXml.fromstring(junit_faults(FAULTS))
    (suite,) = report
    assert (report.tests, report.errors, report.failures, suite.name) == (3, 3, 0, "configuration")
    assert [[(type(one).__name__, one.message) for one in case.result] for case in suite] == [[("Error", fault)] for fault in FAULTS]


def test_faults_for_github_are_annotations_at_their_file_and_line() -> None:
    assert github_faults(FAULTS).splitlines() == [
        "::error title=watchdog is not configured,file=conf.d/a.toml,line=4::interval: unknown key: a, b",
        "::error title=watchdog is not configured,file=watchdog.toml::nothing to watch",
        '::error title=watchdog is not configured::--expect "x: y": no table "x"',
        "NOT CONFIGURED: 3 faults, nothing was looked at",
    ]


def test_more_faults_than_github_shows_are_counted_and_all_in_the_summary() -> None:
    faults = [f"fault {number}" for number in range(12)]
    annotated = github_faults(faults).splitlines()
    assert (len(annotated), annotated[-2]) == (11, "::error title=watchdog::3 more faults; the job summary has them all")
    assert job_summary_of_faults(faults).count("\n- ") == 12


def test_a_fault_that_holds_commands_is_one_annotation_and_begins_none() -> None:
    first, verdict = github_faults(["::notice::x\n::notice::y\n##[group]z"]).splitlines()
    assert (first.startswith("::error title=watchdog is not configured::"), verdict.startswith("NOT CONFIGURED")) == (True, True)
    assert "##[" not in first
