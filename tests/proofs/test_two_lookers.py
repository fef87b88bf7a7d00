"""Two processes look at the same target of one PostgreSQL, as fast as they can and without any lease, while a third one delivers.

What is shown: each committed look has exactly one predecessor; no incident is under two ids, and no event of one is told twice; and what
they leave is what a single looker leaves that makes the same looks.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.builders.lookers import Looker, World, left
from tests.builders.outbox import T0
from tests.proofs.looking import FASTER, lengths
from tests.servers.postgresql import RealPostgreSQL
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.payload import encode
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.demo.processes import child_environment
from watchdog.store import Store

CI_LOOKS = 300
LOOKERS = 2
LEFT = ("incidents", "transitions", "memories", "samples", "looks", "cycles", "history WHERE folded < 2")
"""What must not depend on who looked. What is told depends on when it was delivered."""


class Told:
    """Delivers, and keeps what each receiver was notified of, by incident."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: dict[tuple[str, str], list[Event]] = {}
        self.ids: Counter[str] = Counter()

    def deliver(self, now: float) -> None:
        for receiver in ("ops", "boss"):
            while (claimed := self._store.claim(receiver, now, "s", encode)) is not None:
                self._store.settle(claimed.message.id, Delivered(), now)
                self.ids[claimed.message.id] += 1
                for notice in claimed.message.notices:
                    self.events.setdefault((receiver, notice.incident), []).append(notice.event)


def looks_in(file: Path) -> list[tuple[int, float]]:
    """Number and time of each look."""
    words = (line.split() for line in file.read_text().splitlines())
    return [(int(number), float(at)) for number, at in words]


def test_two_lookers(own_postgresql: RealPostgreSQL, tmp_path: Path, count: Callable[[int], int], figure: Callable[[str], None]) -> None:
    looks, began, url = count(CI_LOOKS), time.time(), DatabaseUrl(own_postgresql.new_database())
    with Store.open(url) as store, store.lease():
        told = Told(store)
        command = [sys.executable, "-m", "tests.proofs.looking", url.reveal(), str(began), str(looks)]
        files = [tmp_path / f"looks of {number}" for number in range(LOOKERS)]
        processes = [subprocess.Popen([*command, str(file)], env=child_environment({})) for file in files]
        try:
            while any(process.poll() is None for process in processes):
                told.deliver(T0 + (time.time() - began) * FASTER)
                time.sleep(0.01)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        assert [process.returncode for process in processes] == [0] * LOOKERS
        made = sorted(look for file in files for look in looks_in(file))
        committed = [(number, at) for number, at in made if number]
        found, last = left(store, LEFT), store.last_cycle("prod")
        incidents = store.incidents(0.0)
    assert [number for number, _ in committed] == list(range(1, last + 1))
    assert len(committed) < len(made), "none was overtaken: nothing is shown"

    with Store.open(tmp_path / "one.db") as store:
        world = World(lengths)
        one = Looker(store, world, alone=True)
        for _, world.now in committed:
            assert one.look() is not None
        assert found == left(store, LEFT)
        one.close()

    assert set(told.ids.values()) == {1}
    for story in told.events.values():
        assert story[0] is Event.FIRST
        assert Counter(story)[Event.FIRST] == 1
        assert Counter(story)[Event.RESOLVED] <= 1
    figure(
        f"{LOOKERS} lookers, {last} looks committed, {len(made) - last} overtaken: each has one predecessor; {len(incidents)} incidents,"
        f" {sum(map(len, told.events.values()))} events told, none twice; the rest as of one looker"
    )
