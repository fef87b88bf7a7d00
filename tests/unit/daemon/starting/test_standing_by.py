"""What a daemon says while another one works, to systemd and in the log; what a process leaves to itself as it begins anew."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import json
from structlog.testing import capture_logs

from watchdog.daemon.sd_notify import Notifier
from watchdog.daemon.starting import early_signals
from watchdog.daemon.starting.begun_anew import Left, begin_anew, left_before
from watchdog.daemon.starting.standing_by import OVERDUE_S, StandingBy
from watchdog.store.sql import StandBy

FOR_ONE = StandBy("another watchdog (one, pid 7) uses …", "one, pid 7")
AWAY = StandBy("database …: nothing listens there")
LEFT = Left("postgresql://watchdog:secret@db/watchdog", "info", "json", "0.0.0.0:5556", ("0.0.0.0", 5556), "/ops", authenticates=True)


class Said:
    def __init__(self, bound: socket.socket) -> None:
        self._socket = bound

    def status(self) -> str:
        """The last STATUS line."""
        found = ""
        while True:
            try:
                lines = self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return found
            found = next((line for line in lines if line.startswith("STATUS=")), found)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Said]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.setblocking(False)
        yield Said(bound)


@pytest.fixture
def standing_by(systemd: Said, tmp_path: Path) -> StandingBy:
    times = iter(range(1000))
    return StandingBy(Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}), lambda: None, lambda: float(next(times)))


@pytest.fixture
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in early_signals.LISTENED_FOR}
    yield
    early_signals._noted.clear()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (FOR_ONE, "STATUS=stands by for one, pid 7"),
        (StandBy("", "one, pid 7", older=True), "STATUS=stands by for one, pid 7, which runs an older watchdog"),
        (AWAY, "STATUS=stands by, and does not reach the database: database …: nothing listens there"),
    ],
    ids=["another works", "an older one works", "the database is away"],
)
def test_systemd_shows_for_whom_it_stands_by(standing_by: StandingBy, systemd: Said, seen: StandBy, status: str) -> None:
    assert standing_by.wait(seen)
    assert systemd.status() == status


def test_it_is_logged_once_for_each_whom_it_stands_by_for(standing_by: StandingBy) -> None:
    with capture_logs() as logs:
        for seen in (FOR_ONE, FOR_ONE, AWAY, AWAY, FOR_ONE):
            standing_by.wait(seen)
    assert [log["holder"] for log in logs] == ["one, pid 7", "unknown", "one, pid 7"]


def test_whom_it_took_over_from_is_logged(standing_by: StandingBy, signals: None) -> None:
    standing_by.wait(FOR_ONE)
    standing_by.wait(AWAY)
    with capture_logs() as logs:
        standing_by.took_over()
    assert [(log["event"], log["after"]) for log in logs] == [("took_over", "one, pid 7")]


def test_one_that_never_stood_by_took_nothing_over(standing_by: StandingBy, signals: None) -> None:
    with capture_logs() as logs:
        standing_by.took_over()
    assert logs == []


def test_who_is_asked_to_end_waits_no_longer(standing_by: StandingBy, signals: None) -> None:
    early_signals.note_signals()
    os.kill(os.getpid(), signal.SIGTERM)
    assert not standing_by.wait(FOR_ONE)


def test_a_reload_is_no_reason_to_end(standing_by: StandingBy, signals: None) -> None:
    early_signals.note_signals()
    os.kill(os.getpid(), signal.SIGHUP)
    assert standing_by.wait(FOR_ONE)


def test_one_that_does_not_look_at_the_lease_is_stuck(systemd: Said) -> None:
    times = iter([0.0, OVERDUE_S, OVERDUE_S + 1])
    one = StandingBy(Notifier({}), lambda: None, lambda: next(times))
    one.wait(FOR_ONE)
    assert (one.stuck_s(), one.stuck_s()) == (0.0, OVERDUE_S + 1)


@pytest.mark.parametrize(("noted", "begun"), [(signal.SIGTERM, 0), (signal.SIGHUP, 1)])
def test_whoever_is_asked_to_end_does_not_begin_anew(
    signals: None, monkeypatch: pytest.MonkeyPatch, noted: signal.Signals, begun: int
) -> None:
    """The new image would not know, and stand by for ever."""
    images: list[object] = []
    monkeypatch.setattr(os, "execve", lambda *given: images.append(given))
    early_signals.note_signals()
    os.kill(os.getpid(), noted)
    begin_anew(LEFT)
    assert len(images) == begun


def test_a_process_that_found_nothing_does_not_begin_anew_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    images: list[object] = []
    monkeypatch.setattr(os, "execve", lambda *given: images.append(given))
    monkeypatch.setenv("_WATCHDOG_BEGUN_ANEW", "987654")
    assert left_before(os.environ) is None
    begin_anew(LEFT)
    assert images == []


def test_what_was_left_is_found_once() -> None:
    reader, writer = os.pipe()
    os.write(writer, json.encode(LEFT))
    os.close(writer)
    environ = {"_WATCHDOG_BEGUN_ANEW": str(reader)}
    assert (left_before(environ), left_before(environ), environ) == (LEFT, None, {})


@pytest.mark.parametrize("number", ["", "not a number", "987654"])
def test_what_cannot_be_read_is_a_start_like_any_other(number: str) -> None:
    assert left_before({"_WATCHDOG_BEGUN_ANEW": number}) is None
