"""Fixtures that start real servers, once the first test asks for them; they end when their scope does."""

import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import httpx
import pytest
from hypothesis import settings

from tests.conditions.seen import claimed_of
from tests.processes.cluster import Cluster
from tests.servers.postgresql import RealPostgreSQL, needs_postgresql, postgresql_installed, real_postgresql
from tests.servers.rabbitmq import RabbitMQ, needs_rabbitmq
from tests.servers.rabbitmq import found as find_rabbitmq
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.demo.redis_server import RedisServerMissingError
from watchdog.demo.redis_server import redis_server as find_redis_server
from watchdog.store.sql import DatabasePlace

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background has them ignore Ctrl-C, and what they start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example of a property takes depends on what else the machine does.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

FIGURE = "figure"
WORKERS_PER_CORE = 4
"""Tests wait for servers, processes and timeouts more than they compute."""
LONGEST_ID = 200
LONGEST = ("test_events_on_rabbitmq", "test_amqp_events", "test_page_actions", "test_page", "test_actions", "test_run")
"""Modules that keep one process busy for a minute or more, or have such a test."""
WITH_SERVERS = ("e2e", "integration")
"""Folders whose tests wait for servers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--count", type=int, help="how often a proof repeats what it repeats; unset: few enough for CI")


def pytest_report_header() -> str:
    try:
        program, where_from = find_redis_server()
    except RedisServerMissingError as missing:
        return f"redis-server: {missing}"
    return f"redis-server: {program} (from {where_from})"


def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` starts."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)


def pytest_make_parametrize_id(val: object) -> str | None:
    """A short id for a long text: pytest-xdist sends every id to and from every process, 6 MB each without this."""
    return f"{val[:LONGEST_ID]!a} and {len(val) - LONGEST_ID} more" if isinstance(val, str | bytes) and len(val) > LONGEST_ID else None


def pytest_configure(config: pytest.Config) -> None:
    """Have pytest-xdist keep the order of `pytest_collection_modifyitems`: its own begins with what has the most tests, not the longest."""
    config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup`, one process runs all tests that share a server; every other test goes to whichever process is free.

    What takes long begins first, and the thousands of short ones fill the gaps at the end.
    """
    items.sort(key=_rank)
    for item in items:
        if item.get_closest_marker("xdist_group") is None and (shared := shared_by(item)):
            item.add_marker(pytest.mark.xdist_group(shared))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave the thousands of collected tests, which stay to the end, out of garbage collection, while they are collected and from then on.

    Measured: two fifths of the CPU time of collecting, which each process does, and a seventh of that of running.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _rank(item: pytest.Item) -> int:
    """The lower, the sooner."""
    name = item.path.stem
    if name in LONGEST:
        return LONGEST.index(name)
    return len(LONGEST) + (item.path.parent.name not in WITH_SERVERS)


def shared_by(item: pytest.Item) -> str:
    """What a test shares with others: the usual cluster, or the fixtures of its module, with their parameters; empty: nothing."""
    definitions = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009 - pytest offers no public way to a fixture's scope
    if "cluster" in definitions and definitions["cluster"][-1].scope == "session":
        return "usual-cluster"
    if "postgresql_server" in definitions or _on_postgresql(item):
        return "postgresql"
    of_module = sorted(name for name, found in definitions.items() if found[-1].scope == "module")
    if not of_module:
        return ""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return "-".join([item.path.stem, *(str(parameters[name]) for name in of_module if name in parameters)])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the proofs measured, whether they passed or not."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports if isinstance(report, pytest.TestReport)]
    measured = [str(text) for report in reports for name, text in report.user_properties if name == FIGURE and report.when == "call"]
    if measured:
        terminalreporter.section("figures")
        for line in measured:
            terminalreporter.write_line(line)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Reports a figure that a proof measured; all of them are printed at the end of the run."""
    return lambda text: record_property(FIGURE, text)


@pytest.fixture
def count(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """How often to repeat: what `--count` says, else the number given, which is CI's."""
    asked: int | None = pytestconfig.getoption("--count")
    return lambda usual: usual if asked is None else asked


