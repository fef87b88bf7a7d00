"""The daemon with sources that answer on command, and a database that is locked when it should not be."""

import contextlib
import json
import os
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.builders.outbox import FakeReceiver, commit, incident, load, look, message, opened, plan, unfinished_targets
from tests.servers.waiting import until
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Delivered, Later, Outcome
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.model.queries import Query
from watchdog.core.model.reading import Past
from watchdog.core.model.target import Target
from watchdog.daemon.cycle import Cycle
from watchdog.daemon.daemon import Build, Built, Daemon
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.daemon.watching import Watching
from watchdog.polling.poller import Poller
from watchdog.sources.base import Answers
from watchdog.store import Store
from watchdog.tables import TABLES


@dataclass
class HeldSource:
    """Answers nothing, once it may go on."""

    go_on: threading.Event = field(default_factory=threading.Event)
    name: str = "redis"
    longest_s: float = 5.0
    batches: int = 0

    def ask(self, queries: Sequence[Query]) -> Answers:
        self.batches += 1
        self.go_on.wait(10)
        return Answers()

    def close(self) -> None:
        """Nothing is open."""


class Building:
    """Builds configurations that watch `lab`; `targets` are those that the next one calls its own."""

    def __init__(self, store: Store) -> None:
        self.store, self.self_monitor = store, SelfMonitor()
        self.targets = frozenset({"lab", "prod"})
        self.source = HeldSource()
        self.source.go_on.set()
        self.receiver = FakeReceiver()
        self.more: tuple[FakeReceiver, ...] = ()
        self.was: dict[str, str] = {}
        self.on_outcome: Callable[[], None] = lambda: None
        self.builds = 0
        self.fails: Exception | None = None

    def __call__(self) -> Built:
        if self.fails:
            raise self.fails
        poller = Poller(Target("lab", frozenset({"redis"}), interval_s=0.1), {"redis": self.source}, TABLES)
        evaluator = Evaluator(TABLES, stopwatch=time.monotonic)
        situation = Situation(poller.target, 0.0)
        cycle = Cycle(poller, TABLES, (), Evaluators(lambda: evaluator), self.store, situation, clock=time.time, past=lambda _: Past())
        receivers = (self.receiver, *self.more)
        delivery = Delivery(self.store, receivers, on_outcome=lambda *_: self.on_outcome())
        watching = Watching([cycle], delivery, self.store, self.self_monitor, retention_s=1e9, clock=time.time, stopwatch=time.monotonic)
        recipients = tuple(Recipient(receiver.name, settings=receiver.settings) for receiver in receivers)
        self.builds += 1
        return Built(watching, recipients, self.targets, frozenset(), "watchdog", receivers, self.was)


@pytest.fixture
def building(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Building]:
    """Its store gives up soon where a test locks the database. Elsewhere it waits for its turn, however crowded the machine is."""
    with opened(tmp_path, 0.2 if "database" in request.fixturenames else 10.0) as store:
        yield Building(store)


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as captured:
        yield captured


@pytest.fixture
def database(tmp_path: Path, building: Building) -> Iterator[sqlite3.Connection]:
    """Another process's connection."""
    with contextlib.closing(sqlite3.connect(tmp_path / "watchdog.db", isolation_level=None, check_same_thread=False)) as other:
        yield other


@contextlib.contextmanager
def running(building: Building, environ: dict[str, str] | None = None) -> Iterator[Daemon]:
    build: Build = building
    daemon = Daemon(build, building.store, building.self_monitor, environ=environ or {}, clock=time.time, stopwatch=time.monotonic)
    thread = threading.Thread(target=daemon.run)
    with building.store.lease():
        thread.start()
        try:
            yield daemon
            assert thread.is_alive() or daemon._end, "the daemon ended by itself"
        finally:
            building.source.go_on.set()
            daemon.end()
            thread.join(20)
    assert not thread.is_alive()


def logged(logs: list[EventDict], event: str) -> Callable[[], bool]:
    return lambda: any(log["event"] == event for log in logs)


def wait_for(logs: list[EventDict], event: str) -> EventDict:
    until(logged(logs, event), 15, f"{event} among {[log['event'] for log in logs]}")
    return next(log for log in logs if log["event"] == event)


