"""Tasks of a real worker, told by a real Flower and heard beside it, while events are let go and taken again and Flower dies."""

import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.processes.cluster import Cluster
from tests.processes.looking import Watching
from tests.servers.waiting import until
from watchdog.core.model.queries import FailedTasks, ReadEventCounters
from watchdog.core.model.reading import Seen
from watchdog.tables.tasks.counters import NTH, TaskCounters

FAILS = "demo.fail"
REUSED_S = 2.0
"""How long Flower's answers are reused here: shorter than in life, so that its word comes soon."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A worker on the queue `mails`, and Flower."""
    with Cluster(tmp_path_factory.mktemp("beside")) as one:
        one.start_redis()
        one.start_worker("one", ["mails"], 2)
        one.start_flower()
        yield one


@pytest.fixture(autouse=True)
def flower_is_asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its counters and its lists of failures."""
    for query in (ReadEventCounters, FailedTasks):
        monkeypatch.setattr(query, "good_for_s", REUSED_S)


class Account:
    """A daemon's looks: how many failures they counted, which they listed as new, and who counted."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.watching = Watching(flower=cluster.flower_url, redis=cluster.redis_url, events="auto")
        self.counted, self.sent, self.handovers = 0.0, 0, 0
        self.listed: Counter[str] = Counter()
        self.known: frozenset[str] = frozenset()
        self.by_events = False
        self.unread: str | None = None

    def look(self) -> Seen:
        seen = self.watching.look()
        tasks, sample = seen.memories["tasks"], seen.samples.get("tasks")
        assert isinstance(tasks, TaskCounters)
        self.counted += (sample.values.get(FAILS, (0.0,) * len(NTH))[NTH["failed"]] or 0.0) if sample else 0.0
        new = frozenset(tasks.failures.known) - self.known
        self.known |= new
        self.listed.update(new)
        self.handovers += tasks.ours.told != self.by_events
        self.by_events = tasks.ours.told
        self.unread = seen.windows[300.0]["tasks"].unread
        return seen

    def fails(self, times: int) -> None:
        for _ in range(times):
            self.cluster.app.send_task(FAILS, args=["ValueError"], queue="mails")
        self.sent += times

    def is_settled(self) -> bool:
        """Whether all was counted and listed, by a look now."""
        self.look()
        return self.counted >= self.sent and sum(self.listed.values()) >= self.sent

    def looks_on(self) -> None:
        """Look until Flower has answered anew."""
        ends_at = time.monotonic() + 2 * REUSED_S
        while time.monotonic() < ends_at:
            self.look()
            time.sleep(0.5)


@pytest.fixture
def account(cluster: Cluster) -> Iterator[Account]:
    """Looks of a daemon that has looked once, at a cluster where nothing runs."""
    one = Account(cluster)
    one.look()
    one.known, one.listed, one.counted = one.known, Counter(), 0.0
    yield one
    one.watching.close()


def test_a_failure_counts_as_soon_as_it_is_heard_and_once_when_flower_tells_it_too(account: Account) -> None:
    until(lambda: account.look() and account.by_events, 30, "events to count", every=0.5)
    account.fails(3)
    until(account.is_settled, 10, "them to be counted before Flower is asked again", every=0.5)
    account.looks_on()
    assert (account.counted, sum(account.listed.values())) == (3, 3)


def test_while_flower_is_dead_tasks_are_known_and_its_return_counts_nothing_twice(account: Account) -> None:
    until(lambda: account.look() and account.by_events, 30, "events to count", every=0.5)
    account.fails(2)
    until(account.is_settled, 10, "them to be counted", every=0.5)
    account.cluster.stop_flower(signal.SIGKILL)
    account.fails(2)
    until(account.is_settled, 10, "them to be counted without Flower", every=0.5)
    assert account.unread is None
    account.cluster.start_flower()
    account.fails(2)
    until(account.is_settled, 30, "them to be counted beside a Flower that forgot the others", every=0.5)
    account.looks_on()
    assert (account.counted, sum(account.listed.values())) == (6, 6)


def test_events_that_come_and_go_lose_no_failure_and_count_none_twice(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.watching.close()
    monkeypatch.setattr("watchdog.app.polling.AUTO_SHARE", 1e-6)
    monkeypatch.setattr("watchdog.sources.events.ear.PAUSE_S", 0.1)
    for span, seconds in (("MEASURED_S", 2.0), ("PAUSE_S", 0.5), ("TRIAL_S", 0.2), ("LONGEST_PAUSE_S", 1.0)):
        monkeypatch.setattr(f"watchdog.sources.events.tasks.allowance.{span}", seconds)
    coming = Account(account.cluster)
    coming.look()
    coming.listed.clear()
    try:
        ends_at = time.monotonic() + 40
        while coming.handovers < 4 and time.monotonic() < ends_at:
            coming.fails(1)
            time.sleep(0.25)
            coming.look()
            time.sleep(0.25)
        until(coming.is_settled, 40, "all to be counted", every=0.5)
        coming.looks_on()
        assert coming.handovers >= 4
        assert (coming.counted, sum(coming.listed.values())) == (coming.sent, coming.sent)
    finally:
        coming.watching.close()
