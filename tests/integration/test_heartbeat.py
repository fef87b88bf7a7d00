"""The heartbeat's thread, with cycles that end on command, and the listener of docs/heartbeat.md."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.servers.waiting import until
from watchdog.config.sections.heartbeat import failing_url
from watchdog.core.incidents.outcome import Delivered, Later, Outcome
from watchdog.core.model.self_seen import ReceiverSeen
from watchdog.daemon.beside.heartbeat import Heartbeat, LastPing
from watchdog.demo.processes import free_port
from watchdog.receivers.http.outcome import HttpAnswer
from watchdog.store import AwayError, StoreError

DOC = Path(__file__).parents[2] / "docs" / "heartbeat.md"


class Heard:
    """A URL with programmed answers, which counts requests."""

    def __init__(self) -> None:
        self.count, self.closed = 0, False
        self.answer: Callable[[], Outcome] = Delivered

    def get(self, headers: Mapping[str, str], now: float, sort: Callable[[HttpAnswer, float], Outcome] | None = None) -> Outcome:
        self.count += 1
        return self.answer()

    def close(self) -> None:
        self.closed = True


class Stage:
    """A heartbeat of two targets whose clock stands still until it is moved."""

    def __init__(self) -> None:
        self.well, self.fail, self.now, self.last = Heard(), Heard(), 1000.0, LastPing()
        self.receivers: list[ReceiverSeen] | StoreError = [ReceiverSeen("ops")]
        self.heartbeat = Heartbeat(
            self.well, self.fail, headers={}, every_s=60, receivers=self.known, delivering=lambda: True, last=self.last,
            clock=lambda: self.now, stopwatch=lambda: self.now,
        )  # fmt: skip

    def known(self) -> list[ReceiverSeen]:
        if isinstance(self.receivers, StoreError):
            raise self.receivers
        return self.receivers

    def round(self, *, after: float = 60, failed: str = "") -> None:
        self.now += after
        self.heartbeat.cycle_ended("a", failed)
        self.heartbeat.cycle_ended("b")

    def heard(self, well: int, fail: int) -> None:
        until(lambda: (self.well.count, self.fail.count) == (well, fail), 10, f"{well} well and {fail} fail")


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as captured:
        yield captured


@pytest.fixture
def stage(logs: list[EventDict]) -> Iterator[Stage]:
    made = Stage()
    made.heartbeat.start({"a": 90.0, "b": 90.0})
    yield made
    made.heartbeat.stop()
    made.heartbeat._thread.join(10)
    assert not made.heartbeat._thread.is_alive()


def settled(stage: Stage) -> None:
    """Until the thread has looked at all that was noted: it is done with one look once it begins the next."""
    for _ in range(2):
        stage.heartbeat._woken.set()
        until(lambda: not stage.heartbeat._woken.is_set(), 10, "the thread to wake")


def test_it_falls_silent_while_one_cycle_hangs_and_speaks_again_after(stage: Stage) -> None:
    stage.round()
    stage.heard(1, 0)
    for _ in range(3):
        stage.now += 60
        stage.heartbeat.cycle_ended("b")
        settled(stage)
    assert (stage.well.count, stage.fail.count) == (1, 0)
    stage.round(after=1)
    stage.heard(2, 0)


def test_what_was_given_up_before_it_began_is_no_failure(logs: list[EventDict]) -> None:
    stage = Stage()
    stage.receivers = [ReceiverSeen("ops", dead_since_ok=3)]
    stage.heartbeat.start({"a": 90.0, "b": 90.0})
    try:
        until(lambda: "ops" in stage.heartbeat._dead, 10, "the first look")
        stage.round()
        stage.heard(1, 0)
        stage.receivers = [ReceiverSeen("ops", dead_since_ok=4)]
        stage.round()
        stage.heard(1, 1)
        stage.receivers = [ReceiverSeen("ops", dead_since_ok=0)]
        stage.round()
        stage.heard(2, 1)
        stage.receivers = [ReceiverSeen("ops", dead_since_ok=1)]
        stage.round()
        stage.heard(2, 2)
    finally:
        stage.heartbeat.stop()


def test_a_cycle_that_failed_and_one_that_did_not_since_is_no_failure(stage: Stage) -> None:
    stage.round()
    stage.heard(1, 0)
    stage.round(after=30, failed="locked")
    stage.round(after=30)
    stage.heard(2, 0)
    stage.round(failed="locked")
    stage.heard(2, 1)


def test_what_goes_wrong_inside_is_told_without_its_text_and_ends_nothing(stage: Stage, logs: list[EventDict]) -> None:
    def trips() -> Outcome:
        raise RuntimeError("https://hc-ping.com/s3cret")

    stage.well.answer = trips
    stage.round()
    until(lambda: stage.heartbeat.error != "", 10, "the error")
    assert "s3cret" not in str([log for log in logs if log["log_level"] != "debug"])
    stage.well.answer = Delivered
    stage.round()
    until(lambda: stage.heartbeat.error == "", 10, "no error")


def test_a_failure_to_be_heard_is_logged_once_per_change(stage: Stage, logs: list[EventDict]) -> None:
    stage.well.answer = lambda: Later("down")
    for number in range(1, 4):
        stage.round()
        stage.heard(number, 0)
    stage.well.answer = Delivered
    for number in range(4, 6):
        stage.round()
        stage.heard(number, 0)
    settled(stage)
    assert [log["event"] for log in logs] == ["heartbeat_failed", "heartbeat_accepted"]


def test_while_the_database_is_away_it_is_silent_and_speaks_again_after(stage: Stage) -> None:
    stage.round()
    stage.heard(1, 0)
    stage.receivers = AwayError("no connection")
    stage.round()
    settled(stage)
    stage.receivers = [ReceiverSeen("ops")]
    stage.round()
    stage.heard(2, 0)


def test_nothing_is_said_after_the_end_and_its_sockets_are_given_back(stage: Stage) -> None:
    stage.heartbeat.stop()
    stage.round()
    until(lambda: stage.well.closed and stage.fail.closed, 10, "closed sockets")
    assert stage.well.count == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"),
        ("https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/fail"),
        ("https://hc-ping.com/key/slug?create=1&x=%2F", "https://hc-ping.com/key/slug/fail?create=1&x=%2F"),
        ("https://u:p@host:8443", "https://u:p@host:8443/fail"),
        ("https://host/a%2Fb#top", "https://host/a%2Fb/fail"),
    ],
)
def test_fail_stands_behind_the_path_and_before_the_query(url: str, expected: str) -> None:
    assert failing_url(url) == expected


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The listener of the documentation, which is silent for a second at most; its URL, and what it writes to where it alarms."""
    code = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)[0]
    script, alarms, port = tmp_path / "heard.py", tmp_path / "alarms", free_port()
    script.write_text(code)
    alarm = [sys.executable, "-c", f"open({str(alarms)!r}, 'a').write('!')"]
    process = subprocess.Popen([sys.executable, str(script), str(port), "1", *alarm], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/watchdog", alarms
    finally:
        process.kill()
        process.wait()


def alarms_of(alarms: Path) -> int:
    return len(alarms.read_text()) if alarms.exists() else 0


def get(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_listener_of_the_documentation_alarms_once_when_watchdog_falls_silent_or_fails(listener: tuple[str, Path]) -> None:
    url, alarms = listener
    until(lambda: get(url), 15, "the listener")
    until(lambda: alarms_of(alarms) == 1, 15, "an alarm for silence")
    assert get(url)
    assert get(failing_url(url))
    until(lambda: alarms_of(alarms) == 2, 15, "an alarm for a failure")