def test_a_target_taken_out_while_the_database_is_locked_is_ended_once_it_is_free(
    building: Building, database: sqlite3.Connection, logs: list[EventDict]
) -> None:
    commit(building.store, plan(incidents=[incident()]))
    with running(building) as daemon:
        wait_for(logs, "watchdog_started")
        until(lambda: building.source.batches > 3, 10, "a few looks")
        database.execute("BEGIN IMMEDIATE")
        building.targets = frozenset({"lab"})
        daemon.reload()
        wait_for(logs, "configuration_waits")
        wait_for(logs, "configuration_reloaded")
        database.execute("ROLLBACK")
        until(lambda: unfinished_targets(building.store) == frozenset(), 10, "the incident to end")


def test_a_reload_that_trips_keeps_the_old_configuration_and_names_the_kind_of_error(building: Building, logs: list[EventDict]) -> None:
    with running(building) as daemon:
        wait_for(logs, "watchdog_started")
        building.fails = KeyError("hunter2")
        daemon.reload()
        reason = wait_for(logs, "reload_rejected")["reason"]
        batches = building.source.batches
        until(lambda: building.source.batches > batches, 5, "the old configuration to go on")
    assert "KeyError" in reason
    assert "hunter2" not in reason
    assert building.self_monitor.config_error == reason


def test_a_failing_cycle_that_recovers_after_a_reload_is_said_to_have_recovered(
    building: Building, database: sqlite3.Connection, logs: list[EventDict]
) -> None:
    with running(building) as daemon:
        wait_for(logs, "watchdog_started")
        until(lambda: building.source.batches > 3, 10, "a few looks")
        database.execute("BEGIN IMMEDIATE")
        wait_for(logs, "cycle_failed")
        daemon.reload()
        wait_for(logs, "configuration_reloaded")
        database.execute("ROLLBACK")
        wait_for(logs, "cycle_recovered")


def test_an_outcome_that_a_reload_left_unwritten_is_written_and_holds_up_no_later_message(
    building: Building, database: sqlite3.Connection, logs: list[EventDict]
) -> None:
    def lock_after_the_first_look() -> None:
        if not building.receiver.sent:
            until(lambda: building.source.batches > 10, 10, "a few looks")
            database.execute("BEGIN IMMEDIATE")

    building.receiver.before = lock_after_the_first_look
    commit(building.store, plan(message("A")))
    with running(building) as daemon:
        wait_for(logs, "outcome_not_written")
        daemon.reload()
        wait_for(logs, "configuration_reloaded")
        database.execute("ROLLBACK")
        wait_for(logs, "message_delivered")
        commit(building.store, plan(message("B")))
        daemon.reload()
        until(lambda: len(building.receiver.sent) > 1, 10, "the next message")
    assert building.receiver.ids == ["01MESSAGEA", "01MESSAGEB"]


# --- a reload in the middle of a delivery -------------------------------------------------------------------------------


class Rendering(FakeReceiver):
    """Calls `rendering` while its message is being claimed, in the middle of the transaction."""

    rendering: Callable[[], None] = staticmethod(lambda: None)

    def render(self, message: Message) -> bytes:
        self.rendering()
        return super().render(message)


def reload_during(building: Building, daemon: Daemon, step: str, swap: Callable[[], None]) -> None:
    """Have the configuration swapped while the first message is at this step, and wait until the new one is built."""
    once = threading.Event()
    until(lambda: building.source.batches > 3, 10, "a few looks")

    def reload() -> None:
        if not once.is_set():
            once.set()
            builds = building.builds
            swap()
            daemon.reload()
            until(lambda: building.builds > builds, 10, "the new configuration")

    old = building.receiver
    assert isinstance(old, Rendering)
    if step == "claim":
        old.rendering = reload
    elif step == "send":
        old.before = reload
    else:
        building.on_outcome = reload


def settled(building: Building) -> bool:
    entries = building.store.outbox_shown().messages
    return not entries and building.builds > 1


@pytest.mark.parametrize("step", ["claim", "send", "settle"])
@pytest.mark.parametrize("then", [Delivered(), Later("no answer"), Later("refused", never_arrived=True)], ids=["ok", "maybe", "never"])
def test_a_reload_in_the_middle_of_a_delivery_ends_in_one_message(building: Building, step: str, then: Outcome) -> None:
    building.receiver = old = Rendering("ops", then=[then])
    new = FakeReceiver("ops")

    def swap() -> None:
        building.receiver = new

    with running(building) as daemon:
        reload_during(building, daemon, step, swap)
        look(building.store, [Recipient("ops", settings="s1")], incident())
        building.store.switch_on("ops")  # an operator's retry wakes it at once
        until(lambda: settled(building), 15, "the message to be settled")
    ids = [*old.ids, *new.ids]
    assert len(set(ids)) == 1
    assert len(ids) == (1 if isinstance(then, Delivered) else 2)


