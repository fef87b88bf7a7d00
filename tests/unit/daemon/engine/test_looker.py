"""A worker's looks: by the daemon's configuration or not at all."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from watchdog.core.incidents.plan import Plan
from watchdog.core.model.reading import Seen
from watchdog.daemon.cycle import Cycle, Done
from watchdog.daemon.engine.looker import Looker, Looking, UnreadableError
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.store import NotInForceError, OvertakenError, StoreError


class FakeCycle:
    """A cycle that ends as its files say."""

    def __init__(self, files: "Files") -> None:
        self.files, self.runs, self.closed = files, 0, False
        self.target = type("Target", (), {"name": "prod"})

    def run(self) -> Any:
        self.runs += 1
        return self.files.ends()

    def stop(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        self.closed = True


def overtaken() -> None:
    raise OvertakenError("another looked")


class Files:
    """What a worker reads: configurations, one after the other."""

    def __init__(self) -> None:
        self.fingerprint, self.read = "f1", 0
        self.fault: Exception | None = None
        self.cycles: list[FakeCycle] = []
        self.ends: Callable[[], Any] = overtaken
        self.in_force = ""

    def __call__(self) -> Looking:
        self.read += 1
        if self.fault:
            raise self.fault
        self.cycles.append(FakeCycle(self))
        return Looking(self.fingerprint, {"prod": cast("Cycle", self.cycles[-1])}, frozenset())


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def looker(files: Files, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looker]:
    monkeypatch.setattr("watchdog.daemon.engine.looker.READ_EVERY_S", 0.0)
    one = Looker(files, SelfMonitor(), lambda: files.in_force)
    yield one
    one.close()


def test_the_first_look_reads_the_configuration_and_the_next_ones_do_not(files: Files, looker: Looker) -> None:
    looker.look("prod", "f1", 1.0)
    looker.look("prod", "f1", 1.0)
    assert (files.read, files.cycles[0].runs) == (1, 2)


def test_it_is_read_again_once_the_daemon_has_and_the_old_one_is_closed(files: Files, looker: Looker) -> None:
    looker.look("prod", "f1", 1.0)
    looker.look("prod", "f1", 2.0)
    assert [(one.runs, one.closed) for one in files.cycles] == [(1, True), (1, False)]


def test_a_look_of_another_configuration_is_refused_and_said_once(files: Files, looker: Looker) -> None:
    with capture_logs() as logs:
        looker.look("prod", "f2", 1.0)
        looker.look("prod", "f2", 1.0)
    assert files.cycles[0].runs == 0
    assert "f2" in looker.refuses
    assert [line["event"] for line in logs].count("looks_refused") == 1


def test_a_look_from_before_a_reload_is_dropped_without_a_word(files: Files, looker: Looker) -> None:
    looker.look("prod", "f1", 1.0)
    files.fingerprint = files.in_force = "f2"
    looker.look("prod", "f2", 2.0)
    with capture_logs() as logs:
        looker.look("prod", "f1", 1.0)
    assert (files.read, files.cycles[-1].runs, looker.refuses, logs) == (2, 1, "", [])


def test_a_configuration_that_is_taken_back_is_read_again(files: Files, looker: Looker) -> None:
    for fingerprint, read_at in (("f1", 1.0), ("f2", 2.0), ("f1", 3.0)):
        files.fingerprint = fingerprint
        looker.look("prod", fingerprint, read_at)
    assert [cycle.runs for cycle in files.cycles] == [1, 1, 1]


def test_looks_of_another_watchdog_are_called_that_once_and_are_no_reason_not_to_look(files: Files, looker: Looker) -> None:
    files.in_force = "f1"
    with capture_logs() as logs:
        for fingerprint in ("f1", "strange", "f1", "strange"):
            looker.look("prod", fingerprint, 1.0)
    [line] = [line for line in logs if line["event"] == "looks_refused"]
    assert "does another watchdog use the same engine? Give each its own `queue`" in line["reason"]
    assert (sum(cycle.runs for cycle in files.cycles), looker.refuses) == (2, "")


def test_a_worker_with_another_database_than_the_daemons_says_so_until_its_looks_are_written(files: Files, looker: Looker) -> None:
    def elsewhere() -> None:
        raise NotInForceError("another configuration is in force")

    files.ends = elsewhere
    with capture_logs() as logs:
        looker.look("prod", "f1", 1.0)
        looker.look("prod", "f1", 1.0)
    assert [line["event"] for line in logs] == ["configuration_read", "looks_refused"]
    assert "is it the daemon's database?" in looker.refuses
    files.ends = lambda: Done(Seen({}, {}, {}), (), Plan("prod", 0.0))
    looker.look("prod", "f1", 1.0)
    looker.look("prod", "f1", 1.0)
    assert looker.refuses == ""


def test_a_look_that_is_not_written_just_after_a_reload_is_no_reason_to_refuse(
    files: Files, looker: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced() -> None:
        raise NotInForceError("another configuration is in force")

    looker.look("prod", "f1", 1.0)
    monkeypatch.setattr("watchdog.daemon.engine.looker.READ_EVERY_S", 5.0)
    files.ends = replaced
    looker.look("prod", "f1", 1.0)
    assert looker.refuses == ""


def test_a_worker_that_accepts_again_no_longer_refuses(files: Files, looker: Looker) -> None:
    looker.look("prod", "f1", 1.0)
    looker.look("prod", "f2", 1.0)
    looker.look("prod", "f1", 1.0)
    assert looker.refuses == ""


def test_once_the_files_are_the_same_it_looks(files: Files, looker: Looker) -> None:
    looker.look("prod", "f2", 1.0)
    files.fingerprint = "f2"
    looker.look("prod", "f2", 1.0)
    assert (files.cycles[-1].runs, looker.refuses) == (1, "")


@pytest.mark.parametrize(
    ("fault", "said"),
    [(UnreadableError("watchdog.toml:3: not TOML"), "watchdog.toml:3: not TOML"), (OSError("a secret"), "unexpected OSError")],
)
def test_a_configuration_that_cannot_be_read_leaves_the_one_before(files: Files, looker: Looker, fault: Exception, said: str) -> None:
    looker.look("prod", "f1", 1.0)
    files.fault = fault
    looker.look("prod", "f1", 2.0)
    assert files.cycles[0].runs == 2
    assert looker.refuses.startswith(said)
    assert "a secret" not in looker.refuses


def test_a_target_that_is_not_configured_here_is_left_alone(files: Files, looker: Looker) -> None:
    looker.look("staging", "f1", 1.0)
    assert files.cycles[0].runs == 0


def test_two_threads_never_look_at_one_target(files: Files, looker: Looker) -> None:
    looking, over = threading.Event(), threading.Event()

    def long() -> None:
        looking.set()
        over.wait(10)
        overtaken()

    files.ends = long
    first = threading.Thread(target=looker.look, args=("prod", "f1", 1.0))
    first.start()
    looking.wait(10)
    looker.look("prod", "f1", 1.0)
    over.set()
    first.join(10)
    assert files.cycles[0].runs == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [(StoreError("the database is away"), "the database is away"), (KeyError("x"), "unexpected KeyError; please report")],
)
def test_a_look_that_fails_is_logged_once_for_each_reason(files: Files, looker: Looker, error: Exception, reason: str) -> None:
    def fails() -> None:
        raise error

    files.ends = fails
    with capture_logs() as logs:
        looker.look("prod", "f1", 1.0)
        looker.look("prod", "f1", 1.0)
    [line] = [line for line in logs if line["event"] == "cycle_failed"]
    assert line["reason"].startswith(reason)


def test_being_overtaken_is_no_failure(looker: Looker) -> None:
    with capture_logs() as logs:
        looker.look("prod", "f1", 1.0)
    assert [line["event"] for line in logs] == ["configuration_read"]
