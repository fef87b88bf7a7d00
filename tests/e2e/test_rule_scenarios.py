"""`watchdog rules test` as a user runs it: which scenarios, on which rules, in which format, with which exit code."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml

from tests.processes.command_line import watchdog

RULE = '[[rule]]\nname = "CartsLeft"\nfrom = "queues"\nwhen = "length > 5"\nsummary = "{{ name }} holds {{ length }}"\n'
SCENARIO = """[[scenario]]
name = "Six carts"
[[scenario.rows]]
queues = [{ name = "carts", length = 6 }]
[[scenario.expect]]
at   = "0s"
rule = "CartsLeft"
"""
QUIET = '\n[[scenario]]\nname = "Five carts"\nquiet = ["CartsLeft"]\n[[scenario.rows]]\nqueues = [{ name = "carts", length = 5 }]\n'
WRONG = SCENARIO.replace("0s", "1m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alerts" / "scenarios").mkdir(parents=True)
    (tmp_path / "alerts" / "shop.toml").write_text(RULE)
    (tmp_path / "alerts" / "scenarios" / "shop.toml").write_text(SCENARIO)
    return tmp_path


def ran(*args: str | Path, cwd: Path) -> CompletedProcess[str]:
    return watchdog("rules", "test", *args, cwd=cwd)


def wrong(folder: Path) -> Path:
    (folder / "alerts" / "scenarios" / "shop.toml").write_text(WRONG)
    return folder


def test_without_files_and_configuration_the_shipped_rules_are_tested(tmp_path: Path) -> None:
    done = ran("--complete", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("the rules that come with watchdog\n")


@pytest.mark.parametrize(
    "named", ["alerts/scenarios/shop.toml", "alerts", "alerts/scenarios", ".", "alerts/*/*.toml", "**/scenarios/*.toml"]
)
def test_files_folders_and_globs_are_tested_on_the_rules_beside_them(folder: Path, named: str) -> None:
    done = ran(named, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "OK: 1 scenario as expected" in done.stdout


def test_from_the_folder_of_the_scenarios_the_rules_above_are_found(folder: Path) -> None:
    assert ran("shop.toml", cwd=folder / "alerts" / "scenarios").returncode == 0


def test_rules_elsewhere_are_named(folder: Path) -> None:
    (folder / "alerts" / "shop.toml").rename(folder / "shop.rules.toml")
    assert ran("alerts", cwd=folder).returncode == 2
    assert ran("alerts", "--rules", "shop.rules.toml", cwd=folder).returncode == 0


def test_the_scenarios_beside_the_configured_rules_are_tested_with_its_overrides(folder: Path) -> None:
    (folder / "watchdog.toml").write_text('rules = ["alerts/*.toml"]\n')
    assert ran(cwd=folder).returncode == 0
    (folder / "watchdog.toml").write_text('rules = ["alerts/*.toml"]\n[[override]]\nrule = "CartsLeft"\nfor = "1m"\n')
    done = ran(cwd=folder)
    assert done.returncode == 1
    assert f"{folder}/alerts/scenarios/shop.toml:5: at 0s: " in done.stdout


def test_named_files_are_tested_with_the_configuration_that_is_named(folder: Path) -> None:
    (folder / "watchdog.toml").write_text('rules = ["alerts/*.toml"]\n[[override]]\nrule = "CartsLeft"\nfor = "1m"\n')
    assert ran("alerts", cwd=folder).returncode == 0
    assert ran("alerts", "--config", "watchdog.toml", cwd=folder).returncode == 1


def test_configured_rules_without_scenarios_are_told_where_they_belong(folder: Path) -> None:
    (folder / "alerts" / "scenarios" / "shop.toml").unlink()
    (folder / "watchdog.toml").write_text('rules = ["alerts/*.toml"]\n')
    done = ran(cwd=folder)
    assert done.returncode == 2
    assert f"expected *.toml with [[scenario]] in {folder}/alerts/scenarios" in done.stderr


def test_a_wrong_expectation_is_said_with_its_line_and_exits_with_1(folder: Path) -> None:
    done = ran("alerts", cwd=wrong(folder))
    assert done.returncode == 1
    assert 'alerts/scenarios/shop.toml:5: at 0s: expected the message "first" of CartsLeft at 1m, found it at 0s' in done.stdout
    assert "WRONG: 1 of 1 scenario" in done.stdout


def test_a_rule_without_scenarios_is_wrong_only_where_all_need_them(folder: Path) -> None:
    assert ran("alerts", cwd=folder).returncode == 0
    done = ran("alerts", "--complete", cwd=folder)
    assert done.returncode == 1
    assert 'alerts/shop.toml:1: CartsLeft has no scenario that keeps it quiet (quiet = ["CartsLeft"])' in done.stdout
    (folder / "alerts" / "scenarios" / "shop.toml").write_text(SCENARIO + QUIET)
    assert ran("alerts", "--complete", cwd=folder).returncode == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "alerts/scenarios/shop.toml",
            SCENARIO.replace("CartsLeft", "CartLeft"),
            'shop.toml:7: scenario "Six carts": expect[1].rule: no rule',
        ),
        ("alerts/scenarios/shop.toml", "[[scenario]", "shop.toml:1: not TOML"),
        ("alerts/shop.toml", RULE.replace("length", "lenght"), "shop.toml:4:"),
    ],
)
def test_faulty_files_exit_with_2(folder: Path, name: str, text: str, said: str) -> None:
    (folder / name).write_text(text)
    done = ran("alerts/scenarios/shop.toml", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("named", ["nothing.toml", "nothing/*.toml", "empty"])
def test_what_is_not_there_is_no_success(tmp_path: Path, named: str) -> None:
    (tmp_path / "empty").mkdir()
    done = ran(named, cwd=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr


def test_json_says_everything(folder: Path) -> None:
    done = ran("alerts", "--format", "json", cwd=wrong(folder))
    document = json.loads(done.stdout)
    (scenario,) = document["scenarios"]
    assert (done.returncode, document["exit_code"], scenario["name"], scenario["ok"]) == (1, 1, "Six carts", False)
    assert scenario["differences"] == [
        {
            "line": 5,
            "at_s": 0.0,
            "rule": "CartsLeft",
            "expected": 'the message "first" of CartsLeft at 1m',
            "found": "it at 0s",
            "todo": 'write at = "0s", or look at the rule\'s `for`',
        }
    ]
    assert document["missing"] == [{"rule": "CartsLeft", "file": "alerts/shop.toml", "line": 1, "fires": True, "quiet": False}]


def test_junit_is_read_by_what_reads_junit(folder: Path) -> None:
    done = ran("alerts", "--format", "junit", "--complete", cwd=wrong(folder))
    read = JUnitXml.fromstring(done.stdout)
    assert (read.tests, read.failures) == (2, 2)
    case = ET.fromstring(done.stdout).find(".//testcase[@name='Six carts']")
    assert case is not None
    assert (case.get("file"), case.get("line")) == ("alerts/scenarios/shop.toml", "1")


def test_github_is_told_at_the_line(folder: Path) -> None:
    done = watchdog("rules", "test", "alerts", "--format", "github", cwd=wrong(folder), environ={"GITHUB_STEP_SUMMARY": "summary.md"})
    assert done.stdout.startswith("::error title=Six carts,file=alerts/scenarios/shop.toml,line=5::at 0s: expected the message")
    assert (folder / "summary.md").read_text().startswith("## watchdog: WRONG\\: 1 of 1 scenario")


@pytest.mark.parametrize("style", ["json", "junit", "github"])
def test_faults_are_told_in_the_format(folder: Path, style: str) -> None:
    (folder / "alerts" / "scenarios" / "shop.toml").write_text("[[scenario]]")
    done = ran("alerts", "--format", style, cwd=folder)
    assert done.returncode == 2
    assert "name is missing" in done.stdout
    if style == "json":
        assert len(json.loads(done.stdout)["faults"]) == 3


def test_a_hostile_name_stays_on_its_line(folder: Path) -> None:
    (folder / "alerts" / "scenarios" / "shop.toml").write_text(WRONG.replace("Six carts", r"x\u001b[31m\n::error::y"))
    assert "\n::error::y" not in ran("alerts", "--format", "github", cwd=folder).stdout
    assert "\x1b" not in ran("alerts", cwd=folder).stdout
