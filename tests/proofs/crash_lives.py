"""Lives of a daemon, taken one transaction and one send at a time, each of which may be its last.

A program for `test_crash.py`. In: one `Order` a line on standard input, as JSON. Each is lived by a child of its own, forked from this
process (which has imported everything and started nothing), and ends by its own SIGKILL at the moment that the order names, or by having
got through the script. Out: a line for each: how it ended, and how many moments it had.

Store, cycles, delivery and receivers are the product's own, wired by `watchdog.app`; what kills them comes in where it constructs them.
Time is an argument: a step of the script is ten seconds. A step that a death cut short is lived again by the next life.
"""

import gc
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import redis

from tests.builders.outbox import T0
from tests.proofs.crash_account import all_delivered
from watchdog.app.configured import configured
from watchdog.app.receivers import build_receivers
from watchdog.app.watching import build_cycles
from watchdog.config.load import load_settings
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Later, Outcome
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.logs.log import configure_log
from watchdog.receivers.base import Receiver
from watchdog.store import Store
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.database import PostgresDatabase
from watchdog.store.sql import Database, DatabasePlace
from watchdog.store.sqlite.database import DatabaseFile

__all__ = ["ACTED_ON", "DOOMED", "MOMENTS", "STEP", "Life", "Order", "set_levels"]

STEP, MOMENTS, DOOMED = "step", "moments", "doomed"
"""Files in a life's folder: the step it is in and how many were begun; its moments, one a line; its pid, where it dies in a send."""

ACTED_ON = "the receiver has acted, and not answered"
STEP_S = 10.0
SPARE_STEPS, MOST_STEPS = 2, 12
"""After the script, for what is to be sent again; more of them where an attempt ran out of time, as on a crowded machine."""
MOST_TRIES = 100
DEATH_S = 30.0
"""How long who dies in a send waits for that at most: the receiver may not have come to act when the sender's time is over."""

LATE = ("httpx", "jinja2.sandbox", "pydantic_settings.main", "sqlite_utils", "watchdog.daemon.cycle", "watchdog.sources.redis.pipeline")
"""What the product imports late, and every life would import anew."""

Levels = Sequence[dict[str, int]]
"""For each step, queue -> how many messages it holds."""


@dataclass(frozen=True, slots=True)
class Order:
    """Live the script in this folder (which has a `watchdog.toml`) until the `dies_at`-th moment, from 1; 0: to its end."""

    folder: str
    redis_url: str
    script: Levels
    dies_at: int = 0

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


@dataclass(frozen=True, slots=True)
class Life:
    """How one ended: the signal's number, negative, or 0 where it reached the end; what it did last, where it was killed."""

    code: int
    moments: int
    last: str


class Moments:
    """Counts the moments at which a life may end, and ends it at the one that was ordered."""

    def __init__(self, folder: Path, dies_at: int) -> None:
        self._folder, self._dies_at, self._count = folder, dies_at, 0
        self._log = (folder / MOMENTS).open("ab", buffering=0)

    def reach(self, name: str) -> None:
        if self._is_last(name):
            os.kill(os.getpid(), signal.SIGKILL)

    def reach_in_send(self) -> bool:
        """Whether the next request is the last: the receiver, which reads the pid, kills its sender once it has acted."""
        if doomed := self._is_last(ACTED_ON):
            (self._folder / DOOMED).write_text(str(os.getpid()))
        return doomed

    def _is_last(self, name: str) -> bool:
        self._count += 1
        self._log.write(f"{name}\n".encode())
        return self._count == self._dies_at


