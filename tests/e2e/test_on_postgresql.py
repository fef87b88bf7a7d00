"""The daemon and its commands on a real PostgreSQL, which goes away and comes back. Kills and freezes: `tests/proofs/test_failover.py`."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.e2e.test_flapping import CONFIG, messages
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import running
from tests.servers.postgresql import RealPostgreSQL, needs_postgresql, postgresql_installed, real_postgresql
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

PASSWORD = "correct-horse-battery"
NOTHING_TO_SEE = '[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'


@pytest.fixture(scope="module")
def server() -> Iterator[RealPostgreSQL]:
    """One of these tests' own: they stop it."""
    if not postgresql_installed():
        pytest.skip(needs_postgresql)
    with real_postgresql() as one:
        yield one


@pytest.fixture
def folder(server: RealPostgreSQL, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> Path:
    """With a configuration that names a database of its own."""
    url = server.new_database().replace("shop@", f"shop:{PASSWORD}@")
    text = CONFIG.format(redis=redis_server.redis_url, hook=receiver.url, quiet=0.3)
    (tmp_path / "watchdog.toml").write_text(text.replace('"watchdog.db"', f'"{url}"'))
    return tmp_path


def fill(redis_server: Cluster) -> None:
    redis.Redis.from_url(redis_server.redis_url).lpush("indexing", *["x"] * 60)


def told(receiver: RecordingReceiver, count: int) -> list[str]:
    until(lambda: len(messages(receiver)) >= count, 30, f"{count} messages")
    return [incident["event"] for message in messages(receiver) for incident in message["data"]["incidents"]]


def test_while_it_is_away_nothing_is_sent_and_all_is_told_when_it_is_back(
    folder: Path, server: RealPostgreSQL, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    with running(folder) as daemon:
        server.stop(signal.SIGQUIT)
        fill(redis_server)
        daemon.wait_for("lease_not_renewed")
        daemon.wait_for("cycle_failed")
        before = len(receiver.requests)
        server.start()
        assert (before, told(receiver, 1)) == (0, ["first"])
        assert PASSWORD not in daemon.text


def test_while_it_is_away_the_heartbeat_is_silent_and_says_no_failure(folder: Path, server: RealPostgreSQL) -> None:
    """Another daemon may have the lease, and say that all is well: the two would contradict each other."""
    with RecordingReceiver() as beats:
        with (folder / "watchdog.toml").open("a") as config:
            config.write(f'[heartbeat]\nurl = "{beats.url}/beat"\nevery = "0.2s"\n')
        with running(folder) as daemon:
            beats.wait_for(2)
            server.stop(signal.SIGQUIT)
            daemon.wait_for("cycle_failed")
            before = len(beats.requests)
            daemon.wait_for("lease_not_renewed")
            time.sleep(1.0)
            assert len(beats.requests) == before
            server.start()
            beats.wait_for(before + 2)
        assert {request.path for request in beats.requests} == {"/hook/beat"}


def test_who_stands_by_ends_in_peace(folder: Path) -> None:
    with running(folder), running(folder, until="standing_by") as second:
        assert second.end(signal.SIGTERM) == 0


def test_who_stands_by_logs_as_configured(folder: Path) -> None:
    with running(folder), running(folder, until="standing_by") as second:
        assert "level=info event=standing_by" in second.own_text


def test_commands_read_and_write_beside_the_daemon(folder: Path, redis_server: Cluster, receiver: RecordingReceiver) -> None:
    with running(folder):
        fill(redis_server)
        told(receiver, 1)
        shown = [watchdog(*command, cwd=folder) for command in (["incidents"], ["status"], ["outbox"], ["config", "show"])]
        silenced = watchdog("silence", "add", "rule=QueueBacklogHigh", "--for", "1h", "--comment", "known", cwd=folder)
    assert [done.returncode for done in (*shown, silenced)] == [0] * 5
    assert "QueueBacklogHigh" in shown[0].stdout
    assert not [done for done in shown if PASSWORD in done.stdout + done.stderr]


def test_a_file_is_copied_with_its_incidents_open_and_told(
    folder: Path, server: RealPostgreSQL, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    config = folder / "watchdog.toml"
    on_postgresql = config.read_text()
    config.write_text("\n".join('database = "watchdog.db"' if line.startswith("database") else line for line in on_postgresql.splitlines()))
    with running(folder):
        fill(redis_server)
        told(receiver, 1)
    url = on_postgresql.split('database = "')[1].split('"')[0]
    copied = watchdog("database", "copy", "watchdog.db", url, cwd=folder)
    assert (copied.returncode, "incidents: 1" in copied.stdout, PASSWORD in copied.stdout) == (0, True, False), copied.stderr
    config.write_text(on_postgresql)
    with running(folder):
        redis.Redis.from_url(redis_server.redis_url).delete("indexing")
        assert told(receiver, 2) == ["first", "resolved"]
    again = watchdog("database", "copy", "watchdog.db", url, cwd=folder)
    assert (again.returncode, "holds what a watchdog wrote already" in again.stderr) == (2, True)


def test_without_a_server_it_says_where_it_looked_and_keeps_the_password(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(
        f'database = "postgresql://shop:{PASSWORD}@127.0.0.1:1/watchdog"\n[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'
    )
    run = watchdog("run", cwd=tmp_path)
    assert (run.returncode, PASSWORD in run.stderr, "nothing listens there" in run.stderr) == (1, False, True), run.stderr
