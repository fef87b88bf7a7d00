"""`watchdog act retry`: failed tasks of real workers, as Flower 2.2 knows them, are sent again exactly, once, or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.integration.test_actions import act, configured, state
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.waiting import until

RETRY = ("retry", "--timeout", "0.5s")
"""What workers answer changes nothing."""


@pytest.fixture(scope="module")
def failed() -> Iterator[Cluster]:
    """A worker beside a Flower, for tasks that fail."""
    with Cluster() as own:
        own.start_redis()
        own.start_worker("web-1", ["q"], 2)
        own.start_flower()
        own.wait_ready(timeout=60)
        yield own


@pytest.fixture
def folder(failed: Cluster, tmp_path: Path) -> Path:
    return configured(tmp_path, failed)


def fails(cluster: Cluster, **arguments: object) -> str:
    """The id of a task that has failed, as Flower shows it too."""
    task_id = cluster.flood("q", 1, "demo.fail", **arguments)[0]
    url = f"{cluster.flower_url}/api/task/info/{task_id}"
    until(lambda: (answer := httpx.get(url)).is_success and answer.json()["state"] == "FAILURE", 30, "its failure")
    return task_id


def parked(cluster: Cluster, queue: str) -> list[dict[str, Any]]:
    with redis.Redis.from_url(cluster.redis_url) as client:
        return [json.loads(raw) for raw in client.lrange(queue, 0, -1)]


def test_a_failed_run_is_sent_again_with_its_arguments(failed: Cluster, folder: Path) -> None:
    task_id = fails(failed, kind="KeyError")
    document = act(folder, *RETRY, task_id, "--queue", "parked-1")
    [message] = parked(failed, "parked-1")
    assert (message["headers"]["id"], message["headers"]["task"]) == (task_id, "demo.fail")
    assert (message["headers"]["kwargsrepr"], document["answers"][task_id]["text"]) == ("{'kind': 'KeyError'}", "sent to parked-1")


def test_it_goes_to_the_queue_that_it_came_from_and_runs(failed: Cluster, folder: Path) -> None:
    task_id = fails(failed, kind="KeyError")
    failed.app.AsyncResult(task_id).forget()
    act(folder, *RETRY, task_id)
    until(lambda: state(failed, task_id) == "FAILURE", 30, "its second failure")


def test_a_failure_is_sent_again_once(failed: Cluster, folder: Path) -> None:
    task_id = fails(failed, kind="KeyError")
    act(folder, *RETRY, task_id, "--queue", "parked-2")
    document = act(folder, *RETRY, task_id, "--queue", "parked-2", code=1)
    assert (document["answers"][task_id]["text"], len(parked(failed, "parked-2"))) == ("was sent again before", 1)


def test_all_that_failed_of_a_task_are_sent_again(failed: Cluster, folder: Path) -> None:
    ids = {fails(failed, kind="ValueError") for _ in range(3)}
    act(folder, *RETRY, "--failed", "demo.fail", "--since", "1h", "--queue", "parked-3")
    assert ids <= {message["headers"]["id"] for message in parked(failed, "parked-3")}


def test_what_has_not_failed_is_not_sent(failed: Cluster, folder: Path) -> None:
    task_id = failed.flood("q", 1, "demo.ok")[0]
    until(lambda: httpx.get(f"{failed.flower_url}/api/task/info/{task_id}").json()["state"] == "SUCCESS", 30, "its end")
    done = watchdog("act", *RETRY, task_id, "--yes", cwd=folder)
    assert (done.returncode, "it has not failed: SUCCESS" in done.stderr) == (2, True)


def test_arguments_that_are_cut_are_not_guessed(failed: Cluster, folder: Path) -> None:
    task_id = fails(failed, kind="KeyError" + "x" * 2000)
    done = watchdog("act", *RETRY, task_id, "--yes", cwd=folder)
    assert (done.returncode, "its arguments are not known exactly: they are cut" in done.stderr) == (2, True)


def test_without_flower_nobody_knows_the_arguments(failed: Cluster, folder: Path) -> None:
    text = (folder / "watchdog.toml").read_text()
    (folder / "watchdog.toml").write_text(text.replace(f'flower = "{failed.flower_url}"\n', ""))
    done = watchdog("act", *RETRY, "x", "--yes", cwd=folder)
    assert (done.returncode, "this target has no `flower`" in done.stderr) == (2, True)
