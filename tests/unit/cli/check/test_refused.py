"""`watchdog check` that cannot look: exit code 2 in every format, and the faults in the format's own form. Nothing is asked here."""

import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.unit.conftest import Run
from watchdog.net.descriptor_limits import NotAskedError
from watchdog.sources.base import Answers
from watchdog.sources.flower.source import FlowerSource

EMPTY = "$WATCHDOG_REDIS: set, but empty: is it a secret that was not passed on? Give it a value, or unset it"


def test_people_read_on_standard_error_why_an_empty_address_is_no_address(run: Run) -> None:
    assert run("check", "--once", "--flower", "http://localhost:1", WATCHDOG_REDIS="") == (2, "", EMPTY + "\n")


def test_json_says_so_in_a_document(run: Run) -> None:
    code, out, err = run("check", "--once", "--format", "json", WATCHDOG_REDIS="")
    assert (code, json.loads(out)["faults"], err) == (2, [EMPTY], EMPTY + "\n")


def test_junit_says_so_in_a_case(run: Run) -> None:
    code, out, err = run("check", "--format", "junit", WATCHDOG_REDIS="")
    assert (code, JUnitXml.fromstring(out).errors, err) == (2, 1, EMPTY + "\n")


def test_github_is_told_in_an_annotation_and_in_the_summary(run: Run, tmp_path: Path) -> None:
    code, out, err = run("check", "--format", "github", WATCHDOG_REDIS="", GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert (code, out.splitlines()[0], err) == (2, f"::error title=watchdog is not configured::{EMPTY}", "")
    assert "NOT CONFIGURED" in (tmp_path / "summary.md").read_text()


def test_nagios_is_told_unknown(run: Run) -> None:
    assert run("check", "--format", "nagios", WATCHDOG_REDIS="") == (3, f"WATCHDOG UNKNOWN - {EMPTY}\n", "")


@pytest.mark.parametrize(
    "args", [("--format", "json", "--bogus"), ("--format=json", "--fail-on", "x"), ("--wait", "x", "--format", "json")]
)
def test_wrong_usage_is_told_in_the_format_as_well(run: Run, args: tuple[str, ...]) -> None:
    code, out, err = run("check", *args)
    (fault,) = json.loads(out)["faults"]
    assert (code, fault.splitlines()[0] in err) == (2, True)


def test_an_unknown_format_is_told_to_people(run: Run) -> None:
    code, out, err = run("check", "--format", "json", "--format", "xml")
    assert (code, out, "'xml' is not one of" in err) == (2, "", True)


@pytest.mark.parametrize("option", ["--flower", "--redis", "--interval"])
def test_an_option_that_is_given_and_empty_is_no_option_left_out(run: Run, option: str) -> None:
    code, _, err = run("check", "--once", "--flower", "http://localhost:1", option, "")
    assert (code, err.startswith(f"{option}: given, but empty")) == (2, True)


def test_everything_that_is_wrong_is_told_in_one_go(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[rule]]\nname = "Mine"\nfrom = "queues"\nwhen = "lenght > 5"\n')
    (tmp_path / "watchdog.toml").write_text(
        'rules = ["mine.toml"]\nintervall = "3s"\n[[target]]\nname = "a"\nflower = "${FLOWER_ADDRESS}"\n'
        '[[override]]\nrule = "QueueBacklogHigh"\nparams = {limt = 5}\n'
    )
    code, _, err = run("check", "--once", "--expect", "cluster: x > 1", WATCHDOG_INTERVALL="3s")
    assert code == 2
    said = ("$WATCHDOG_INTERVALL", "${FLOWER_ADDRESS}", "intervall: unknown key", "lenght", "limt", "--expect")
    assert [(word, word in err) for word in said] == [(word, True) for word in said]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotAskedError("this process may open no more files"), "this process may open no more files"),
        (RuntimeError("hunter2"), "watchdog tripped over itself: unexpected RuntimeError"),
    ],
)
@pytest.mark.parametrize("style", ["text", "json", "junit", "github", "nagios"])
def test_what_keeps_it_from_asking_is_3_and_told_in_the_format(
    run: Run, monkeypatch: pytest.MonkeyPatch, style: str, error: Exception, said: str
) -> None:
    def fail(*_: object) -> Answers:
        raise error

    monkeypatch.setattr(FlowerSource, "ask", fail)
    code, out, err = run("check", "--once", "--flower", "http://localhost:1", "--format", style)
    assert (code, said in (err if style == "text" else out)) == (3, True)
    assert "hunter2" not in out + err


def test_json_has_the_same_exit_code_in_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Answers:
        raise NotAskedError("no memory")

    monkeypatch.setattr(FlowerSource, "ask", fail)
    _, out, _ = run("check", "--once", "--flower", "http://localhost:1", "--format", "json")
    assert json.loads(out) == {"version": 1, "exit_code": 3, "faults": ["no memory"]}


@pytest.mark.parametrize(("before", "behind"), [("shipped_rules = false\n", ""), ("", '[[override]]\nrule = "*"\nenabled = false\n')])
def test_a_configuration_that_leaves_nothing_to_judge_is_not_fine(run: Run, tmp_path: Path, before: str, behind: str) -> None:
    (tmp_path / "watchdog.toml").write_text(f'{before}[[target]]\nname = "a"\nflower = "http://localhost:1"\n{behind}')
    code, out, err = run("check", "--once")
    assert (code, out, err.startswith("the configuration leaves no rule to judge here")) == (2, "", True)


@pytest.mark.parametrize("option", ["--flower", "--redis", "--name"])
def test_init_takes_an_empty_option_for_a_mistake(run: Run, tmp_path: Path, option: str) -> None:
    code, _, err = run("init", "--yes", option, "")
    assert (code, err.startswith(f"{option}: "), (tmp_path / "watchdog.toml").exists()) == (2, True, False)


def test_init_takes_an_empty_variable_for_a_mistake(run: Run, tmp_path: Path) -> None:
    code, _, err = run("init", "--yes", WATCHDOG_REDIS="")
    assert (code, err, (tmp_path / "watchdog.toml").exists()) == (2, EMPTY + "\n", False)


def test_what_is_wrong_with_the_flags_is_told_in_one_go(run: Run, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('[[target]]\nname = "a"\nflower = "http://localhost:1"\n')
    _, _, err = run("check", "--once", "--target", "b", "--set", "Nothing.limit=5", "--only", "Nowhere", "--expect", "nothing: x > 1")
    assert [word in err for word in ('no target "b"', "Nothing", "Nowhere", "nothing: x > 1")] == [True] * 4


def test_a_configuration_without_any_rule_is_warned_of(run: Run, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('shipped_rules = false\n[[target]]\nname = "a"\nflower = "http://localhost:1"\n')
    code, _, err = run("config", "check")
    assert (code, err.startswith("warning: no rules: ")) == (0, True)


@pytest.mark.parametrize("command", [("query", "SELECT 1"), ("incidents",), ("outbox",), ("config", "show"), ("config", "show", "--live")])
def test_every_command_that_answers_in_json_says_so_in_json(run: Run, command: tuple[str, ...]) -> None:
    code, out, err = run(*command, "--format", "json", WATCHDOG_REDIS="")
    assert (code, json.loads(out), err) == (2, {"version": 1, "exit_code": 2, "faults": [EMPTY]}, EMPTY + "\n")
