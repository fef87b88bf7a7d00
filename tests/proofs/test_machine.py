"""Proof: the machine misbehaves under the real daemon, with a real Redis and a real receiver.

For each: no alert is lost, none is invented or told twice, no traceback, and the log says what to do. What is mounted is mounted in a
namespace of the test's own. `COUNT=30` keeps the database locked for 30 s, CI 7 s.
"""

import json
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.processes.cluster import Cluster
from tests.processes.mount_namespace import MissingError, MountNamespace
from tests.processes.running import COMMAND, Daemon, events_of, running, told, watchdog_process
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until
from watchdog.app.watching import build_watching
from watchdog.cli.configuration import load_with_rules
from watchdog.core.incidents.lifecycle import State
from watchdog.daemon.daemon import Daemon as InProcess
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.receivers.pace import Pace
from watchdog.store import Store

Figure = Callable[[str], None]
DISK = "disk"
"""The folder of the database, where something may be mounted."""


def configure(folder: Path, cluster: Cluster, *hooks: str, more: str = "") -> Path:
    lines = ['interval = "0.3s"', 'flap_window = "0s"', f'database = "{folder / DISK / "watchdog.db"}"']
    lines += ["[[target]]", 'name = "prod"', f'redis = "{cluster.redis_url}"']
    for number, hook in enumerate(hooks, 1):
        lines += ["[[receiver]]", f'name = "ops-{number}"', 'type = "webhook"', f"url = {json.dumps(hook)}", 'group_interval = "0s"']
    lines += ["[[override]]", 'rule = "*"', 'for = "0s"', 'keep_firing_for = "1s"']
    lines += ["[[override]]", 'rule = "Blind"', 'for = "5m"']  # which is about what lasts
    (folder / DISK).mkdir(exist_ok=True)
    path = folder / "watchdog.toml"
    path.write_text("\n".join(lines) + "\n" + more)
    return path


def heard(receiver: RecordingReceiver, *events: str, rule: str = "BrokerUnreachable") -> None:
    until(lambda: events_of(receiver, rule) == list(events), 30, f"{rule} to be notified as {events}; got: {told(receiver)}")


def told_in_full(daemon: Daemon, receiver: RecordingReceiver, cluster: Cluster, *, rules: tuple[str, ...] = ("BrokerUnreachable",)) -> None:
    """The open breach is notified once, and its end once, and nothing else; the daemon ends well."""
    heard(receiver, "first")
    cluster.start_redis()
    heard(receiver, "first", "resolved")
    assert daemon.end() == 0
    assert sorted({rule for _, rule, _ in told(receiver)}) == sorted(rules)
    assert "Traceback" not in daemon.text


@pytest.fixture
def namespace() -> Iterator[MountNamespace]:
    try:
        with MountNamespace() as own:
            yield own
    except MissingError as missing:
        pytest.skip(str(missing))


def prefix(namespace: MountNamespace, folder: Path) -> list[str]:
    return [*namespace.prefix, "env", f"--chdir={folder}"]


@pytest.fixture
def small_disk(namespace: MountNamespace, tmp_path: Path) -> Path:
    """A real disk of two megabytes under the database, which starts with 0.2 and its log; as we reach it."""
    (tmp_path / DISK).mkdir()
    namespace.run("mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", tmp_path / DISK)
    return namespace.seen(tmp_path / DISK)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return filler


# --- the disk -----------------------------------------------------------------------------------------------------------


def test_what_happens_while_the_disk_is_full_is_told_once_there_is_room(
    namespace: MountNamespace, small_disk: Path, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, figure: Figure
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path, prefix=prefix(namespace, tmp_path)) as daemon:
        filler = fill(small_disk)
        daemon.wait_for("the disk is full, nothing was written; `df -h ", 60)
        redis_server.stop_redis()
        time.sleep(2)  # some looks that cannot be written
        assert told(receiver) == []
        filler.unlink()
        freed = time.monotonic()
        heard(receiver, "first")
        figure(f"machine: told {time.monotonic() - freed:.1f} s after a full disk had room again")
        told_in_full(daemon, receiver, redis_server)