class MortalFile(DatabaseFile):
    """The database, with a moment before each COMMIT and one after it."""

    def __init__(self, path: Path, moments: Moments) -> None:
        super().__init__(path)
        self._moments = moments

    def open(self, command: str, *, create: bool = True) -> None:
        super().open(command, create=create)
        self._moments.reach("opened")

    @contextmanager
    def writing(self, apart: str = "") -> Iterator[sqlite3.Connection]:
        with super().writing(apart) as connection:
            yield connection
        self._moments.reach("after COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.set_trace_callback(lambda sql: self._moments.reach("before COMMIT") if sql == "COMMIT" else None)
        return connection


class MortalPostgres(PostgresDatabase):
    """The same of PostgreSQL: killed before the COMMIT is sent, or after it was answered."""

    def __init__(self, url: DatabaseUrl, moments: Moments) -> None:
        super().__init__(url)
        self._moments = moments

    def open(self, command: str, *, create: bool = True) -> None:
        super().open(command, create=create)
        self._moments.reach("opened")

    @contextmanager
    def writing(self, apart: str = "") -> Iterator[PostgresConnection]:
        with super().writing(apart) as connection:
            yield connection
        self._moments.reach("after COMMIT")

    def _commit(self, connection: PostgresConnection) -> None:
        self._moments.reach("before COMMIT")
        super()._commit(connection)


class MortalStore(Store):
    """The store on such a database."""

    def __init__(self, place: DatabasePlace, moments: Moments) -> None:
        super().__init__(place)
        self._file: Database = MortalFile(place, moments) if isinstance(place, Path) else MortalPostgres(place, moments)
        self._file.open("watchdog run")


class MortalReceiver:
    """A receiver, with a moment before each send, one while it is acted on, and one after it.

    On a crowded machine it sends as on an idle one: each request arrives, and what was late once is answered in time when it is repeated.
    """

    def __init__(self, real: Receiver, moments: Moments) -> None:
        self._real, self._moments = real, moments
        self._late: set[str] = set()
        self.name, self.human, self.settings = real.name, real.human, real.settings
        self.address, self.per_second = real.address, real.per_second

    @property
    def longest_s(self) -> float:
        return self._real.longest_s

    def render(self, message: Message) -> bytes:
        return self._real.render(message)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        self._moments.reach("before the send")
        doomed = self._moments.reach_in_send()
        outcome = self._sent(body, message_id, now)
        if doomed:
            time.sleep(DEATH_S)
        self._moments.reach("after the send")
        return outcome

    def _sent(self, body: bytes, message_id: str, now: float) -> Outcome:
        for _ in range(MOST_TRIES):
            outcome = self._real.send(body, message_id, now)
            if not isinstance(outcome, Later) or not (outcome.never_arrived or message_id in self._late):
                break
        if isinstance(outcome, Later):
            self._late.add(message_id)
        return outcome

    def close(self) -> None:
        self._real.close()


def live(order: Order) -> None:
    """One life, in the order of `watchdog run`: lease, recover, then cycles and deliveries, and what is kept for long enough goes."""
    folder = Path(order.folder)
    moments = Moments(folder, order.dies_at)
    conf = configured(load_settings(config=folder / "watchdog.toml", environ={}, flags={}, cwd=folder))
    hours = Hours(folder)
    with MortalStore(conf.loaded.database, moments) as store, store.lease(), redis.Redis.from_url(order.redis_url) as world:
        store.recover()
        receivers = [MortalReceiver(receiver, moments) for receiver in build_receivers(conf.settings)]
        cycles = build_cycles(conf, store, list(receivers), hours.now, lambda: 0.0, SelfSeen)
        delivery = Delivery(store, receivers, clock=hours.now)
        for step in range(hours.step, len(order.script) + MOST_STEPS):
            if step >= len(order.script) + SPARE_STEPS and all_delivered(conf.loaded.database):
                break
            hours.begin(step)
            for receiver in receivers:
                delivery.drain_once(receiver.name)
            if step < len(order.script):
                set_levels(world, order.script[step])
                for cycle in cycles:
                    cycle.run()
        store.retention(hours.now())


class Hours:
    """The clock of all lives in a folder: every step that is begun, or begun again, is ten seconds after the one before."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / STEP
        step, begun = self._file.read_text().split() if self._file.exists() else ("0", "0")
        self.step, self._begun = int(step), int(begun)

    def now(self) -> float:
        return T0 + STEP_S * self._begun

    def begin(self, step: int) -> None:
        self.step, self._begun = step, self._begun + 1
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(f"{step} {self._begun}")
        unfinished.replace(self._file)


def set_levels(world: "redis.Redis", levels: Mapping[str, int]) -> None:
    """Let these queues hold so many messages, at once."""
    with world.pipeline() as pipeline:
        for queue, count in levels.items():
            pipeline.delete(queue)
            if count:
                pipeline.rpush(queue, *["{}"] * count)
        pipeline.execute()


def _in_a_child(work: Callable[[], None]) -> int:
    """The exit code of `work` in a forked process: negative for a signal."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        work()
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    configure_log("info", "logfmt")
    for name in LATE:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        moments = Path(order.folder) / MOMENTS
        before = len(moments.read_text().splitlines()) if moments.exists() else 0
        code = _in_a_child(lambda order=order: live(order))  # type: ignore[misc]
        names = moments.read_text().splitlines()
        sys.stdout.write(json.dumps(asdict(Life(code, len(names) - before, names[-1]))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
