"""The end of a configuration while one of its cycles brings news: with the real scheduler, which waits for running cycles."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from tests.builders.outbox import FakeReceiver, incident, opened, plan
from tests.servers.waiting import until
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.outcome import Delivered, Outcome
from watchdog.core.model.reading import Seen
from watchdog.core.model.target import Target
from watchdog.daemon.beside.parts import Beside
from watchdog.daemon.cycle import Cycle, Done
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.daemon.watching import Watching
from watchdog.receivers.alertmanager import Alertmanager


class Mirror:
    name = "alertmanager 1"

    def look(self, incidents: Iterable[Incident], now: float) -> Outcome:
        return Delivered("200")

    def close(self) -> None:
        """Nothing is open."""


class LateCycle:
    """Has something to tell, once the scheduler waits for it."""

    target = Target("lab", frozenset({"redis"}), interval_s=60.0)
    longest_s = 1.0

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.waited_for: list[BackgroundScheduler] = []

    def run(self) -> Done:
        self.begun.set()
        until(lambda: self.waited_for and _held(self.waited_for[0]._jobstores_lock), 20, "the scheduler to wait")
        return Done(Seen({}, {}, {}), (), plan(incidents=[incident()], target="lab"))

    def stop(self) -> None:
        """It ends with its look."""

    close = stop


def _held(lock: Any) -> bool:
    free = lock.acquire(blocking=False)
    if free:
        lock.release()
    return not free


def test_a_cycle_with_news_for_a_mirror_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle, shut_down = LateCycle(), BackgroundScheduler.shutdown

    def waits(scheduler: BackgroundScheduler, wait: bool = True) -> None:
        cycle.waited_for.append(scheduler)
        shut_down(scheduler, wait)

    monkeypatch.setattr(BackgroundScheduler, "shutdown", waits)
    with opened(tmp_path) as store:
        watching = Watching(
            [cast("Cycle", cycle)],
            Delivery(store, (FakeReceiver(),), on_outcome=lambda *_: None),
            store,
            SelfMonitor(),
            Beside(mirrors=(cast("Alertmanager", Mirror()),)),
            retention_s=1e9,
            clock=time.time,
            stopwatch=time.monotonic,
        )
        watching.start()
        assert cycle.begun.wait(20)
        stopping = threading.Thread(target=watching.stop, args=(1.0,), daemon=True)
        stopping.start()
        stopping.join(15)
        assert not stopping.is_alive()
