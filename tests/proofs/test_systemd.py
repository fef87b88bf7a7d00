"""Proof: the shipped unit in a booted Debian, with a real systemd, a real Redis and a real receiver, does what systemd/README.md says.

The unit is used as it is. Where a test cannot wait as long as the unit does, a drop-in with a shorter time says so.
"""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.processes.cluster import Cluster
from tests.processes.machine import Machine, MissingError, Service, booted
from tests.processes.running import events_of
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

Figure = Callable[[str], None]
WATCHDOG = "/opt/watchdog/bin/watchdog"
STATE = "/var/lib/private/watchdog"
SEEN = '[[rule]]\nname = "Seen"\nfrom = "broker"\nwhen = "latency_ms >= 0"\nsummary = "seen"\n'
"""A rule that always has something to say."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    try:
        with booted() as ready:
            yield ready
    except MissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def service(machine: Machine) -> Iterator[Service]:
    """Stopped and empty, before and after; and whatever happened, it wrote no traceback."""
    fresh = Service(machine)
    yield fresh
    journal = fresh.journal
    fresh.reset()
    assert "Traceback" not in journal, journal


def configuration(cluster: Cluster, *hooks: str, interval: str = "0.5s", rules: bool = False) -> str:
    """One target, a receiver for each hook, and rules that wait for nothing."""
    lines = [f'interval = "{interval}"', *(['rules = ["rules.toml"]'] if rules else [])]
    lines += ["[[target]]", 'name = "prod"', f'redis = {{ url = "{cluster.redis_url}", timeout = "30s" }}']
    for number, hook in enumerate(hooks, 1):
        lines += ["[[receiver]]", f'name = "ops-{number}"', 'type = "webhook"', f"url = {json.dumps(hook)}", 'group_interval = "0s"']
    lines += ["[[override]]", 'rule = "*"', 'for = "0s"', 'keep_firing_for = "1s"']
    return "\n".join(lines) + "\n"


def heard(receiver: RecordingReceiver, rule: str, *events: str) -> None:
    until(lambda: events_of(receiver, rule) == list(events), 30, f"{rule} to be notified as {events}")


def test_systemd_finds_no_fault_in_it_and_calls_it_closed(service: Service, figure: Figure) -> None:
    verified = service.machine.run("systemd-analyze", "verify", "watchdog.service", check=False)
    rated = service.machine.run("systemd-analyze", "security", "watchdog.service").stdout
    exposure = float(re.findall(r"Overall exposure level.*: ([\d.]+)", rated)[0])
    figure(f"systemd: exposure {exposure} of 10")
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert exposure <= 2.0


def test_it_is_active_only_once_the_first_cycle_is_done(service: Service, redis_server: Cluster, receiver: RecordingReceiver) -> None:
    service.configure(configuration(redis_server, receiver.url))
    service.drop_in("TimeoutStartSec", "10s", why="shorter than the look below: the daemon must ask for more time")
    redis_server.stop_redis(signal.SIGSTOP)
    service.systemctl("start", "--no-block")
    service.wait_for("watchdog_started")
    time.sleep(11)
    while_it_looks = service.shows("ActiveState")
    redis_server.resume_redis()
    until(lambda: service.shows("ActiveState") != "activating", 30, "the start to end")
    count = f"import sqlite3; print(*sqlite3.connect('{STATE}/watchdog.db').execute('SELECT target FROM cycles ORDER BY 1'))"
    assert (while_it_looks, service.shows("ActiveState")) == ("activating", "active")
    assert "prod" in service.machine.run("python3", "-c", count).stdout


def test_a_wrong_configuration_ends_the_start_and_is_not_tried_again(service: Service, redis_server: Cluster) -> None:
    service.configure(configuration(redis_server).replace("interval", "intervall"))
    assert service.systemctl("start", check=False).returncode != 0
    assert (service.shows("ActiveState"), service.shows("NRestarts")) == ("failed", "0")
    assert 'did you mean "interval"' in service.systemctl("status", check=False).stdout


def test_a_reload_brings_the_new_configuration_into_the_same_process(
    service: Service, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    service.configure(configuration(redis_server, receiver.url))
    service.start()
    before = service.pid
    service.machine.write("/etc/watchdog/rules.toml", SEEN)
    service.configure(configuration(redis_server, receiver.url, rules=True))
    service.systemctl("reload")
    heard(receiver, "Seen", "first")
    assert service.pid == before


def test_a_reload_with_a_fault_changes_nothing_and_shows_the_fault(
    service: Service, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    service.configure(configuration(redis_server, receiver.url))
    service.start()
    before = service.pid
    service.configure(configuration(redis_server, receiver.url) + "colour = 1\n")
    reloaded = service.systemctl("reload", check=False)
    status = service.systemctl("status", check=False).stdout
    redis_server.stop_redis()
    heard(receiver, "BrokerUnreachable", "first")
    assert reloaded.returncode != 0
    assert "/etc/watchdog/watchdog.toml:" in status
    assert "colour: unknown key" in status
    assert (service.pid, service.shows("ActiveState")) == (before, "active")


def test_a_signal_with_a_faulty_configuration_is_told_and_its_repair_too(
    service: Service, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    service.configure(configuration(redis_server, receiver.url))
    service.start()
    before = service.pid
    service.configure(configuration(redis_server, receiver.url) + "colour = 1\n")
    service.systemctl("kill", "--signal=HUP", "--kill-who=main")
    heard(receiver, "ConfigRejected", "first")
    service.configure(configuration(redis_server, receiver.url))
    service.systemctl("reload")
    heard(receiver, "ConfigRejected", "first", "resolved")
    assert (service.pid, service.shows("ActiveState")) == (before, "active")


def test_a_restart_keeps_open_incidents_quiet(service: Service, redis_server: Cluster, receiver: RecordingReceiver) -> None:
    service.configure(configuration(redis_server, receiver.url))
    redis_server.stop_redis()
    service.start()
    heard(receiver, "BrokerUnreachable", "first")
    for _ in range(2):
        service.systemctl("restart")
    time.sleep(2)  # four cycles that find it still burning
    assert events_of(receiver, "BrokerUnreachable") == ["first"]
    redis_server.start_redis()
    heard(receiver, "BrokerUnreachable", "first", "resolved")


def test_credentials_arrive_from_files_that_only_root_reads(service: Service, redis_server: Cluster, receiver: RecordingReceiver) -> None:
    service.machine.write("/etc/watchdog/credentials/hook", f"{receiver.url}/s3cret\n", mode=0o600)
    service.drop_in("LoadCredential", "hook:/etc/watchdog/credentials/hook", why="as README.md says")
    service.configure(configuration(redis_server, "${credential:hook}"))
    redis_server.stop_redis()
    service.start()
    heard(receiver, "BrokerUnreachable", "first")
    service.systemctl("reload")
    service.wait_for("configuration_reloaded")
    assert {request.path for request in receiver.requests} == {"/hook/s3cret"}
    assert "s3cret" not in service.journal


def test_a_frozen_daemon_is_restarted(service: Service, redis_server: Cluster, receiver: RecordingReceiver, figure: Figure) -> None:
    service.configure(configuration(redis_server, receiver.url))
    service.drop_in("WatchdogSec", "4s", why="60 s in the unit: too long to wait for here")
    redis_server.stop_redis()
    service.start()
    heard(receiver, "BrokerUnreachable", "first")
    frozen = service.pid
    assert service.shows("WatchdogUSec") == "4s"
    service.systemctl("kill", "--signal=STOP", "--kill-who=main")
    began = time.monotonic()
    until(lambda: service.pid not in (0, frozen) and service.shows("ActiveState") == "active", 60, "another daemon at work", every=0.2)
    figure(f"systemd: a frozen daemon was replaced after {time.monotonic() - began:.1f} s, with WatchdogSec=4s and RestartSec=5s")
    redis_server.start_redis()
    heard(receiver, "BrokerUnreachable", "first", "resolved")
    assert "Watchdog timeout" in service.journal


def test_a_daemon_that_looks_every_five_minutes_is_not_restarted(
    service: Service, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    service.configure(configuration(redis_server, receiver.url, interval="5m"))
    service.drop_in("WatchdogSec", "4s", why="60 s in the unit: here three periods pass in 12 s")
    service.start()
    before = service.pid
    assert service.shows("WatchdogUSec") == "4s"
    time.sleep(12)
    assert (service.pid, service.shows("NRestarts"), service.shows("ActiveState")) == (before, "0", "active")


WRITE_EVERYWHERE = r"""
import os, stat
tried, written = 0, []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if not os.path.islink(os.path.join(folder, name)) and (folder != "/" or name != "proc")]
    mine = os.path.join(folder, ".written-by-a-test")
    tried += 1
    try:
        os.close(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.unlink(mine)
        written.append(folder)
    except OSError:
        pass
    for name in files:
        path = os.path.join(folder, name)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            tried += 1
            os.close(os.open(path, os.O_WRONLY))
            written.append(path)
        except OSError:
            pass
print(tried)
print("\n".join(written))
"""
"""Tries to create a file in every folder and to open every file for writing; /proc aside, where a process finds itself."""


def test_it_can_write_to_nothing_but_its_state(
    service: Service, redis_server: Cluster, receiver: RecordingReceiver, figure: Figure
) -> None:
    service.configure(configuration(redis_server, receiver.url))
    service.start()
    pid, user = str(service.pid), service.machine.run("stat", "--format=%u", STATE).stdout.strip()
    enter = ["nsenter", f"--target={pid}", "--all", f"--setuid={user}", f"--setgid={user}", "--"]
    answer = service.machine.run(*enter, "/opt/watchdog/bin/python", "-c", WRITE_EVERYWHERE).stdout.split("\n")
    environment = service.machine.run("cat", f"/proc/{pid}/environ").stdout.split("\0")
    tried, written = int(answer[0]), [path for path in answer[1:] if path]
    figure(f"systemd: {tried} files and folders tried from inside the service, {len(written)} writable, all of them its own state")
    assert tried > 5000
    assert STATE in written
    assert "TMPDIR=/var/lib/watchdog" in environment  # where SQLite sorts what is large: a name of the same folder
    assert [path for path in written if not path.startswith(STATE)] == []