@pytest.mark.parametrize("step", ["claim", "send", "settle"])
@pytest.mark.parametrize("then", [Delivered(), Later("no answer"), Later("refused", never_arrived=True)], ids=["ok", "maybe", "never"])
def test_a_new_name_in_the_middle_of_a_delivery_ends_in_one_message(building: Building, step: str, then: Outcome) -> None:
    building.receiver = old = Rendering("ops", then=[then])
    new = FakeReceiver("crew")

    def swap() -> None:
        building.receiver, building.was = new, {"ops": "crew"}

    with running(building) as daemon:
        reload_during(building, daemon, step, swap)
        look(building.store, [Recipient("ops", settings="s1")], incident())
        building.store.switch_on("ops")
        until(lambda: settled(building), 15, "the message to be settled")
        until(lambda: [told.receiver for told in load(building.store).notified.values()] == ["crew"], 10, "the new name to own it")
    ids = [*old.ids, *new.ids]
    assert len(set(ids)) == 1
    assert len(ids) == (1 if isinstance(then, Delivered) else 2)


@pytest.mark.parametrize("step", ["claim", "send", "settle"])
@pytest.mark.parametrize(
    ("then", "heard"),
    [(Delivered(), ["first", "resolved"]), (Later("no answer"), ["first", "first", "resolved"])],
    ids=["ok", "maybe"],
)
def test_one_taken_out_in_the_middle_of_a_delivery_hears_what_it_began_and_its_end(
    building: Building, step: str, then: Outcome, heard: list[str]
) -> None:
    building.receiver = old = Rendering("ops", then=[then])

    def swap() -> None:
        building.receiver = FakeReceiver("crew")

    with running(building) as daemon:
        reload_during(building, daemon, step, swap)
        look(building.store, [Recipient("ops", settings="s1")], incident())
        building.store.switch_on("ops")
        until(lambda: len(old.sent) >= len(heard) and settled(building), 15, "all to be settled")  # its end is only said at the handover
    assert [json.loads(body)["data"]["incidents"][0]["event"] for _, body in old.sent] == heard


def test_one_taken_out_that_is_slow_delays_nobody(building: Building, logs: list[EventDict]) -> None:
    go_on = threading.Event()
    building.receiver = FakeReceiver("ops")
    slow = FakeReceiver("slow")
    building.more = (slow,)
    with running(building) as daemon:
        wait_for(logs, "watchdog_started")
        look(building.store, [Recipient("slow", settings="s1")], incident())
        building.store.switch_on("slow")
        until(lambda: slow.ids, 10, "the incident to be notified")
        slow.before = lambda: go_on.wait(10)
        building.more = ()
        daemon.reload()
        wait_for(logs, "receiver_removed")
        look(building.store, [Recipient("ops", settings="s1")], incident())
        building.store.switch_on("ops")
        until(lambda: building.receiver.ids, 5, "the other to be notified")
        assert len(slow.ids) == 1
        go_on.set()
        until(lambda: len(slow.ids) == 2, 10, "its final notification")


def test_a_second_reload_goes_on_with_a_final_notification_that_has_not_arrived(building: Building, logs: list[EventDict]) -> None:
    building.more = (old := FakeReceiver("old"),)
    with running(building) as daemon:
        wait_for(logs, "watchdog_started")
        look(building.store, [Recipient("old", settings="s1")], incident())
        building.store.switch_on("old")
        until(lambda: settled_once(building, old), 10, "the incident to be notified")
        old.then = [Later("no answer")]
        building.more = ()
        daemon.reload()
        until(lambda: len(old.ids) == 2, 10, "a final notification that may have arrived")
        daemon.reload()
        until(lambda: len(old.ids) == 3, 15, "its repeat")
    assert old.ids[1] == old.ids[2]
    assert old.sent[1] == old.sent[2]


def settled_once(building: Building, receiver: FakeReceiver) -> bool:
    return bool(receiver.ids) and not building.store.outbox_shown().messages


