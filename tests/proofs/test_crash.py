"""Proof: wherever watchdog is killed, nothing is lost, nothing is said under two names, and nothing in the wrong order.

`make proof-crash`, by hand with `COUNT=500`. First every commit and every send of a short story, each killed once before, in and after
(`crash_lives`); then the real `watchdog run` on a real Redis, killed at random moments. Both with a receiver that answers at once, and
one that acts on a message and answers when watchdog has given up waiting. `crash_account` says what must balance. All of it on SQLite and
on PostgreSQL, where CI takes some of the moments; by hand all are taken.
"""

import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.processes.running import Daemon, environment
from tests.proofs.crash_account import account, all_told
from tests.proofs.crash_lives import MOMENTS, Life, Order
from tests.proofs.crash_places import InAFile, InPostgreSQL, Kept
from tests.proofs.crash_scene import LARGE, QUEUES, SMALL, ActingReceiver, Systemd, World, write_config
from tests.servers.waiting import until

WHOLE = ("first", "escalated", "resolved")

Notification = Counter[tuple[str, tuple[str, ...]]]
"""(Queue, what was said of one fire in it) -> how often."""

Figure = Callable[[str], None]
Count = Callable[[int], int]

# --- every commit and every send ------------------------------------------------------------------------------------------

STORY: tuple[Mapping[str, int], ...] = tuple(
    dict(zip(QUEUES, levels, strict=True)) for levels in [(SMALL, 0, SMALL), (SMALL, SMALL, 0), (LARGE, SMALL, 0), (0, 0, 0), (0, 0, 0)]
)
"""Two begin together; a third begins while one of them goes out; one grows while another ends; the rest end together."""

SHORT_STORY = tuple({QUEUES[0]: level} for level in (SMALL, LARGE))
"""It grows before the receiver has answered that it began."""

TOLD_OF_STORY: Notification = Counter({(QUEUES[0], WHOLE): 1, (QUEUES[1], ("first", "resolved")): 1, (QUEUES[2], ("first", "resolved")): 1})
TOLD_OF_SHORT_STORY: Notification = Counter({(QUEUES[0], ("first", "escalated")): 1})


