"""`watchdog routes test`: who would be notified of what, and why."""

import json
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog

CONFIG = """
[[target]]
name = "prod"
flower = "http://localhost:5555"
[[receiver]]
name = "chat"
type = "console"
[[receiver]]
name = "pager"
type = "console"
min_severity = "error"
[[receiver]]
name = "boss"
type = "console"
[[route]]
min_severity = "critical"
receivers = "pager"
continue = true
[[route]]
min_severity = "critical"
receivers = "boss"
after = "15m"
[[route]]
receivers = "chat"
group_wait = "5s"
"""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    (tmp_path / "watchdog.toml").write_text(CONFIG)
    return tmp_path


def answers(folder: Path, *labels: str) -> dict[str, tuple[str, str]]:
    done = watchdog("routes", "test", *labels, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return {one["receiver"]: (one["when"], one["why"]) for one in json.loads(done.stdout)["receivers"]}


def test_each_receiver_has_a_line_that_says_when_and_why(configured: Path) -> None:
    assert answers(configured, "rule=WorkerLost", "severity=critical", "target=prod") == {
        "chat": ("at once, grouped for 5s", "route 3: everything"),
        "pager": ("at once", "route 1: min_severity critical"),
        "boss": ("if it still fires unacknowledged after 15m", "route 2: min_severity critical"),
    }


def test_what_is_not_given_is_as_the_rule_says(configured: Path) -> None:
    assert answers(configured, "rule=WorkerLost") == {
        "chat": ("at once, grouped for 5s", "route 3: everything"),
        "pager": ("never", "the receiver itself selects only min_severity error"),
        "boss": ("never", "no route leads to it"),
    }


def test_a_pipe_gets_the_same_as_a_table(configured: Path) -> None:
    lines = watchdog("routes", "test", "rule=WorkerLost", "name=celery@a", cwd=configured).stdout.splitlines()
    assert lines[0] == "rule=WorkerLost severity=warning name=celery@a"
    assert lines[1].split() == ["receiver", "notified", "why"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["rule=WorkerLst"], 'no rule "WorkerLst"; did you mean "WorkerLost"?'),
        (["target=prd"], 'no target "prd"; did you mean "prod"?'),
        (["severity=high"], "expected severity=info, warning, error or critical, found high"),
        (["WorkerLost"], "expected LABEL=VALUE such as rule=WorkerLost, found WorkerLost"),
    ],
)
def test_a_wrong_label_is_told_with_what_was_expected(configured: Path, labels: list[str], said: str) -> None:
    done = watchdog("routes", "test", *labels, cwd=configured)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
