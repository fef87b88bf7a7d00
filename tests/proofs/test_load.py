"""Proof 5: load. Ten thousand incidents at once, ten thousand that stay open, and a week of cycles in fast time.

Counts and non-growth are asserted. Costs are CPU time of one run beside the floor of the same work, the median of rounds in turns: figures,
asserted with slack alone, for machines are noisy.
"""

import gc
import json
import socket
import sqlite3
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster, healthy
from tests.servers.waiting import until
from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Delivered, Outcome
from watchdog.core.incidents.payload import encode
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.model.queries import Query
from watchdog.core.model.reading import Past
from watchdog.core.model.rows import Cell, Kind, Look, Reading, Row, Table
from watchdog.core.model.target import Target
from watchdog.daemon.cycle import Cycle, Done
from watchdog.daemon.delivery import Delivery
from watchdog.demo.processes import Process, child_environment, free_port
from watchdog.polling.poller import Poller
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.sources.base import Answers
from watchdog.store import CachedTarget, Store
from watchdog.tables import TABLES

T0 = 1_795_338_900.0
INTERVAL_S = 10.0
MANY = 10_000
MESSAGES = 102
"""A message holds at most 100 of them, and 64 KiB: some hold one or two less."""
Figure = Callable[[str], None]

pytestmark = pytest.mark.alone

RULE = """
[[rule]]
name     = "QueueBacklogHigh"
from     = "queues"
when     = "length > :limit"
clear    = "length < :limit / 2"
params   = { limit = 50 }
severity = "warning"
escalate = [{ when = "length > :limit * 100", severity = "critical" }]
summary  = "{{ name }} holds {{ length | number }} messages"
runbook  = "Start more of its workers; or raise `limit` for {{ name }}."
labels   = { team = "data" }
"""


@dataclass
class Clock:
    now: float = T0

    def __call__(self) -> float:
        return self.now


@dataclass
class Queues:
    """The rows of `queues` in a simulated cycle, at no cost: one for each length. Each cycle gives new rows, as a real one does."""

    lengths: list[float]

    def read(self, _: Look) -> Reading:
        return Reading(rows=tuple(map(self._row, range(len(self.lengths)), self.lengths)))

    def _row(self, number: int, length: float) -> Row:
        return Row({**_NEUTRAL, "name": f"orders-{number:05}", "length": length})

    def table(self) -> Table:
        return replace(TABLES["queues"], asks=lambda _: (), read=self.read, needs=())


_NOTHING: dict[Kind, Cell] = {Kind.NUMBER: 0.0, Kind.BOOLEAN: False, Kind.TEXT: ""}
_NEUTRAL = {column.name: _NOTHING[column.kind] for column in TABLES["queues"].columns}


@dataclass
class Watched:
    """A target of many queues, its cycle and its database."""

    queues: Queues
    cycle: Cycle
    store: Store
    clock: Clock

    def look(self) -> Done:
        """The next cycle, an interval later."""
        self.clock.now += INTERVAL_S
        return self.cycle.run()


@contextmanager
def watched(folder: Path, lengths: list[float], receiver: WebhookReceiver) -> Iterator[Watched]:
    folder.mkdir(exist_ok=True)
    (folder / "rule.toml").write_text(RULE)
    queues, clock = Queues(lengths), Clock()
    tables = {"queues": queues.table()}
    book = read_rule_book([folder / "rule.toml"], TABLES, shipped=False)
    assert not book.faults
    target = Target("prod", frozenset({"redis"}), INTERVAL_S)
    with Store.open(folder / "watchdog.db") as store, closing(Evaluator(tables, stopwatch=time.perf_counter)) as evaluator:
        situation = Situation(target, 0.0, (Recipient(receiver.name, receiver.human, receiver.settings),))
        cycle = Cycle(
            Poller(target, {}, tables),
            tables,
            rules_for(book, "prod", TABLES),
            Evaluators(lambda: evaluator),
            store,
            situation,
            clock=clock,
            past=lambda _: Past(),
        )
        yield Watched(queues, cycle, store, clock)