def test_what_was_sent_while_the_disk_fills_is_not_sent_again(
    namespace: MountNamespace, small_disk: Path, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    receiver.then(Answer(delay_s=4.0))
    with running(tmp_path, prefix=prefix(namespace, tmp_path)) as daemon:
        redis_server.stop_redis()
        receiver.wait_for(1)
        filler = fill(small_disk)
        daemon.wait_for("outcome_not_written", 60)
        filler.unlink()
        daemon.wait_for("message_delivered")
        told_in_full(daemon, receiver, redis_server)
    assert len(receiver.requests) == 2


def test_a_start_on_a_full_disk_is_refused_with_what_to_do(
    namespace: MountNamespace, small_disk: Path, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    fill(small_disk)
    daemon = Daemon(tmp_path, prefix=prefix(namespace, tmp_path))
    assert daemon.process.wait(30) == 1
    assert "the disk is full, nothing was written; `df -h " in daemon.text
    assert "Traceback" not in daemon.text


def test_a_read_only_disk_is_refused_and_what_it_holds_is_still_shown(
    namespace: MountNamespace, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    redis_server.stop_redis()
    with running(tmp_path) as daemon:
        heard(receiver, "first")
        assert daemon.end() == 0
    namespace.run("mount", "--bind", tmp_path / DISK, tmp_path / DISK)
    namespace.run("mount", "-o", "remount,ro,bind", tmp_path / DISK)
    refused = Daemon(tmp_path, prefix=prefix(namespace, tmp_path))
    assert refused.process.wait(30) == 1
    assert "read-only" in refused.own_text
    listed = namespace.run(*("env", f"--chdir={tmp_path}", *COMMAND, "incidents", "--format", "json"))
    assert [incident["rule"] for incident in json.loads(listed)["incidents"]] == ["BrokerUnreachable"]
    with running(tmp_path) as daemon:
        told_in_full(daemon, receiver, redis_server)


def test_a_disk_that_fails_under_the_daemon_is_told_of_and_what_was_committed_is_there_after_its_repair(
    namespace: MountNamespace, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    """What ext4 does on an error of the disk: it turns read-only, with files open for writing."""
    image = tmp_path / "image"
    image.write_bytes(b"\0" * 2**23)
    mount: list[str | Path] = ["mount", "-o", "loop,errors=remount-ro", image, tmp_path / DISK]
    configure(tmp_path, redis_server, receiver.url)
    try:
        namespace.run("mkfs.ext4", "-q", "-F", image)
        namespace.run(*mount)
    except AssertionError as impossible:
        pytest.skip(f"no disk can be made of a file here: {impossible}")
    with running(tmp_path, prefix=prefix(namespace, tmp_path)) as daemon:
        redis_server.stop_redis()
        heard(receiver, "first")
        daemon.wait_for("message_delivered")
        namespace.run("mount", "-o", "remount,abort", tmp_path / DISK)
        daemon.wait_for("cycle_failed")
        assert "nothing was written; " in daemon.own_text
        assert daemon.end() == 0
    namespace.run("umount", tmp_path / DISK)
    namespace.run("sh", "-c", f"e2fsck -fy {image}; test $? -lt 4")
    namespace.run(*mount)
    with running(tmp_path, prefix=prefix(namespace, tmp_path)) as daemon:
        told_in_full(daemon, receiver, redis_server)


def test_a_damaged_file_is_refused_and_what_is_open_in_it_is_rescued(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, figure: Figure
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    path = tmp_path / DISK / "watchdog.db"
    with running(tmp_path) as daemon:
        redis_server.stop_redis()
        heard(receiver, "first")
        daemon.wait_for("message_delivered")
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            page = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'samples'").fetchone()[0]
            with path.open("r+b") as file:
                file.seek((page - 1) * 4096)
                file.write(b"\xff" * 4096)
            other.execute("UPDATE cycles SET at = at")  # so that the daemon reads anew
        daemon.wait_for("is damaged; stop watchdog, `watchdog database rescue --database ")
        assert daemon.end() == 0
    refused = Daemon(tmp_path)
    assert refused.process.wait(30) == 1
    assert "is damaged; stop watchdog, `watchdog database rescue --database " in refused.own_text
    rescued = watchdog_process("database", "rescue", cwd=tmp_path)
    assert (rescued.returncode, rescued.stderr) == (0, "")
    assert "incidents that are open: 1\n" in rescued.stdout
    figure(f"machine: of a damaged file were rescued: {', '.join(rescued.stdout.splitlines()[2:-1])}")
    with running(tmp_path) as daemon:
        told_in_full(daemon, receiver, redis_server)


def test_a_database_that_is_deleted_is_put_back(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        redis_server.stop_redis()
        heard(receiver, "first")
        for file in (tmp_path / DISK).iterdir():
            file.unlink()
        daemon.wait_for("it was deleted while watchdog used it")
        assert daemon.end() == 0
    with running(tmp_path) as daemon:
        told_in_full(daemon, receiver, redis_server)


# --- other processes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_what_happens_while_another_process_writes_is_told_once_it_is_done(
    lock: str, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, count: Callable[[int], int], figure: Figure
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon, closing(sqlite3.connect(tmp_path / DISK / "watchdog.db", isolation_level=None)) as other:
        other.execute(lock)
        redis_server.stop_redis()
        time.sleep(count(7))
        daemon.wait_for("locked by another process for more than 5s, nothing was written; `fuser ")
        assert told(receiver) == []
        other.execute("ROLLBACK")
        freed = time.monotonic()
        heard(receiver, "first")
        figure(f"machine: told {time.monotonic() - freed:.1f} s after a lock of {count(7)} s was gone")
        told_in_full(daemon, receiver, redis_server)


def test_a_reader_holds_nothing_up(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, count: Callable[[int], int]) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon, closing(sqlite3.connect(tmp_path / DISK / "watchdog.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM incidents").fetchone()
        redis_server.stop_redis()
        heard(receiver, "first")
        time.sleep(count(3))
        told_in_full(daemon, receiver, redis_server)
        other.execute("ROLLBACK")
    assert "locked" not in daemon.text


def test_an_operators_commands_beside_the_cycles_see_whole_states_and_hold_nothing_up(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, count: Callable[[int], int]
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        redis_server.stop_redis()
        heard(receiver, "first")
        for _ in range(count(3)):
            listed = watchdog_process("incidents", "--format", "json", cwd=tmp_path)
            assert listed.returncode == 0, listed.stderr
            assert [incident["rule"] for incident in json.loads(listed.stdout)["incidents"]] == ["BrokerUnreachable"]
        told_in_full(daemon, receiver, redis_server)
    assert "cycle_failed" not in daemon.text


def test_a_second_daemon_is_refused_and_the_first_goes_on(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        second = watchdog_process("run", cwd=tmp_path)
        assert (second.returncode, second.stdout) == (1, "")
        assert f"another watchdog (pid {daemon.process.pid}) uses " in second.stderr
        assert "stop it first" in second.stderr
        redis_server.stop_redis()
        told_in_full(daemon, receiver, redis_server)


# --- signals ------------------------------------------------------------------------------------------------------------


def test_sigterm_finishes_the_delivery_in_hand(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    configure(tmp_path, redis_server, receiver.url)
    receiver.then(Answer(delay_s=2.0))
    with running(tmp_path) as daemon:
        redis_server.stop_redis()
        receiver.wait_for(1)
        assert daemon.end() == 0
        assert "message_delivered" in daemon.text
    with running(tmp_path) as daemon:
        told_in_full(daemon, receiver, redis_server)
    assert len(receiver.requests) == 2


def test_sighup_with_a_broken_configuration_keeps_the_old_one_and_tells_so(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    path = configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        whole = path.read_text()
        path.write_text(whole + "[[target]\n")
        daemon.send(signal.SIGHUP)
        daemon.wait_for("reload_rejected")
        heard(receiver, "first", rule="ConfigRejected")
        path.write_text(whole)
        daemon.send(signal.SIGHUP)
        heard(receiver, "first", "resolved", rule="ConfigRejected")
        redis_server.stop_redis()
        told_in_full(daemon, receiver, redis_server, rules=("BrokerUnreachable", "ConfigRejected"))
    assert "watchdog.toml:" in daemon.text


# --- time: the daemon's own objects, with clocks that we set ------------------------------------------------------------


class Clock:
    """Runs as time does, from where we set it."""

    def __init__(self, runs: Callable[[], float]) -> None:
        self._runs, self.ahead_s = runs, 0.0

    def __call__(self) -> float:
        return self._runs() + self.ahead_s


SLOW = """
[[rule]]
name = "DownForLong"
from = "sources"
when = "not up"
summary = "down for long"
[[override]]
rule = "DownForLong"
for = "9m"
"""
"""Must not fire in a test, whatever its clocks say."""


@contextmanager
def in_process(folder: Path, clock: Clock, stopwatch: Clock) -> Iterator[None]:
    """The daemon in a thread of ours, by these clocks. It logs no error."""
    conf = load_with_rules(folder / "watchdog.toml", {})
    self_monitor, pace = SelfMonitor(), Pace(stopwatch)
    with capture_logs() as logs, Store.open(conf.loaded.database) as store:
        daemon = InProcess(
            lambda: build_watching(conf, store, self_monitor, pace, clock, stopwatch), store, self_monitor,
            environ={}, clock=clock, stopwatch=stopwatch,
        )  # fmt: skip
        thread = threading.Thread(target=daemon.run)
        thread.start()
        try:
            until(lambda: any(log["event"] == "watchdog_started" for log in logs), 20, "the start")
            yield
        finally:
            daemon.end()
            thread.join(30)
    assert not thread.is_alive()
    assert [log for log in logs if log["log_level"] == "error"] == []


def with_slow_rule(folder: Path, cluster: Cluster, hook: str) -> None:
    rule, override = SLOW.split("[[override]]")
    (folder / "slow.toml").write_text(rule)
    path = configure(folder, cluster, hook, more=f"[[override]]{override}")
    text = path.read_text().replace('type = "webhook"', 'type = "webhook"\nrepeat = "0s"')  # reminders go by the wall clock
    path.write_text('rules = ["slow.toml"]\n' + text)


def some_looks() -> None:
    time.sleep(1.5)  # five looks


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_a_clock_that_is_set_by_an_hour_and_back_begins_and_ends_nothing(
    hours: int, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    with_slow_rule(tmp_path, redis_server, receiver.url)
    clock = Clock(time.time)
    with in_process(tmp_path, clock, Clock(time.monotonic)):
        redis_server.stop_redis()
        heard(receiver, "first")
        clock.ahead_s = hours * 3600.0
        some_looks()
        heard(receiver, "first")
        with Store.open(tmp_path / DISK / "watchdog.db", create=False) as store:
            assert ("DownForLong", State.PENDING) in {(found.rule, found.state) for found in store.incidents()}
        redis_server.start_redis()
        heard(receiver, "first", "resolved")
        clock.ahead_s = 0.0
        some_looks()
        redis_server.stop_redis()
        heard(receiver, "first", "resolved", "first")
        redis_server.start_redis()
        heard(receiver, "first", "resolved", "first", "resolved")
    assert {rule for _, rule, _ in told(receiver)} == {"BrokerUnreachable"}


def test_a_message_that_waits_for_another_try_is_not_held_up_by_a_clock_that_is_set_back(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    receiver.then(Answer(503), Answer(503))
    clock = Clock(time.time)
    with in_process(tmp_path, clock, Clock(time.monotonic)):
        redis_server.stop_redis()
        receiver.wait_for(1)
        clock.ahead_s = -3600.0
        receiver.wait_for(3)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


def test_ten_minutes_of_sleep_begin_and_end_nothing(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    """A machine that sleeps stops the monotonic clock; one that is frozen by its hypervisor may not. Both."""
    with_slow_rule(tmp_path, redis_server, receiver.url)
    clock, stopwatch = Clock(time.time), Clock(time.monotonic)
    with in_process(tmp_path, clock, stopwatch):
        some_looks()
        clock.ahead_s += 600
        some_looks()
        assert told(receiver) == []
        redis_server.stop_redis()
        heard(receiver, "first")
        clock.ahead_s += 600
        stopwatch.ahead_s += 600
        some_looks()
        heard(receiver, "first")
        redis_server.start_redis()
        heard(receiver, "first", "resolved")
    assert {rule for _, rule, _ in told(receiver)} == {"BrokerUnreachable"}


# --- limits of the process ----------------------------------------------------------------------------------------------------


def test_a_suspended_daemon_wakes_and_tells_what_it_finds(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, count: Callable[[int], int]
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        daemon.send(signal.SIGSTOP)
        time.sleep(count(4))
        daemon.send(signal.SIGCONT)
        time.sleep(1)  # some looks at what is well
        daemon.send(signal.SIGSTOP)
        redis_server.stop_redis()
        daemon.send(signal.SIGCONT)
        told_in_full(daemon, receiver, redis_server)


def test_out_of_file_descriptors_nothing_is_blamed_on_redis_and_nothing_is_lost(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path, figure: Figure
) -> None:
    configure(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        pid = daemon.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, usual[1]))
        redis_server.stop_redis()
        redis_server.start_redis()
        daemon.wait_for("LimitNOFILE", 20)
        time.sleep(2)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        time.sleep(2)
        assert told(receiver) == []
        figure("machine: out of file descriptors, nothing was sent about a Redis that was well")
        redis_server.stop_redis()
        told_in_full(daemon, receiver, redis_server)
