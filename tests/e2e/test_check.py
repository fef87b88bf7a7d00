"""`watchdog check --once` on a real cluster: every exit code, and what it says with it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import ask_the_workers, start_usual
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment
from tests.servers.waiting import until


@pytest.fixture(scope="module")
def broken_in_turn() -> Iterator[Cluster]:
    """The usual cluster; every test here repairs what it broke."""
    with Cluster() as one:
        start_usual(one)
        yield one


def look(cluster: Cluster, folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    done = watchdog("check", "--once", "--format", "json", *urls(cluster), *more, cwd=folder)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    return done.returncode, document


def urls(cluster: Cluster) -> tuple[str, ...]:
    return "--flower", cluster.flower_url, "--redis", cluster.redis_url


def rules_of(document: dict[str, Any]) -> set[str]:
    return {firing["rule"] for firing in document["firing"]}


def test_a_healthy_cluster_is_0_on_the_first_look(cluster: Cluster, tmp_path: Path) -> None:
    code, document = look(cluster, tmp_path)
    assert (code, document["firing"], document["unknown"]) == (0, [], [])
    assert [(s["source"], s["up"], s["error"]) for s in document["sources"]] == [("flower", True, None), ("redis", True, None)]


def test_60_messages_that_nobody_drains_are_1(broken_in_turn: Cluster, tmp_path: Path) -> None:
    broken_in_turn.flood("nobody", 60)
    code, document = look(broken_in_turn, tmp_path)
    with redis.Redis.from_url(broken_in_turn.redis_url) as client:
        client.delete("nobody")
    assert code == 1
    backlog = next(f for f in document["firing"] if f["rule"] == "QueueBacklogHigh")
    assert backlog["key"] == {"name": "nobody"}
    assert backlog["values"]["length"] == 60
    assert isinstance(backlog["values"]["length"], int)
    assert backlog["values"]["drain_s"] is None
    assert "QueueNoConsumers" in rules_of(document)


def test_a_worker_killed_with_9_is_1_once_it_is_silent(broken_in_turn: Cluster, tmp_path: Path) -> None:
    """Right after a start of Flower or Redis it is unknown: hence the wait."""
    ask_the_workers(broken_in_turn)
    broken_in_turn.kill_worker("gpu-1")
    looks: list[tuple[int, dict[str, Any]]] = []

    def lost() -> bool:
        looks.append(look(broken_in_turn, tmp_path))
        return looks[-1][0] == 1

    until(lost, 30, "exit code 1", every=0.5)
    broken_in_turn.start_worker("gpu-1", ["analysis", "training"], 1)
    broken_in_turn.wait_ready()
    assert [f["key"] for f in looks[-1][1]["firing"] if f["rule"] == "WorkerLost"] == [{"name": "celery@gpu-1"}]


def test_flower_stopped_is_3(broken_in_turn: Cluster, tmp_path: Path) -> None:
    broken_in_turn.stop_flower()
    code, document = look(broken_in_turn, tmp_path)
    broken_in_turn.start_flower()
    broken_in_turn.wait_ready()
    assert code == 3
    assert rules_of(document) == {"FlowerUnreachable"}
    assert "connection refused" in next(s["error"] for s in document["sources"] if s["source"] == "flower")
    assert "TaskNotRegistered" in {unknown["rule"] for unknown in document["unknown"]}


def test_redis_stopped_is_3(broken_in_turn: Cluster, tmp_path: Path) -> None:
    broken_in_turn.stop_redis()
    code, document = look(broken_in_turn, tmp_path)
    broken_in_turn.start_redis()
    assert code == 3
    assert rules_of(document) == {"BrokerUnreachable"}
    assert [s["up"] for s in document["sources"] if s["source"] == "redis"] == [False]


def test_what_fires_below_fail_on_is_0(cluster: Cluster, tmp_path: Path) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text('[[rule]]\nname = "Here"\nfrom = "cluster"\nwhen = "workers_online > 0"\nseverity = "error"\nsummary = "here"\n')
    code, document = look(cluster, tmp_path, "--rules", str(rules), "--fail-on", "critical")
    assert (code, rules_of(document)) == (0, {"Here"})
    assert look(cluster, tmp_path, "--rules", str(rules))[0] == 1


def test_a_misspelt_column_is_2_with_file_line_and_a_suggestion(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[rule]]\nname = "Mine"\nfrom = "queues"\nwhen = "lenght > 5"\n')
    done = watchdog("check", "--once", *urls(cluster), "--rules", "mine.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'mine.toml:4: rule "Mine": when: no column "lenght" in queues; did you mean "length"?\n'


def test_the_text_begins_with_the_verdict_and_names_the_configuration(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(f'[[target]]\nname = "prod"\nredis = "{cluster.redis_url}"\nflower = "{cluster.flower_url}"\n')
    done = watchdog("check", "--once", cwd=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("OK: nothing fires, ")
    assert lines[0].endswith(" rules, 1 target")
    assert lines[-1].endswith("watchdog.toml")
    assert "\x1b" not in done.stdout


def test_a_second_look_wakes_the_rules_that_compare_two(cluster: Cluster, tmp_path: Path) -> None:
    command = [*COMMAND, "check", "--format", "json", "--interval", "0.2s", *urls(cluster)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path, {}), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        looks = [json.loads(child.stdout.readline()) for _ in range(3)]
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
        assert child.returncode == 0
    idle = [{one["rule"] for one in document["idle"] if one["target"] == "default"} for document in looks]
    assert "BrokerEviction" in idle[0]
    assert "BrokerEviction" not in idle[2]


def test_no_password_is_in_any_output(cluster: Cluster, tmp_path: Path) -> None:
    flower = cluster.flower_url.replace("http://", "http://someone:hunter2@")
    broker = f"redis://:hunter2@127.0.0.1:{cluster.redis_port}/0"
    for style in ("text", "json"):
        done = watchdog("check", "--once", "-v", "--format", style, "--flower", flower, "--redis", broker, cwd=tmp_path)
        assert done.returncode == 3
        assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("queue", ["::notice::harmless", "##[group]harmless"])
def test_a_queue_in_the_form_of_a_workflow_command_gives_no_order_on_either_stream(
    broken_in_turn: Cluster, tmp_path: Path, queue: str
) -> None:
    broken_in_turn.flood(queue, 60)
    texts = [watchdog("check", "--wait", "6s", *urls(broken_in_turn), cwd=tmp_path)]
    texts += [watchdog("check", "--once", "--format", style, *urls(broken_in_turn), cwd=tmp_path) for style in ("json", "junit", "github")]
    texts += [
        watchdog("query", "SELECT name FROM queues", "--format", style, *urls(broken_in_turn), cwd=tmp_path) for style in ("text", "csv")
    ]
    with redis.Redis.from_url(broken_in_turn.redis_url) as client:
        client.delete(queue)
    lines = [line.strip() for done in texts for line in (*done.stdout.splitlines(), *done.stderr.splitlines())]
    ours = ("::error title=", "::warning title=", "::notice title=")
    assert [line for line in lines if (line.startswith("::") and not line.startswith(ours)) or "##[" in line] == []
    assert ["harmless" in done.stdout for done in texts] == [True] * len(texts)
    assert any("harmless" in line for line in texts[0].stderr.splitlines())