@dataclass(frozen=True)
class Arrivals:
    """A receiver that is a process of its own."""

    port: int
    file: Path

    def receiver(self) -> WebhookReceiver:
        settings = WebhookSettings.model_validate(
            {"name": "ops", "type": "webhook", "url": f"http://127.0.0.1:{self.port}/hook", "per_second": 1000}
        )
        return WebhookReceiver(settings)

    def bodies(self) -> dict[str, bytes]:
        """webhook-id -> body of what arrived; every id once."""
        lines = [line.split(b" ", 1) for line in self.file.read_bytes().splitlines()]
        found = {message_id.decode(): body for message_id, body in lines}
        assert len(found) == len(lines), "a message came twice"
        return found


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[Arrivals]:
    one = Arrivals(free_port(), tmp_path / "arrived")
    one.file.touch()
    command = [sys.executable, "-m", "tests.proofs.receiving", str(one.port), str(one.file)]
    process = Process("receiver", command, Path(__file__).parents[2], child_environment({}))
    try:
        until(lambda: _answers(one.port), 20, "the receiver to listen")
        yield one
    finally:
        process.end()
        process.log.unlink(missing_ok=True)


def file_of(store: Store) -> Path:
    """The file of a store that is one."""
    assert isinstance(store.path, Path)
    return store.path


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU of this process, all threads; with no collection of what the work before left behind."""
    gc.collect()
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def shown(mine: Sequence[float], floor: Sequence[float]) -> str:
    ratio = statistics.median(m / f for m, f in zip(mine, floor, strict=True))
    return f"{statistics.median(mine):.0f} ms CPU, floor {statistics.median(floor):.0f} ms, ratio {ratio:.2f}"


# --- ten thousand at once -------------------------------------------------------------------------------------------------

MOST_OF_A_FLOOD = 20.0
"""The target is 2. What is asserted is that nothing became quadratic: machines are noisy, and the floor is short."""
WRITTEN = ("incidents", "transitions", "messages", "notices", "told")


@dataclass
class Floor:
    """The same rows into a database of the same schema by `executemany`, in one commit; the same bodies over one kept connection."""

    rows: dict[str, list[tuple[object, ...]]]
    bodies: dict[str, bytes]

    @classmethod
    def of(cls, database: Path, bodies: dict[str, bytes]) -> "Floor":
        with closing(sqlite3.connect(database)) as connection:
            return cls({table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in WRITTEN}, bodies)

    def write(self, database: Path) -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            for table, rows in self.rows.items():
                connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
            connection.execute("COMMIT")

    def write_twice_a_message(self, database: Path) -> None:
        """What at-least-once costs at least: a message is written before it is sent and after, each in a commit of its own."""
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            for message_id in [*self.bodies, *self.bodies]:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE messages SET attempts = attempts + 1 WHERE id = ?", (message_id,))
                connection.execute("COMMIT")

    def post(self, port: int) -> None:
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            for message_id, body in self.bodies.items():
                connection.request("POST", "/hook", body, {"content-type": "application/json", "webhook-id": f"floor-{message_id}"})
                connection.getresponse().read()


@dataclass
class Costs:
    """CPU (ms) of one round: of watchdog's cycle and its delivery, of the floor's writing and its posts; and of two commits a message."""

    cycle: list[float] = field(default_factory=list)
    delivery: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)
    posts: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)

    @property
    def mine(self) -> list[float]:
        return [sum(pair) for pair in zip(self.cycle, self.delivery, strict=True)]

    @property
    def floor(self) -> list[float]:
        return [sum(pair) for pair in zip(self.rows, self.posts, strict=True)]


def test_ten_thousand_incidents_at_once_are_stored_grouped_and_sent(
    tmp_path: Path, arrivals: Arrivals, figure: Figure, count: Callable[[int], int]
) -> None:
    costs, rounds = Costs(), min(count(2), 20)
    warm_up(tmp_path / "warm", arrivals)
    for number in range(rounds):
        arrivals.file.write_bytes(b"")
        receiver = arrivals.receiver()
        with watched(tmp_path / f"round-{number}", [0.0] * MANY, receiver) as one, capture_logs():
            one.look()
            one.queues.lengths = [60.0 + n for n in range(MANY)]
            delivery = Delivery(one.store, [receiver], clock=one.clock)
            costs.cycle.append(cpu_ms(one.look))
            costs.delivery.append(cpu_ms(lambda: delivery.drain_once("ops")))  # noqa: B023 - called at once
            delivery.stop(1.0)
            bodies = arrivals.bodies()
            check_flood(one.store, bodies)
            floor = Floor.of(file_of(one.store), bodies)
        with Store.open(tmp_path / f"floor-{number}.db") as empty:
            costs.rows.append(cpu_ms(lambda: floor.write(file_of(empty))))  # noqa: B023
            costs.commits.append(cpu_ms(lambda: floor.write_twice_a_message(file_of(empty))))  # noqa: B023
        costs.posts.append(cpu_ms(lambda: floor.post(arrivals.port)))  # noqa: B023
    figure(f"{MANY:,} incidents at once, stored, grouped and sent in {MESSAGES} messages: {shown(costs.mine, costs.floor)}")
    figure(f"  the cycle, beside executemany of the same rows: {shown(costs.cycle, costs.rows)}")
    figure(f"  the delivery, beside POSTs of the same bodies: {shown(costs.delivery, costs.posts)}")
    figure(f"  two commits a message, which that floor has not: {statistics.median(costs.commits):.0f} ms CPU")
    assert statistics.median(m / f for m, f in zip(costs.mine, costs.floor, strict=True)) < MOST_OF_A_FLOOD


def warm_up(folder: Path, arrivals: Arrivals) -> None:
    """Imports, and templates compiled."""
    receiver = arrivals.receiver()
    with watched(folder, [60.0] * 10, receiver) as one, capture_logs():
        one.look()
        delivery = Delivery(one.store, [receiver], clock=one.clock)
        assert delivery.drain_once("ops") == 1
        delivery.stop(1.0)


def check_flood(store: Store, bodies: dict[str, bytes]) -> None:
    """Every incident is stored once and sent once, in as few messages as possible."""
    said = Counter(incident["id"] for body in bodies.values() for incident in json.loads(body)["data"]["incidents"])
    assert len(bodies) == MESSAGES
    assert said == Counter(incident.id for incident in store.incidents())
    assert len(said) == MANY
    assert set(said.values()) == {1}
    assert store.outbox_shown().messages == ()


# --- ten thousand that stay open ------------------------------------------------------------------------------------------

MOST_OF_A_CYCLE = 20.0
"""The target is 3."""
FORBIDDEN = (
    "INSERT ON incidents",
    "UPDATE ON incidents",
    "INSERT ON transitions",
    "INSERT ON messages",
    "INSERT ON told",
    "DELETE ON told",
)


def forbid_writing(database: Path) -> None:
    """From now on, every write to an incident or its notifications fails."""
    with closing(sqlite3.connect(database)) as connection:
        for number, what in enumerate(FORBIDDEN):
            connection.execute(
                f"CREATE TRIGGER forbidden_{number} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'written, though nothing changed'); END"
            )


def select_open(connection: sqlite3.Connection) -> int:
    """The floor: the rows of the open incidents and of their notifications."""
    incidents = connection.execute(
        "SELECT * FROM incidents WHERE target = 'prod' AND state IN ('pending', 'firing', 'recovering')"
    ).fetchall()
    told = connection.execute(
        "SELECT told.* FROM incidents JOIN told ON told.incident = incidents.id"
        " WHERE target = 'prod' AND state IN ('pending', 'firing', 'recovering')"
    ).fetchall()
    return len(incidents) + len(told)


def test_ten_thousand_that_stay_open_are_neither_rebuilt_nor_written(
    tmp_path: Path, arrivals: Arrivals, figure: Figure, count: Callable[[int], int]
) -> None:
    receiver, mine, floor, reading = arrivals.receiver(), [], [], []
    with watched(tmp_path / "open", [0.0] * MANY, receiver) as one, capture_logs():
        one.look()
        none_open = [cpu_ms(one.look) for _ in range(3)]
        one.queues.lengths = [60.0 + n for n in range(MANY)]
        one.look()
        delivery = Delivery(one.store, [receiver], clock=one.clock)
        assert delivery.drain_once("ops") == MESSAGES
        delivery.stop(1.0)
        one.look()
        forbid_writing(file_of(one.store))
        with closing(sqlite3.connect(file_of(one.store))) as connection:
            assert select_open(connection) == 2 * MANY
            for _ in range(min(count(5), 15)):
                found: list[Done] = []
                mine.append(cpu_ms(lambda: found.append(one.look())))  # noqa: B023
                floor.append(cpu_ms(lambda: select_open(connection)))
                reading.append(cpu_ms(lambda: one.queues.read(None)))  # type: ignore[arg-type]  # it looks at nothing
                assert not found[0].plan.incidents
                assert not found[0].plan.messages
        with one.store.cycle() as transaction:
            kept = CachedTarget()
            before, again = transaction.load("prod", kept), transaction.load("prod", kept)
        assert len(again.open) == MANY
        assert all(new is old for new, old in zip(again.open, before.open, strict=True))
        assert all(again.notified[key] is told for key, told in before.notified.items())
    own = [m - r for m, r in zip(mine, reading, strict=True)]
    figure(f"a cycle with {MANY:,} open, beside selecting their rows: {shown(own, floor)}")
    figure(f"  over as many rows with none open: {statistics.median(none_open) - statistics.median(reading):.0f} ms CPU")
    assert statistics.median(m / f for m, f in zip(own, floor, strict=True)) < MOST_OF_A_CYCLE


# --- a week ---------------------------------------------------------------------------------------------------------------


@dataclass
class Pretended:
    """A source that answers for a fake cluster."""

    name: str
    cluster: Cluster
    longest_s: float = 1.0

    def ask(self, queries: Sequence[Query]) -> Answers:
        return Answers({query: self.cluster.answer(query, self.name) for query in queries}, 1.0)

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Listener:
    """A receiver that only counts."""

    name: str = "ops"
    human: bool = False
    settings: str = "s1"
    longest_s: float = 1.0
    address: str = "ops"
    per_second: float = float("inf")
    heard: int = 0

    def render(self, message: Message) -> bytes:
        return encode(message)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        self.heard += 1
        return Delivered()

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Used:
    """What the process and its database hold: memory (blocks that Python has handed out), open files, pages of the database."""

    blocks: int
    files: int
    pages: int

    @classmethod
    def now(cls, store: Store) -> "Used":
        gc.collect()
        with closing(sqlite3.connect(file_of(store))) as connection:
            [pages] = connection.execute("PRAGMA page_count").fetchone()
        return cls(sys.getallocatedblocks(), len(list(Path("/dev/fd").iterdir())), pages)


def lives(cluster: Cluster, number: int) -> None:
    """What happens in a cluster: pods come and go under new names, a queue fills and empties, a worker dies and is back."""
    cluster.asked.clear()
    cluster.lists["indexing"] = 5000 if number % 120 < 60 else 0
    if number % 60 == 0:
        cluster.add(f"celery@pod-{number}", queues=("indexing",))
    if number % 60 == 45:
        cluster.leaves(f"celery@pod-{number - 45}")
    if number % 60 == 59:  # Flower was told to forget those that have left (`purge_offline_workers`)
        for kept in (cluster.beats, cluster.online, cluster.cache):
            kept.pop(f"celery@pod-{number - 59}", None)
    if number % 90 == 30:
        cluster.dies("celery@gpu-1")
    if number % 90 == 75:
        cluster.add("celery@gpu-1", queues=("training",))


def test_a_week_of_cycles_leaves_memory_files_and_database_as_they_were(
    tmp_path: Path, figure: Figure, count: Callable[[int], int]
) -> None:
    """Seven days of fast time; with fewer cycles, seven shorter ones. What ended is kept for one of them."""
    cycles = count(1680)
    a_day = cycles // 7
    cluster, clock, listener = healthy(), Clock(), Listener()
    cluster.now = clock.now
    target = replace(a_target(), name="prod", forget_after_s=min(3600.0, a_day * INTERVAL_S / 4))
    poller = Poller(target, {name: Pretended(name, cluster) for name in ("redis", "flower")}, TABLES)
    rules = rules_for(read_rule_book([], TABLES), "prod", TABLES)
    days: list[Used] = []
    with (
        Store.open(tmp_path / "week.db") as store,
        closing(Evaluator(TABLES, stopwatch=time.perf_counter)) as evaluator,
        capture_logs() as log,
    ):
        situation = Situation(target, 0.0, (Recipient(listener.name, listener.human, listener.settings),))
        cycle = Cycle(poller, TABLES, rules, Evaluators(lambda: evaluator), store, situation, clock=clock, past=lambda _: Past())
        delivery = Delivery(store, [listener], clock=clock)
        for number in range(cycles):
            cluster.beating(INTERVAL_S)
            clock.now = cluster.now
            lives(cluster, number)
            cycle.run()
            delivery.drain_once("ops")
            log.clear()
            if number % max(a_day // 24, 1) == 0:
                store.retention(clock.now, a_day * INTERVAL_S)
            if (number + 1) % a_day == 0:
                days.append(Used.now(store))
        kept = len(store.incidents(0.0))
    assert listener.heard > cycles // 120, "hardly anything happened"
    second, last = days[1], days[-1]
    figure(
        f"{cycles:,} cycles of {INTERVAL_S:g} s, {listener.heard:,} messages, {kept} incidents kept; from the second seventh to the last: "
        f"{last.blocks - second.blocks:+,} of {second.blocks:,} blocks of memory, {last.files - second.files:+} files, "
        f"database {second.pages} to {last.pages} pages"
    )
    assert last.files <= second.files
    assert last.blocks < second.blocks * 1.02
    assert last.pages < second.pages * 1.25
