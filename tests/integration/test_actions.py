"""`watchdog act` on real workers of several pools, through the broker and through Flower 2.2: it does what it says.

Each test uses queues of its own on workers that all share; what one changes it changes back.
"""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.waiting import until
from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.request import Request
from watchdog.sources.celery.broker import connection_arguments
from watchdog.sources.control.workers import WorkersByControl
from watchdog.sources.redis.address import parse_address
from watchdog.store import Store


@pytest.fixture(scope="module")
def workers() -> Iterator[Cluster]:
    """A worker for each pool, one with autoscale, and Flower, which has asked them all."""
    with Cluster() as own:
        own.start_redis()
        own.start_worker("pre", ["q-pre"], 2, "prefork", "--", "worker_pool_restarts=1")
        own.start_worker("thr", ["q-thr"], 2, "threads")
        own.start_worker("sol", ["q-sol"], 1, "solo")
        own.start_worker("aut", ["q-aut"], 1, "prefork", "--autoscale=4,1")
        own.start_flower()
        own.wait_ready(timeout=90)
        yield own


@pytest.fixture(params=["control", "flower"])
def folder(workers: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A configuration that reaches them through the broker, or through Flower alone."""
    return configured(tmp_path, workers, redis=request.param == "control")


@pytest.fixture
def control(workers: Cluster, tmp_path: Path) -> Path:
    return configured(tmp_path, workers)


def configured(folder: Path, cluster: Cluster, *, redis: bool = True) -> Path:
    lines = ['database = "watchdog.db"', "[actions]", f"allow = {json.dumps(list(KINDS))}", "[[target]]", 'name = "prod"']
    lines += [f'flower = "{cluster.flower_url}"', *([f'redis = "{cluster.redis_url}"'] if redis else [])]
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")
    Store.open(folder / "watchdog.db").close()
    return folder


def act(folder: Path, *args: str, code: int = 0) -> dict[str, Any]:
    """The document of an action that ended with this code."""
    done = watchdog("act", *args, "--yes", "--json", cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def stats(cluster: Cluster, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.app.control.inspect(destination=[name], timeout=5.0, limit=1).stats()[name]
    return found


def size(cluster: Cluster, name: str) -> int:
    return len(stats(cluster, name)["pool"]["processes"])


def queues(cluster: Cluster, name: str) -> set[str]:
    found = cluster.app.control.inspect(destination=[name], timeout=5.0, limit=1).active_queues()[name]
    return {queue["name"] for queue in found}


def state(cluster: Cluster, task_id: str) -> str:
    return str(cluster.app.AsyncResult(task_id).state)


def started(cluster: Cluster, queue: str, task: str = "demo.hang") -> str:
    task_id = cluster.flood(queue, 1, task)[0]
    until(lambda: state(cluster, task_id) == "STARTED", 30, f"{task_id} to start")
    return task_id


def test_a_pool_grows_and_shrinks(workers: Cluster, folder: Path) -> None:
    act(folder, "grow", "2", "celery@pre")
    until(lambda: size(workers, "celery@pre") == 4, 20, "four processes")
    act(folder, "shrink", "2", "celery@pre")
    until(lambda: size(workers, "celery@pre") == 2, 20, "two processes")


def test_what_a_pool_refuses_is_said_before_and_after(folder: Path) -> None:
    document = act(folder, "grow", "1", "celery@thr", code=1)
    assert ("cannot change its size" in document["notes"][0], document["answers"]["celery@thr"]["worked"]) == (True, False)


def test_the_limits_of_autoscale_change(workers: Cluster, folder: Path) -> None:
    highest = stats(workers, "celery@aut")["autoscaler"]["max"] + 1
    act(folder, "autoscale", "1", str(highest), "celery@aut")
    assert stats(workers, "celery@aut")["autoscaler"]["max"] == highest


def test_a_worker_consumes_another_queue_until_it_is_cancelled(workers: Cluster, folder: Path) -> None:
    act(folder, "add-consumer", "more", "celery@thr")
    until(lambda: "more" in queues(workers, "celery@thr"), 20, "it to consume it")
    act(folder, "cancel-consumer", "more", "celery@thr")
    until(lambda: "more" not in queues(workers, "celery@thr"), 20, "it to stop")


def test_a_worker_consumes_a_queue_anew(workers: Cluster, folder: Path) -> None:
    document = act(folder, "restart-consumer", "q-thr", "celery@thr")
    assert document["answers"]["celery@thr"]["worked"]
    assert workers.app.send_task("demo.ok", queue="q-thr").get(timeout=20) == "done"
    assert "q-thr" in queues(workers, "celery@thr")


def test_a_rate_limit_holds(workers: Cluster, folder: Path) -> None:
    act(folder, "rate-limit", "demo.ok", "7/m", "celery@pre")
    said = workers.app.control.inspect(destination=["celery@pre"], timeout=5.0, limit=1).registered("rate_limit")["celery@pre"]
    act(folder, "rate-limit", "demo.ok", "0", "celery@pre")
    assert "demo.ok [rate_limit=7/m]" in said


def restart_pool(folder: Path) -> None:
    """Until it is known to be done: through Flower a worker has a second to answer, and on a crowded machine restarting takes longer."""

    def known() -> bool:
        code = watchdog("act", "restart-pool", "celery@pre", "--yes", cwd=folder).returncode
        assert code in (0, 3), "neither done nor unknown"
        return code == 0

    until(known, 60, "a restarted pool")


def test_a_time_limit_counts_once_the_pool_was_restarted_and_that_is_said_before(workers: Cluster, folder: Path) -> None:
    document = act(folder, "time-limit", "demo.burn", "celery@pre", "--hard", "1s")
    restart_pool(folder)
    task_id = workers.flood("q-pre", 1, "demo.burn", seconds=60.0)[0]
    until(lambda: state(workers, task_id) == "FAILURE", 30, "its end")
    assert any("until `watchdog act restart-pool`" in note for note in document["notes"])


def test_a_pool_of_threads_is_said_to_ignore_time_limits_although_it_answers_ok(folder: Path) -> None:
    document = act(folder, "time-limit", "demo.ok", "celery@thr", "--hard", "1h")
    assert ("has no time limits" in document["notes"][0], document["answers"]["celery@thr"]["worked"]) == (True, True)


def test_a_running_task_is_terminated(workers: Cluster, folder: Path) -> None:
    task_id = started(workers, "q-pre")
    document = act(folder, "revoke", task_id, "--terminate", "--signal", "SIGKILL")
    until(lambda: state(workers, task_id) == "REVOKED", 30, "its end")
    assert "runs on celery@pre" in document["touches"]


def test_a_waiting_task_is_revoked(workers: Cluster, folder: Path) -> None:
    task_id = workers.flood("nobody", 1, "demo.ok")[0]
    act(folder, "revoke", task_id)
    until(lambda: state(workers, task_id) == "REVOKED", 30, "it to be revoked")


def test_a_task_of_a_thread_goes_on_and_that_is_said_before(workers: Cluster, control: Path) -> None:
    task_id = workers.app.send_task("demo.advance", kwargs={"hold": 3.0}, queue="q-thr").id
    until(lambda: state(workers, task_id) not in ("PENDING", "RECEIVED"), 30, "it to start")
    document = act(control, "revoke", task_id, "--terminate", code=1)
    until(lambda: state(workers, task_id) == "SUCCESS", 30, "its end")
    assert any("cannot terminate a task" in note for note in document["notes"])


def test_each_process_of_a_restarted_pool_is_replaced_after_its_next_task(workers: Cluster, folder: Path) -> None:
    before = set(stats(workers, "celery@pre")["pool"]["processes"])
    restart_pool(folder)
    workers.flood("q-pre", 6, "demo.burn", seconds=1.0)
    until(lambda: not before & set(stats(workers, "celery@pre")["pool"]["processes"]), 40, "other processes", every=0.5)


def test_a_pool_whose_restarts_are_off_is_said_to_refuse(control: Path) -> None:
    document = act(control, "restart-pool", "celery@aut", code=1)
    assert any("worker_pool_restarts" in note for note in document["notes"])


def test_a_busy_solo_worker_that_does_not_answer_is_said_so(workers: Cluster, control: Path) -> None:
    task_id = workers.app.send_task("demo.advance", kwargs={"hold": 25.0}, queue="q-sol").id
    until(lambda: state(workers, task_id) not in ("PENDING", "RECEIVED"), 30, "it to start")
    done = watchdog("act", "grow", "1", "celery@sol", "--yes", "--timeout", "0.5s", cwd=control)
    assert (done.returncode, 'no worker "celery@sol"' in done.stderr) == (2, True)


@pytest.mark.parametrize("way", ["control", "flower"])
def test_a_worker_is_shut_down(workers: Cluster, tmp_path: Path, way: str) -> None:
    child = workers.start_worker(f"end-{way}", ["q-end"], 1, "threads")
    until(lambda: f"celery@end-{way}" in workers.online(), 60, "it to be there")  # not for all: one is too busy to say that it is there
    act(configured(tmp_path, workers, redis=way == "control"), "shutdown", f"celery@end-{way}")
    until(lambda: not child.running, 30, "its process to end")
    workers.workers.pop(f"celery@end-{way}")


def test_a_worker_that_was_silent_before_is_not_said_to_have_shut_down(workers: Cluster) -> None:
    arguments = connection_arguments(parse_address(workers.redis_url), timeout_s=2.0, connect_timeout_s=1.0, key_prefix="")
    control = WorkersByControl(arguments, 1.0)
    answers = control.act(Request(kind="shutdown", target="prod"), ["celery@gone"], silent=["celery@gone"])
    control.close()
    assert answers["celery@gone"].worked is None


def test_a_frozen_broker_is_reported_and_nothing_hangs(redis_server: Cluster, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(
        f'database = "watchdog.db"\n[actions]\nallow = ["grow"]\n[[target]]\nname = "prod"\nredis = "{redis_server.redis_url}"\n'
    )
    Store.open(tmp_path / "watchdog.db").close()
    redis_server.stop_redis(signal.SIGSTOP)
    began = time.monotonic()
    done = watchdog("act", "grow", "1", "--yes", "--timeout", "1s", cwd=tmp_path)
    took_s = time.monotonic() - began
    redis_server.resume_redis()
    assert (done.returncode, "redis: no answer from" in done.stderr, took_s < 30) == (3, True, True)
