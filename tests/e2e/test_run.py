"""`watchdog run` on a real cluster, with a real webhook: one notification, and one at the end, whatever is restarted in between."""

import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import ask_the_workers, start_usual
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import events_of, running, told, watchdog_process, write_config
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The usual cluster, of this module alone: what tests elsewhere let fail would be told here."""
    with Cluster() as own:
        start_usual(own)
        yield own


def drain(cluster: Cluster, queue: str) -> None:
    """Its binding stays: who has sent to it once does not declare it again."""
    with redis.Redis.from_url(cluster.redis_url) as client:
        client.delete(queue)


def heard(receiver: RecordingReceiver, rule: str, *events: str, timeout: float = 60.0) -> None:
    """Wait until the receiver got exactly these events of a rule."""
    until(lambda: events_of(receiver, rule) == list(events), timeout, f"{rule} to be notified as {events}; got: {told(receiver)}")


def test_a_breach_is_told_once_and_once_when_it_is_over_then_sigterm_ends_it(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    write_config(tmp_path, cluster, receiver.url)
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        heard(receiver, "QueueBacklogHigh", "first")
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved")
        assert daemon.end() == 0
    assert "watchdog_ended" in daemon.own_text
    assert "Traceback" not in daemon.own_text
    assert {event for _, _, event in told(receiver)} == {"first", "resolved"}


def test_a_quiet_cluster_is_not_talked_about(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    write_config(tmp_path, cluster, receiver.url)
    with running(tmp_path) as daemon:
        cluster.app.send_task("demo.ok", queue="indexing").get(timeout=10)
        assert daemon.end() == 0
    assert told(receiver) == []
    assert "incident_" not in daemon.own_text


def test_each_kind_of_trouble_is_told_once_and_once_when_it_is_over(
    own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    write_config(tmp_path, own_cluster, receiver.url)
    ask_the_workers(own_cluster)
    with running(tmp_path) as daemon:
        own_cluster.kill_worker("gpu-1")
        heard(receiver, "WorkerLost", "first")
        own_cluster.start_worker("gpu-1", ["analysis", "training"], 1)
        heard(receiver, "WorkerLost", "first", "resolved")

        own_cluster.stop_flower()
        heard(receiver, "FlowerUnreachable", "first")
        own_cluster.start_flower()
        heard(receiver, "FlowerUnreachable", "first", "resolved")

        own_cluster.stop_redis()
        heard(receiver, "BrokerUnreachable", "first")
        own_cluster.start_redis()
        heard(receiver, "BrokerUnreachable", "first", "resolved")
        assert daemon.end() == 0
    assert events_of(receiver, "WorkerLost") == ["first", "resolved"]


@pytest.fixture
def lasting_cluster(bare_cluster: Cluster) -> Cluster:
    """The usual cluster, whose Redis keeps its data through a restart."""
    bare_cluster.start_redis(None, "--appendonly", "yes")
    bare_cluster.start_worker("web-1", ["indexing"], 1)
    bare_cluster.start_worker("gpu-1", ["training"], 1)
    bare_cluster.start_flower()
    bare_cluster.wait_ready()
    return bare_cluster


def test_incidents_live_through_restarts_of_watchdog_flower_and_redis(
    lasting_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    cluster = lasting_cluster
    write_config(tmp_path, cluster, receiver.url, short=("QueueBacklogHigh", "WorkerLost"))
    ask_the_workers(cluster)
    with running(tmp_path):
        cluster.flood("nobody", 60)
        heard(receiver, "QueueBacklogHigh", "first")
        cluster.kill_worker("gpu-1")
        heard(receiver, "WorkerLost", "first")
    with running(tmp_path) as daemon:
        cluster.stop_flower()
        cluster.start_flower()
        cluster.stop_redis()
        cluster.start_redis(None, "--appendonly", "yes")
        assert "incident_resolved" not in daemon.own_text
    with running(tmp_path, {"PYTHONHASHSEED": "random"}):  # which is a start of its own, with hashes of its own
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved")
        cluster.start_worker("gpu-1", ["training"], 1)
        heard(receiver, "WorkerLost", "first", "resolved")
    assert Counter(told(receiver)).most_common(1)[0][1] == 1


def test_a_kill_while_a_message_is_under_way_loses_none_and_changes_no_name(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    write_config(tmp_path, cluster, receiver.url, short=("QueueBacklogHigh",))
    receiver.then(Answer(delay_s=20.0))
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        receiver.wait_for(1)
        daemon.end(signal.SIGKILL)
    with running(tmp_path):
        first, again = receiver.wait_for(2)[:2]
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved")
    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    assert again.body == first.body


def test_a_kill_between_commit_and_send_loses_no_message(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    """Nobody listens at first, so that what was committed waits; then the daemon dies."""
    write_config(tmp_path, cluster, "http://127.0.0.1:9/hook", short=("QueueBacklogHigh",))
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        daemon.wait_for("message_deferred")
        daemon.end(signal.SIGKILL)
    write_config(tmp_path, cluster, receiver.url, short=("QueueBacklogHigh",))
    with running(tmp_path):
        heard(receiver, "QueueBacklogHigh", "first")
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved")


def test_a_reload_with_a_fault_keeps_the_old_configuration_and_says_so(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    path = write_config(tmp_path, cluster, receiver.url)
    good = path.read_text()
    with running(tmp_path) as daemon:
        path.write_text(good + 'intervall = "1s"\n[[')
        daemon.send(signal.SIGHUP)
        daemon.wait_for("reload_rejected")
        heard(receiver, "ConfigRejected", "first")
        cluster.flood("nobody", 60)
        heard(receiver, "QueueBacklogHigh", "first")
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved")
        path.write_text(good)
        daemon.send(signal.SIGHUP)
        daemon.wait_for("configuration_reloaded")
        heard(receiver, "ConfigRejected", "first", "resolved")
        assert daemon.end() == 0


def test_another_database_needs_a_restart(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    path = write_config(tmp_path, cluster, receiver.url)
    with running(tmp_path) as daemon:
        path.write_text(path.read_text().replace("watchdog.db", "other.db"))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("another database needs a restart")


def test_without_a_database_in_the_configuration_it_makes_one_where_the_user_keeps_state(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1"\n')
    state = tmp_path / "state"
    with running(tmp_path, {"XDG_STATE_HOME": str(state)}):
        assert (state / "watchdog" / "watchdog.db").exists() or Path("/var/lib/watchdog/watchdog.db").exists()


def test_systemd_is_told_how_it_goes(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    write_config(tmp_path, cluster, receiver.url)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(15)
        with running(tmp_path, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}) as daemon:
            said_until(systemd, "READY=1")
            said_until(systemd, "WATCHDOG=1")
            daemon.send(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in said_until(systemd, "RELOADING=1")
            said_until(systemd, "READY=1")
            said_until(systemd, "WATCHDOG=1")
            daemon.send(signal.SIGTERM)
            said_until(systemd, "STOPPING=1")


def said_until(systemd: socket.socket, word: str) -> str:
    """The message that holds this word."""
    while word not in (said := systemd.recv(4096).decode()):
        pass
    return said


def test_a_target_that_is_taken_out_ends_its_incidents(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    path = write_config(tmp_path, cluster, receiver.url, short=("QueueBacklogHigh",))
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        heard(receiver, "QueueBacklogHigh", "first")
        path.write_text(path.read_text().replace('"prod"', '"renamed"'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("configuration_reloaded")
        heard(receiver, "QueueBacklogHigh", "first", "resolved", "first")
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved", "first", "resolved")
    assert sum(b'"ended":"target removed"' in request.body for request in receiver.requests) == 1


def test_a_webhook_that_hangs_does_not_keep_it_from_ending(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    receiver.default = Answer(delay_s=30.0)
    write_config(tmp_path, cluster, receiver.url, short=("QueueBacklogHigh",))
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        receiver.wait_for(1)
        assert daemon.end() == 0


def test_a_second_daemon_on_one_database_says_so_and_ends(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    write_config(tmp_path, cluster, receiver.url)
    with running(tmp_path) as daemon:
        second = watchdog_process("run", cwd=tmp_path)
        assert second.returncode == 1
        assert f"another watchdog (pid {daemon.process.pid}) uses" in second.stderr


def test_no_secret_is_in_its_log(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    receiver.then(Answer(status=500, body=b"hunter2-path hunter2-query"))
    write_config(tmp_path, cluster, f"{receiver.url}/hunter2-path?token=hunter2-query", short=("QueueBacklogHigh",))
    with running(tmp_path) as daemon:
        cluster.flood("nobody", 60)
        daemon.wait_for("message_deferred")
        drain(cluster, "nobody")
    assert "hunter2" not in daemon.own_text


def test_incidents_are_listed_and_told_beside_the_daemon_and_after_it(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    write_config(tmp_path, cluster, receiver.url, short=("QueueBacklogHigh",))
    with running(tmp_path):
        cluster.flood("nobody", 60)
        heard(receiver, "QueueBacklogHigh", "first")
        beside = watchdog("incidents", cwd=tmp_path)
        drain(cluster, "nobody")
        heard(receiver, "QueueBacklogHigh", "first", "resolved")
    incident = told(receiver)[0][0]
    after = watchdog("incidents", "--all", cwd=tmp_path)
    story = watchdog("incidents", "show", incident[:20], cwd=tmp_path)
    assert (beside.returncode, after.returncode, story.returncode) == (0, 0, 0)
    assert any(line.startswith(incident) and "firing" in line for line in beside.stdout.splitlines())
    assert any(line.startswith(incident) and "recovered" in line for line in after.stdout.splitlines())
    assert [line.split()[:3] for line in story.stdout.splitlines() if line.startswith("ops")] == [
        ["ops", "first", "delivered"],
        ["ops", "resolved", "delivered"],
    ]
    assert str(tmp_path / "watchdog.db") in beside.stdout


def test_without_a_usable_database_it_ends_with_1_and_a_sentence(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    write_config(tmp_path, cluster, receiver.url)
    (tmp_path / "watchdog.db").write_text("this is no database, it is a text that is long enough to be looked at twice" * 20)
    done = watchdog_process("run", cwd=tmp_path)
    assert done.returncode == 1
    assert "is not an SQLite database" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> None:
    """The shared cluster is handed on without our queue."""
    if "cluster" in request.fixturenames:
        drain(request.getfixturevalue("cluster"), "nobody")