# --- systemd ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def under_systemd(tmp_path: Path) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}


def said_until(systemd: socket.socket, word: str) -> list[str]:
    """All that was said up to the message that holds this word, which is the last."""
    said = [systemd.recv(4096).decode()]
    while word not in said[-1]:
        said.append(systemd.recv(4096).decode())
    return said


def test_a_first_look_that_takes_long_asks_systemd_for_more_time(building: Building, systemd: socket.socket, tmp_path: Path) -> None:
    building.source.go_on.clear()
    with running(building, under_systemd(tmp_path)):
        assert said_until(systemd, "EXTEND_TIMEOUT_USEC=") != []
        building.source.go_on.set()
        assert "READY=1" in said_until(systemd, "READY=1")[-1]


@pytest.mark.parametrize("how", ["end", "reload"])
def test_systemd_is_fed_while_a_cycle_under_way_is_waited_for(building: Building, systemd: socket.socket, tmp_path: Path, how: str) -> None:
    with running(building, under_systemd(tmp_path)) as daemon:
        said_until(systemd, "READY=1")
        batches = building.source.batches
        building.source.go_on.clear()
        until(lambda: building.source.batches > batches, 5, "a cycle under way")
        threading.Thread(target=getattr(daemon, how)).start()
        said_until(systemd, "STOPPING=1" if how == "end" else "RELOADING=1")
        for _ in range(3):
            assert "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=" in systemd.recv(4096).decode()
        building.source.go_on.set()


def test_the_lock_grows_old_while_a_cycle_is_overdue_and_is_touched_once_all_is_at_work(
    building: Building, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, looks = ["lab"], 0

    def overdue(_: Watching) -> list[str]:
        nonlocal looks
        looks += 1
        return list(late)

    monkeypatch.setattr(Watching, "overdue", overdue)
    lock = tmp_path / "watchdog.db.lock"
    with running(building):
        until(lambda: looks >= 1, 15, "the first look at what is overdue")
        os.utime(lock, (0, 0))
        until(lambda: looks >= 3, 15, "more looks at what is overdue")
        assert lock.stat().st_mtime == 0
        late.clear()
        until(lambda: lock.stat().st_mtime > 0, 15, "the sign of life")


def test_a_database_that_cannot_be_written_is_no_reason_to_be_restarted(
    building: Building, database: sqlite3.Connection, tmp_path: Path, logs: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cycles fail, but do not hang: a restart repairs no disk, and interrupts what is being sent."""
    monkeypatch.setattr(Watching, "_patience_s", lambda *_: 1.0)
    monkeypatch.setattr("watchdog.daemon.daemon.SIGN_EVERY_S", 0.1)
    lock = tmp_path / "watchdog.db.lock"
    with running(building) as daemon:
        wait_for(logs, "watchdog_started")
        until(lambda: building.source.batches > 3, 10, "a few looks")
        database.execute("BEGIN IMMEDIATE")
        wait_for(logs, "cycle_failed")
        time.sleep(1.5)  # more than the patience
        os.utime(lock, (0, 0))
        until(lambda: lock.stat().st_mtime > 0, 15, "the sign of life")
        daemon.reload()
        wait_for(logs, "configuration_waits")
        time.sleep(1.5)
        os.utime(lock, (0, 0))
        until(lambda: lock.stat().st_mtime > 0, 15, "the sign of life of one that waits to begin")
        database.execute("ROLLBACK")


def test_a_signal_between_any_two_steps_of_its_rest_does_not_block_the_daemon(building: Building, logs: list[EventDict]) -> None:
    """A handler runs between two steps of the main thread, also while that holds a lock."""
    daemon = Daemon(building, building.store, building.self_monitor, environ={}, clock=time.time, stopwatch=time.monotonic)

    def signalled(frame: FrameType, event: str, _: Any) -> Any:
        if not logged(logs, "watchdog_started")() or logged(logs, "configuration_reloaded")():
            return signalled
        if event == "line" and Path(frame.f_code.co_filename).name in {"daemon.py", "threading.py", "queue.py"}:
            daemon.reload()
        return signalled

    def run() -> None:
        sys.settrace(signalled)
        daemon.run()

    thread = threading.Thread(target=run, daemon=True)  # so that one that is blocked does not block the tests
    thread.start()
    wait_for(logs, "configuration_reloaded")
    daemon.end()
    thread.join(20)
    assert not thread.is_alive()
