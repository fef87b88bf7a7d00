"""`watchdog check` as a gate on a real cluster: expectations, waiting, choosing rules, and the formats of CI."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from junitparser import JUnitXml, Skipped

from tests.conftest import ask_the_workers, start_usual
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment
from tests.servers.waiting import until
from watchdog.tables.workers.presence import SETTLE_S

TWO = "cluster: workers_online >= 2"
TASKS = "cluster: finished >= 0"
THREE = "cluster: workers_online >= 3"
RECENT = "SELECT count(*) >= 2 FROM workers WHERE state = 'online' AND uptime_s < 600"


@pytest.fixture(scope="module")
def broken_in_turn() -> Iterator[Cluster]:
    """The usual cluster, settled; every test here repairs what it broke."""
    with Cluster() as one, redis.Redis.from_url(one.redis_url) as broker:
        start_usual(one)
        until(lambda: broker.info("server")["uptime_in_seconds"] > SETTLE_S, 30, "workers that are lost not to be reconnecting")
        yield one


def urls(cluster: Cluster) -> tuple[str, ...]:
    return "--flower", cluster.flower_url, "--redis", cluster.redis_url


def look(cluster: Cluster, folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    done = watchdog("check", "--once", "--format", "json", *urls(cluster), *more, cwd=folder)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


# --- expectations, on the first look ---


def test_true_expectations_are_0(cluster: Cluster, tmp_path: Path) -> None:
    code, document = look(cluster, tmp_path, "--expect", TWO, "--expect", RECENT, "--expect", "workers: state = 'online'")
    assert (code, [e["ok"] for e in document["expect"]]) == (0, [True, True, True])


def test_a_false_expectation_is_1_and_shows_what_was_seen(cluster: Cluster, tmp_path: Path) -> None:
    code, document = look(cluster, tmp_path, "--expect", THREE)
    assert (code, document["firing"]) == (1, [])
    assert document["expect"] == [{"expect": THREE, "ok": False, "target": "default", "reason": "workers_online=2"}]


def test_a_misspelt_expectation_is_2_with_every_fault(tmp_path: Path) -> None:
    done = watchdog(
        "check",
        "--once",
        "--flower",
        "http://127.0.0.1:1",
        "--expect",
        "cluster: workers_onlin > 0",
        "--expect",
        "clusters: x",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        '--expect "cluster: workers_onlin > 0": no column "workers_onlin" in cluster; did you mean "workers_online"?',
        '--expect "clusters: x": no table "clusters"; did you mean "cluster"?',
    ]


def test_an_expectation_of_what_could_not_be_seen_is_3(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog(
        "check", "--once", "--skip", "*", "--redis", cluster.redis_url, "--flower", "http://127.0.0.1:1", "--expect", TASKS, cwd=tmp_path
    )
    assert done.returncode == 3
    assert "unknown  cluster: finished >= 0  default" in done.stdout
    assert "connection refused" in done.stdout


def test_an_expectation_that_nothing_configured_can_answer_is_2_with_the_remedy(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--once", "--redis", cluster.redis_url, "--expect", TASKS, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["faults"][0].endswith("add --flower URL, or leave it out")


def test_an_expectation_that_needs_a_second_look_is_3_with_the_reason(cluster: Cluster, tmp_path: Path) -> None:
    growth = "queues: growth_per_min < 1000"
    done = watchdog("check", "--once", *urls(cluster), "--expect", growth, "--format", "json", cwd=tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stdout)["expect"][0]["reason"] == "growth_per_min needs a second poll"


def test_every_target_is_asked(cluster: Cluster, tmp_path: Path) -> None:
    target = '[[target]]\nname = "{}"\nredis = "{}"\nflower = "{}"\n'
    config = tmp_path / "watchdog.toml"
    config.write_text("".join(target.format(name, cluster.redis_url, cluster.flower_url) for name in ("prod", "lab")))
    done = watchdog("check", "--once", "--expect", THREE, "--format", "json", cwd=tmp_path)
    assert [(e["target"], e["ok"]) for e in json.loads(done.stdout)["expect"]] == [("prod", False), ("lab", False)]


# --- waiting ---


def test_a_wait_that_is_over_answers_with_its_last_look(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--wait", "1s", "--interval", "0.3s", "--expect", THREE, *urls(cluster), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("NOT AS EXPECTED: 1, ")
    assert done.stderr == "waiting, 1s left: cluster: workers_online >= 3 is false (workers_online=2)\n"


def test_a_wait_ends_when_the_worker_is_back(broken_in_turn: Cluster, tmp_path: Path) -> None:
    """A worker that is queried while it starts may not report its queues, and is queried again after a minute: hence three."""
    broken_in_turn.kill_worker("gpu-1")
    until(lambda: "celery@gpu-1" not in broken_in_turn.online(), 30, "Flower to miss it")
    command = [*COMMAND, "check", "--wait", "3m", "--interval", "0.3s", "--expect", TWO, *urls(broken_in_turn)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, {}), stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stderr is not None
        first = child.stderr.readline()
        broken_in_turn.start_worker("gpu-1", ["analysis", "training"], 1)
        answer, told = child.communicate(timeout=200)
    broken_in_turn.wait_ready()
    assert re.match(r"waiting, (3m|2m\d+s) left: ", first)
    assert child.returncode == 0, told + answer
    assert f"ok  {TWO}  default" in answer


def test_stable_looks_on_until_it_has_stayed_good(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--wait", "30s", "--stable", "2s", "--interval", "0.5s", "--expect", TWO, "-v", *urls(cluster), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "good; to stay so for another 2s\n")
    assert "needs a second poll" not in done.stdout


def test_what_does_not_stay_good_fails(broken_in_turn: Cluster, tmp_path: Path) -> None:
    ask_the_workers(broken_in_turn)
    command = [*COMMAND, "check", "--stable", "60s", "--interval", "0.3s", "--expect", TWO, *urls(broken_in_turn)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, {}), stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stderr is not None
        assert child.stderr.readline() == "good; to stay so for another 1m\n"
        broken_in_turn.kill_worker("gpu-1")
        child.communicate(timeout=90)
    broken_in_turn.start_worker("gpu-1", ["analysis", "training"], 1)
    broken_in_turn.wait_ready()
    assert child.returncode == 1


# --- which rules ---


def test_only_skip_and_set_choose_and_tune(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[rule]]\nname = "Here"\nfrom = "cluster"\nwhen = "workers_online > :most"\nparams = { most = 0 }\n'
    )
    mine = ("--rules", "mine.toml", "--only", "Here")
    assert look(cluster, tmp_path, *mine)[0] == 1
    assert look(cluster, tmp_path, *mine, "--set", "Here.most=5")[0] == 0
    assert look(cluster, tmp_path, *mine, "--set", "Here.severity=info")[0] == 0
    assert look(cluster, tmp_path, "--rules", "mine.toml", "--skip", "Her*")[0] == 0
    assert look(cluster, tmp_path, *mine)[1]["rules"] == 1


def test_a_choice_that_means_nothing_is_2_with_a_suggestion(tmp_path: Path) -> None:
    done = watchdog("check", "--once", "--flower", "http://127.0.0.1:1", "--only", "WorkerLst", "--set", "WorkerLost.x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == '--only "WorkerLst": there is no such rule; did you mean "WorkerLost"?'


def test_nothing_to_judge_is_2_not_fine(tmp_path: Path) -> None:
    done = watchdog("check", "--once", "--flower", "http://127.0.0.1:1", "--skip", "*", cwd=tmp_path)
    assert done.returncode == 2
    assert "leave no rule to judge" in done.stderr


# --- formats ---


def test_junit_is_read_back(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--format", "junit", "--expect", THREE, *urls(cluster), cwd=tmp_path)
    report = JUnitXml.fromstring(done.stdout)
    cases = {str(case.name): case for suite in report for case in suite}
    assert (done.returncode, report.failures, report.errors) == (1, 1, 0)
    assert cases[THREE].result[0].message == "workers_online=2"
    assert isinstance(cases["BrokerEviction"].result[0], Skipped)
    assert cases["WorkerLost"].result == []


def test_github_gets_annotations_and_a_job_summary(cluster: Cluster, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    environ = {"GITHUB_STEP_SUMMARY": str(summary)}
    done = watchdog("check", "--format", "github", "--expect", THREE, *urls(cluster), cwd=tmp_path, environ=environ)
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=Expectation in default::cluster: workers_online >= 3 is false: workers_online=2\n")
    assert summary.read_text().startswith("before\n## watchdog: NOT AS EXPECTED")


def test_a_job_summary_that_cannot_be_written_changes_no_answer(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--format", "github", *urls(cluster), cwd=tmp_path, environ={"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert done.returncode == 0
    assert done.stderr == f"warning: the job summary {tmp_path} could not be written: Is a directory\n"


def test_nagios_says_ok_with_perfdata(cluster: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--format", "nagios", *urls(cluster), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("WATCHDOG OK - ")
    assert done.stdout.endswith("|workers_online=2;;;0 backlog=0;;;0 unacked=0;;;0 rules_firing=0;;;0\n")


@pytest.mark.parametrize(
    ("args", "code", "first"),
    [
        (("--expect", THREE), 2, "WATCHDOG CRITICAL - false in default: cluster: workers_online >= 3: workers_online=2|"),
        (("--rules", "mine.toml", "--only", "Here"), 1, "WATCHDOG WARNING - warning Here in default: "),
        (("--rules", "mine.toml", "--only", "Here", "--set", "Here.severity=error"), 2, "WATCHDOG CRITICAL - error Here in default: "),
        (("--flower", "http://127.0.0.1:1"), 3, "WATCHDOG UNKNOWN - "),
        (("--expect", "cluster: workers_onlin > 0"), 3, 'WATCHDOG UNKNOWN - --expect "cluster: workers_onlin > 0": no column'),
        (("--rules", "nowhere.toml"), 3, "WATCHDOG UNKNOWN - nowhere.toml: expected a rule file that can be read"),
        (("--fail-on", "bad"), 3, "WATCHDOG UNKNOWN - Invalid value for '--fail-on'"),
    ],
)
def test_nagios_has_codes_of_its_own(cluster: Cluster, tmp_path: Path, args: tuple[str, ...], code: int, first: str) -> None:
    (tmp_path / "mine.toml").write_text('[[rule]]\nname = "Here"\nfrom = "cluster"\nwhen = "workers_online > 0"\n')
    done = watchdog("check", "--format", "nagios", *urls(cluster), *args, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(first)


def test_no_password_is_in_any_format(cluster: Cluster, tmp_path: Path) -> None:
    flower = cluster.flower_url.replace("http://", "http://someone:hunter2@")
    summary = tmp_path / "summary.md"
    for style in ("junit", "github", "nagios"):
        args = ("--format", style, "--wait", "0.2s", "--flower", flower, "--redis", f"redis://:hunter2@127.0.0.1:{cluster.redis_port}/0")
        done = watchdog("check", *args, cwd=tmp_path, environ={"GITHUB_STEP_SUMMARY": str(summary)})
        assert done.returncode == 3
        assert "hunter2" not in done.stdout + done.stderr
    assert "hunter2" not in summary.read_text()


@pytest.mark.parametrize("name", ["::notice::harmless", "##[group]harmless"])
def test_a_name_in_the_form_of_a_workflow_command_is_no_command_on_either_stream(tmp_path: Path, name: str) -> None:
    rules = tmp_path / "watchdog.toml"
    rules.write_text(f'[[target]]\nname = "{name}"\nflower = "http://127.0.0.1:1"\n')
    expect = f"sources: name = '{name}'"
    for args in (("--wait", "0.2s"), ("--format", "json"), ("--format", "junit"), ("--target", name + "x"), ("--expect", name)):
        done = watchdog("check", *(args if "--wait" in args else ("--once", *args)), "--expect", expect, cwd=tmp_path)
        lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        assert [line for line in lines if line.lstrip().startswith("::") or "##[" in line] == []
        assert "harmless" in done.stdout + done.stderr