def start_usual(cluster: Cluster, *, redis: bool = True) -> None:
    """Redis, `celery@web-1` (indexing, priority; 2 processes), `celery@gpu-1` (analysis, training; 1 process), Flower; all online."""
    if redis:
        cluster.start_redis()
    cluster.start_worker("web-1", ["indexing", "priority"], 2)
    cluster.start_worker("gpu-1", ["analysis", "training"], 1)
    cluster.start_flower()
    cluster.wait_ready(timeout=60)


def ask_the_workers(cluster: Cluster) -> None:
    """Flower asks them, so that their pools are known: one of which nobody knows whether it may be silent is not lost for five minutes."""

    def answered() -> int:
        workers = httpx.get(f"{cluster.flower_url}/api/workers", params={"refresh": "1"}, timeout=20).json()
        return sum("stats" in worker for worker in workers.values())

    until(lambda: answered() == len(cluster.workers), 30, "the workers to answer")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The usual cluster, shared: leave it as you found it (no kills, no floods of its queues)."""
    with Cluster() as shared:
        start_usual(shared)
        yield shared


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """The usual cluster, yours to break."""
    with Cluster() as own:
        start_usual(own)
        yield own


@pytest.fixture
def bare_cluster() -> Iterator[Cluster]:
    """A cluster of which nothing runs yet."""
    with Cluster() as bare:
        yield bare


@pytest.fixture(name="redis_server")
def own_redis(bare_cluster: Cluster) -> Cluster:
    """A Redis of your own: `.redis_url`, `.stop_redis(signal)`, `.start_redis(None, *args)`, `.resume_redis()`."""
    bare_cluster.start_redis()
    return bare_cluster


@pytest.fixture
def full_pipe() -> Iterator[tuple[int, TextIO]]:
    """The end to read of a pipe that nobody reads, and the other, into which nothing more fits."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    with os.fdopen(writer, "w", encoding="utf-8", closefd=False) as stream:
        yield reader, stream
        os.set_blocking(reader, False)
        with suppress(BlockingIOError):
            os.read(reader, 1 << 20)  # or closing would wait for ever
    os.close(reader)
    os.close(writer)


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[RecordingReceiver]:
    """An HTTP server that records what is posted to `.url`. A test that says which rules it sees fails unless it was told of them."""
    with RecordingReceiver() as recording:
        yield recording
        bodies = b"".join(one.body for one in recording.requests).replace(b" ", b"")
        unseen = [rule for rule in claimed_of(request.node.nodeid.partition("[")[0]) if f'"rule":"{rule}"'.encode() not in bodies]
    assert unseen == [], "docs/conditions.md says that this test sees them"


def _on_postgresql(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and hasattr(item, "callspec") and "postgresql" in item.callspec.params.values()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[RealPostgreSQL]:
    """A PostgreSQL that all tests of this process share; each empties or makes the databases that it uses."""
    if not postgresql_installed():
        pytest.skip(needs_postgresql)
    with real_postgresql() as server:
        yield server


@pytest.fixture
def own_postgresql() -> Iterator[RealPostgreSQL]:
    """A PostgreSQL of this test alone, yours to break."""
    if not postgresql_installed():
        pytest.skip(needs_postgresql)
    with real_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A RabbitMQ that all modules of this process share, which takes 10 s of CPU to start; each of them empties it first."""
    if find_rabbitmq() is None:
        pytest.skip(needs_rabbitmq)
    server = RabbitMQ(tmp_path_factory.mktemp("rabbit"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DatabasePlace:
    """Where a store may be: a folder for SQLite, or a database of PostgreSQL in which nothing is kept yet."""
    if request.param == "sqlite":
        return tmp_path
    server: RealPostgreSQL = request.getfixturevalue("postgresql_server")
    return DatabaseUrl(server.emptied_database())