class Lives:
    """The program that lives lives, one at a time."""

    def __init__(self, cwd: Path) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.proofs.crash_lives"]
        self._log = (cwd / "lives.log").open("ab")
        self._process = subprocess.Popen(
            command, env=environment(cwd, {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )

    def live(self, order: Order) -> Life:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order.line())
        self._process.stdin.flush()
        return Life(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Lives]:
    program = Lives(tmp_path)
    yield program
    program.end()


class Ordeal:
    """One telling of a story, by as many lives as it takes."""

    def __init__(
        self, lives: Lives, folder: Path, kept: Kept, redis_url: str, story: Sequence[Mapping[str, int]], timeout_s: float, late_s: float
    ) -> None:
        self._lives, self._folder, self._kept, self._redis_url, self._story = lives, folder, kept, redis_url, story
        self._timeout_s, self._late_s = timeout_s, late_s
        self.deaths: list[str] = []

    def told(self, *deaths: int) -> Notification:
        """Notifications by queue, where the first life dies at the first of these moments, the second at the second, …"""
        self._kept.empty()
        for left in self._folder.iterdir():
            left.unlink()
        with ActingReceiver(lambda: self._late_s, self._folder) as ops:
            hooks, place = {"ops": ops.url}, self._kept.place
            write_config(self._folder, self._redis_url, hooks, interval="10s", quiet="5s", timeout_s=self._timeout_s, database=place)
            for death in (*deaths, 0):
                self._live(death)
            balanced = account(place, {"ops": ops.requests})
        self.messages, self.repeats = balanced.messages, balanced.repeats
        return Counter((balanced.keys[incident], events) for incident, events in balanced.told["ops"].items())

    def _live(self, death: int) -> None:
        life = self._lives.live(Order(str(self._folder), self._redis_url, [dict(levels) for levels in self._story], death))
        assert life.code == (-signal.SIGKILL if 0 < death <= life.moments and life.code else 0), life
        if life.code:
            self.deaths.append(life.last)
        self._kept.after_a_death()

    @property
    def moments(self) -> int:
        """How many moments the lives so far had."""
        return len((self._folder / MOMENTS).read_text().splitlines())


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder that costs no disk: what a killed process has written is the kernel's, whether it has reached a disk or not."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="watchdog-crash-", dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, in_memory: Path) -> Kept:
    """Where all is kept. Named as what other tests take in turn, which makes those on PostgreSQL share a server."""
    return InAFile(in_memory) if request.param == "sqlite" else InPostgreSQL(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def share(place: Kept, count: Count) -> Count:
    """How many of so many moments CI takes: on SQLite all of them, on PostgreSQL a third."""
    return lambda moments: count(moments if isinstance(place, InAFile) else moments // 3)


@pytest.fixture
def part(place: Kept, count: Count) -> Count:
    """How many of so many random deaths CI has: two thirds of them on SQLite, the others on PostgreSQL."""
    return lambda deaths: count(deaths - deaths // 3 if isinstance(place, InAFile) else deaths // 3)


def test_a_death_at_any_commit_and_any_send_is_as_if_it_had_not_been(
    lives: Lives, redis_server: Cluster, in_memory: Path, place: Kept, share: Count, figure: Figure
) -> None:
    ordeal = Ordeal(lives, in_memory, place, redis_server.redis_url, STORY, timeout_s=10.0, late_s=0.0)
    figure(f"crash, every moment{_on(place)}: {_every_death(ordeal, TOLD_OF_STORY, share)}")


@pytest.mark.alone
def test_so_it_is_with_a_receiver_that_acts_and_answers_when_nobody_waits_any_more(
    lives: Lives, redis_server: Cluster, in_memory: Path, place: Kept, share: Count, figure: Figure
) -> None:
    ordeal = Ordeal(lives, in_memory, place, redis_server.redis_url, SHORT_STORY, timeout_s=0.1, late_s=0.3)
    figure(f"crash, every moment, late receiver{_on(place)}: {_every_death(ordeal, TOLD_OF_SHORT_STORY, share)}")


def test_nor_does_a_second_death_while_it_recovers_change_what_is_told(
    lives: Lives, redis_server: Cluster, in_memory: Path, place: Kept, part: Count, figure: Figure
) -> None:
    ordeal = Ordeal(lives, in_memory, place, redis_server.redis_url, STORY, timeout_s=10.0, late_s=0.0)
    assert ordeal.told() == TOLD_OF_STORY
    seed = random.randrange(2**32)
    chance, moments, repeats = random.Random(seed), ordeal.moments, 0
    for _ in range(part(10)):
        deaths = [chance.randint(1, moments), chance.randint(1, 12), chance.randint(1, 12)]
        assert ordeal.told(*deaths) == TOLD_OF_STORY, f"killed at moments {deaths} of its lives (seed {seed})"
        repeats += ordeal.repeats
    figure(f"crash, thrice in a row{_on(place)} (seed {seed}): {len(ordeal.deaths)} kills, {repeats} repeats")


def _on(kept: Kept) -> str:
    return "" if isinstance(kept, InAFile) else ", on PostgreSQL"


def _every_death(ordeal: Ordeal, expected: Notification, share: Count) -> str:
    """A telling without a death, then one for each of its moments, or for so many of them, with a death there. The figures."""
    assert ordeal.told() == expected
    moments, repeats = range(1, ordeal.moments + 1), 0
    taken = sorted(random.sample(moments, min(share(len(moments)), len(moments))))
    for moment in taken:
        assert ordeal.told(moment) == expected, f"killed at moment {moment}, {ordeal.deaths[-1]}"
        repeats += ordeal.repeats
    assert len(ordeal.deaths) == len(taken)
    places = ", ".join(f"{number} {where}" for where, number in Counter(ordeal.deaths).items())
    return f"{len(taken)} kills ({places}); {ordeal.messages} messages each time, {repeats} repeats in all"


# --- the real daemon, at random moments -----------------------------------------------------------------------------------

SPARE_S = 1.2
"""How long a life may go on after the time that it took to be ready."""


@pytest.mark.alone
def test_a_daemon_killed_at_any_time_tells_what_happened_once_and_in_order(
    redis_server: Cluster, in_memory: Path, place: Kept, part: Count, figure: Figure
) -> None:
    seed = random.randrange(2**32)
    chance, kills = random.Random(seed), part(40)
    prompt = ActingReceiver(lambda: chance.uniform(0.0, 0.2))
    late = ActingReceiver(lambda: chance.choice([0.0, 0.8]))
    place.empty()
    with prompt, late, World(redis_server.redis_url, [prompt, late], seed) as world:
        hooks = {"prompt": prompt.url, "late": late.url}
        write_config(in_memory, redis_server.redis_url, hooks, interval="0.1s", quiet="0.2s", timeout_s=0.5, database=place.place)
        took = _killed(in_memory, place, kills, chance)
        with living(in_memory) as daemon:
            world.end()
            until(lambda: all_told(place.place), 60, f"everything to be over and told (seed {seed})")
            assert daemon.end() == 0
    assert "Traceback" not in daemon.text
    balanced = account(place.place, {"prompt": prompt.requests, "late": late.requests})
    for receiver, told in balanced.told.items():
        of_patient = [events for incident, events in told.items() if balanced.keys[incident] == QUEUES[0]]
        assert of_patient == [WHOLE] * world.fires, f"{receiver} (seed {seed})"
    figure(
        f"crash, random moments{_on(place)} (seed {seed}): {kills} kills, {kills + 1} starts, to be ready took at most {max(took):.2f}s; "
        f"{len(balanced.keys)} fires, {balanced.messages} messages, {balanced.repeats} repeats, {balanced.never_left} cancelled out unsent"
    )


@contextlib.contextmanager
def living(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Daemon]:
    """`watchdog run`, from its first moment; it does not outlive the block."""
    daemon = Daemon(folder, environ)
    try:
        yield daemon
    finally:
        daemon.process.kill()
        daemon.process.wait()


def _killed(folder: Path, kept: Kept, kills: int, chance: random.Random) -> list[float]:
    """Start it and kill it, so often: first once it is ready, then at any time. The seconds that it took to be ready, where it was."""
    took: list[float] = []
    with Systemd(folder) as systemd:
        for _ in range(kills):
            began = time.monotonic()
            with living(folder, {"NOTIFY_SOCKET": systemd.address}) as daemon:
                lives_s = chance.uniform(0.0, took[-1] + SPARE_S) if took else 30.0
                ready = systemd.ready(began, began + lives_s, at_once=not took)
                assert daemon.end(signal.SIGKILL) == -signal.SIGKILL, daemon.own_text
            took += [] if ready is None else [ready]
            assert took, "it is never ready"
            kept.after_a_death()
    return took
