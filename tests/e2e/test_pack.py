"""Shipped rules that need no scene of their own, each on its real fault: small clusters, low limits, short times."""

import contextlib
import functools
import json
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import redis

from tests.conftest import start_usual
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, events_of, running, write_config
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until


def configured(
    folder: Path, cluster: Cluster, receiver: RecordingReceiver, rules: Mapping[str, Mapping[str, float]], more: str = ""
) -> None:
    """These rules are on, with these parameters; `more` stands at the top."""
    tuned = [
        f'[[override]]\nrule = "{rule}"\nenabled = true\n' + (f"params = {_inline(params)}\n" if params else "")
        for rule, params in rules.items()
    ]
    config = write_config(folder, cluster, receiver.url, more="\n".join(tuned))
    config.write_text(more + config.read_text())


def _inline(params: Mapping[str, float]) -> str:
    return "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in params.items()) + " }"


def wait_for_all(receiver: RecordingReceiver, rules: Iterable[str], seconds: float = 90.0) -> None:
    """Until each of them was notified of."""

    def missing() -> list[str]:
        return [rule for rule in rules if "first" not in events_of(receiver, rule)]

    with contextlib.suppress(AssertionError):
        until(lambda: not missing(), seconds, "all")
    assert missing() == []


def test_a_broker_in_trouble(bare_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    bare_cluster.start_redis(None, "--dir", str(disk))
    start_usual(bare_cluster, redis=False)
    rules = {"ResultBackendGrowth": {"limit": 20}, "BrokerPersistenceFailing": {}, "BrokerConnectionsHigh": {}, "BrokerSlow": {}}
    configured(tmp_path, bare_cluster, receiver, rules)
    with running(tmp_path, command=FRESH), redis.Redis.from_url(bare_cluster.redis_url) as broker:
        until((tmp_path / "watchdog.db").exists, 30, "a start")
        shutil.rmtree(disk)
        broker.bgsave()
        for nth in range(30):
            broker.set(f"kept-for-ever-{nth}", "x")
        broker.config_set("maxclients", int(broker.info("clients")["connected_clients"] * 1.15))
        with _pausing(broker):
            wait_for_all(receiver, rules)


@contextlib.contextmanager
def _pausing(broker: "redis.Redis") -> Iterator[None]:
    """Redis answers nothing for two thirds of a second, again and again."""
    ended = threading.Event()

    def pause() -> None:
        while not ended.wait(0.8):
            broker.client_pause(650)

    thread = threading.Thread(target=pause)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_lock_that_nobody_releases_keeps_messages_from_being_delivered_again(receiver: RecordingReceiver, tmp_path: Path) -> None:
    with Cluster(environment={"DEMO_VISIBILITY_TIMEOUT_S": "8", "DEMO_ACKS_LATE": "1"}) as cluster:
        start_usual(cluster)
        rules: dict[str, dict[str, float]] = {"UnackedRestoreStuck": {}, "TaskNearVisibilityTimeout": {}}
        configured(tmp_path, cluster, receiver, rules)
        with running(tmp_path, command=FRESH), redis.Redis.from_url(cluster.redis_url) as broker:
            broker.set("unacked_mutex", "of a worker that was killed")
            cluster.flood("training", 1, "demo.hang", seconds=120)
            wait_for_all(receiver, rules)


def test_a_queue_whose_only_worker_is_busy(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    rules: dict[str, dict[str, float]] = {
        "WorkerSaturated": {},
        "OldestMessageAge": {"limit": 2},
        "QueueDrainTime": {"at_least": 5, "limit": 30},
        "QueueGrowing": {"at_least": 5},
        "QueueWaitHigh": {"limit": 2},
        "WorkerMemoryHigh": {"limit": 1},
    }
    configured(tmp_path, own_cluster, receiver, rules)
    with running(tmp_path, command=FRESH):
        wait_for_all(receiver, ["WorkerMemoryHigh"])
        own_cluster.flood("training", 2)
        own_cluster.flood("training", 40, delay=4.0)
        wait_for_all(receiver, rules, 120)


def test_tasks_that_fail_are_killed_revoked_and_held(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    rules: dict[str, dict[str, float]] = {
        "TaskFailedAny": {},
        "TimeLimitExceeded": {},
        "WorkerLostErrors": {},
        "TasksRevoked": {"limit": 2},
        "UnackedHigh": {"limit": 20, "each": 2},
    }
    configured(tmp_path, own_cluster, receiver, rules)
    send = own_cluster.app.send_task
    with running(tmp_path, command=FRESH):
        until((tmp_path / "watchdog.db").exists, 30, "a start")
        own_cluster.flood("indexing", 1)
        for _ in range(3):
            send("demo.hang", queue="indexing", soft_time_limit=1)
        own_cluster.flood("priority", 1, "demo.crash")
        for _ in range(5):
            own_cluster.app.control.revoke(send("demo.ok", queue="analysis", countdown=4).id)
        for _ in range(30):
            send("demo.ok", queue="training", countdown=600)
        wait_for_all(receiver, rules, 120)


def test_tasks_that_hang_a_queue_that_nobody_used_and_a_receiver_that_is_away(
    own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    rules: dict[str, dict[str, float]] = {
        "QueueStuck": {"wait": 4},
        "TaskRunningTooLong": {"limit": 3},
        "ProgressStalled": {"limit": 3},
        "QueueNeverSeen": {},
        "DeliveryFailing": {"oldest": 2},
    }
    configured(tmp_path, own_cluster, receiver, rules)
    config = tmp_path / "watchdog.toml"
    text = config.read_text().replace(
        f'redis = "{own_cluster.redis_url}"', f'redis = {{ url = "{own_cluster.redis_url}", queues = ["indexin"] }}'
    )
    config.write_text(text + '\n[[receiver]]\nname = "away"\ntype = "webhook"\nurl = "http://127.0.0.1:9/hook"\n')
    with running(tmp_path, command=FRESH):
        own_cluster.flood("training", 1, "demo.hang", seconds=200)
        own_cluster.flood("training", 5)
        own_cluster.flood("indexing", 1, "demo.advance", hold=200)
        wait_for_all(receiver, rules, 120)


def test_workers_that_come_and_go(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    rules: dict[str, dict[str, float]] = {
        "WorkerLeft": {},
        "WorkerRestartedOften": {"limit": 2},
        "WorkerFlapping": {"limit": 2},
        "WorkerMemoryHigh": {"limit": 1},
        "WorkerLoadHigh": {"limit": 0},
        "HeartbeatFailing": {},
    }
    configured(tmp_path, own_cluster, receiver, rules, 'heartbeat = "http://127.0.0.1:9/nobody-listens"\n')
    own_cluster.start_worker("other", ["other"])
    own_cluster.wait_ready(timeout=60)
    with running(tmp_path, command=FRESH):
        until(lambda: "first" in events_of(receiver, "WorkerMemoryHigh"), 60, "a look")
        own_cluster.kill_worker("other", signal.SIGTERM)
        for nth in (1, 2):
            own_cluster.kill_worker("gpu-1")
            own_cluster.start_worker("gpu-1", ["analysis", "training"])
            until(functools.partial(_is, tmp_path, f"name = 'celery@gpu-1' AND restarts = {nth}"), 60, "the restart")
            own_cluster.workers["celery@web-1"].send(signal.SIGSTOP)
            until(lambda: _is(tmp_path, "name = 'celery@web-1' AND state = 'lost'"), 60, "the loss")
            own_cluster.workers["celery@web-1"].send(signal.SIGCONT)
            until(lambda: _is(tmp_path, "name = 'celery@web-1' AND state = 'online'"), 60, "its return")
        wait_for_all(receiver, rules)
        for name in ("web-1", "gpu-1"):
            own_cluster.kill_worker(name, signal.SIGTERM)
        own_cluster.flood("analysis", 5)
        wait_for_all(receiver, ["NoWorkersOnline"])


def _is(folder: Path, condition: str) -> bool:
    """Whether the daemon saw such a worker in its last look."""
    asked = watchdog("query", f"SELECT name FROM workers WHERE {condition}", "--format", "json", cwd=folder)
    return bool(json.loads(asked.stdout)["rows"])


def test_a_flower_that_hangs_makes_cycles_late(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    rules: dict[str, dict[str, float]] = {"EvaluationLate": {"limit": 2, "share": 0.02}}
    configured(tmp_path, own_cluster, receiver, rules)
    with running(tmp_path, command=FRESH):
        until((tmp_path / "watchdog.db").exists, 30, "a start")
        own_cluster.stop_flower(signal.SIGSTOP)
        try:
            wait_for_all(receiver, rules, 60)
        finally:
            own_cluster.resume_flower()
