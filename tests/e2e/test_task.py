"""`watchdog task ID` against a real cluster."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.waiting import until


class Tasks:
    """A cluster in which some tasks have ended, and one runs."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.failed = cluster.flood("q", 1, "demo.fail", kind="KeyError")[0]
        self.succeeded = cluster.flood("q", 1, "demo.ok")[0]
        self.running = cluster.flood("q", 1, "demo.advance", hold=3600.0)[0]
        for task_id, state in ((self.failed, "FAILURE"), (self.succeeded, "SUCCESS"), (self.running, "STARTED")):
            until(lambda one=task_id, its=state: self._state(one) == its, 30, f"{state} of {task_id}")  # type: ignore[misc]
        until(lambda: "part 4" in str(cluster.app.AsyncResult(self.running).info), 30, "its last step")

    def _state(self, task_id: str) -> object:
        answer = httpx.get(f"{self.cluster.flower_url}/api/task/info/{task_id}")
        return answer.json()["state"] if answer.is_success else None


@pytest.fixture(scope="module")
def tasks() -> Iterator[Tasks]:
    with Cluster() as own:
        own.start_redis()
        own.start_worker("web-1", ["q"], 2)
        own.start_flower()
        own.wait_ready(timeout=60)
        yield Tasks(own)


@pytest.fixture
def folder(tasks: Tasks, tmp_path: Path) -> Path:
    return configured(tmp_path, tasks.cluster)


def configured(folder: Path, cluster: Cluster, more: str = "", flower: str = "") -> Path:
    target = f'[[target]]\nname = "prod"\nflower = "{flower or cluster.flower_url}"\nredis = "{cluster.redis_url}"\n'
    (folder / "watchdog.toml").write_text(f"{more}\n{target}")
    return folder


def shown(folder: Path, *args: str, code: int = 0) -> str:
    done = watchdog("task", *args, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def document(folder: Path, *args: str) -> dict[str, Any]:
    [found] = json.loads(shown(folder, *args, "--json"))["tasks"]
    return dict(found)


def test_a_failed_task_is_shown_with_its_exception_and_traceback(tasks: Tasks, folder: Path) -> None:
    text = shown(folder, tasks.failed)
    assert text.startswith("FAILURE  demo.fail\n")
    assert "KeyError('contract 42 of tenant acme: KeyError on purpose')" in text
    assert '/demo/tasks.py", line ' in text


def test_its_times_and_places_are_those_of_flower(tasks: Tasks, folder: Path) -> None:
    found = document(folder, tasks.failed)
    assert (found["state"], found["stored_state"], found["worker"], found["queue"]) == ("FAILURE", "FAILURE", "celery@web-1", "q")
    assert None not in (found["ran_s"], found["at"]["received"], found["at"]["failed"])
    assert found["waited_s"] is None or found["waited_s"] >= 0  # by two clocks, of which each is read as exactly as Celery tells it


def test_a_running_task_is_shown_with_what_it_reports(tasks: Tasks, folder: Path) -> None:
    found = document(folder, tasks.running)
    assert (found["state"], found["progress"], found["step"]) == ("STARTED", 1.0, "part 4")


def test_the_beginning_of_an_id_is_enough(tasks: Tasks, folder: Path) -> None:
    assert document(folder, tasks.succeeded[:13])["id"] == tasks.succeeded


def test_its_link_opens_it_in_flower(tasks: Tasks, folder: Path) -> None:
    assert tasks.succeeded in httpx.get(document(folder, tasks.succeeded)["link"]).text


def test_arguments_are_hidden_by_default(tasks: Tasks, folder: Path) -> None:
    assert "3600" not in shown(folder, tasks.running) + shown(folder, tasks.running, "--json")


def test_arguments_are_shown_where_the_configuration_says_so(tasks: Tasks, tmp_path: Path) -> None:
    folder = configured(tmp_path, tasks.cluster, "show_arguments = true")
    assert "{'hold': 3600.0}" in shown(folder, tasks.running)


def test_what_it_returned_is_shown_with_them(tasks: Tasks, tmp_path: Path) -> None:
    folder = configured(tmp_path, tasks.cluster, "show_arguments = true")
    assert document(folder, tasks.succeeded)["result"] == '"done"'


def test_without_flower_the_result_backend_tells_what_it_knows(tasks: Tasks, tmp_path: Path) -> None:
    text = shown(configured(tmp_path, tasks.cluster, flower="http://127.0.0.1:1"), tasks.failed)
    assert text.startswith("FAILURE  name unknown\n")
    assert "could not look: flower: connection refused by http://127.0.0.1:1" in text


def test_a_task_that_nobody_knows_ends_with_1(folder: Path) -> None:
    assert "no task 00000000-0000-0000-0000-000000000000" in shown(folder, "00000000-0000-0000-0000-000000000000", code=1)


def test_a_task_that_could_not_be_looked_for_everywhere_ends_with_3(tasks: Tasks, tmp_path: Path) -> None:
    folder = configured(tmp_path, tasks.cluster, flower="http://127.0.0.1:1")
    assert "Flower could not be asked" in shown(folder, "00000000-0000-0000-0000-000000000000", code=3)


def test_an_id_that_looks_like_a_path_is_only_an_id(folder: Path) -> None:
    assert "no task ../../api/workers?x=#" in shown(folder, "../../api/workers?x=#", code=1)


def test_an_empty_id_is_refused(folder: Path) -> None:
    done = watchdog("task", " ", cwd=folder)
    assert (done.returncode, "expected the id of a task" in done.stderr) == (2, True)


# --- the panel of `watchdog status` -----------------------------------------------------------------------------------------------


def panel(folder: Path) -> str:
    done = watchdog("status", "--panel", "tasks", cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_panel_of_running_tasks_hides_arguments_by_default(tasks: Tasks, folder: Path) -> None:
    text = panel(folder)
    assert (tasks.running[:8] in text, "3600" in text) == (True, False)


def test_the_panel_of_running_tasks_shows_arguments_where_the_configuration_says_so(tasks: Tasks, tmp_path: Path) -> None:
    assert "{'hold': 3600.0}" in panel(configured(tmp_path, tasks.cluster, "show_arguments = true"))
