from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.cluster import Cluster as Pretended
from tests.builders.cluster import healthy
from tests.builders.looks import Watch
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    FailedTasks,
    Inspected,
    ListLengths,
    Ping,
    Query,
    ReadEventCounters,
    ReadServer,
    RunningTasks,
    TaskMeta,
    WaitingTasks,
    WorkerStatus,
)
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.replies import EventCounters, TaskSeen
from watchdog.core.model.rows import Asking, Reading, Table
from watchdog.core.model.servers.heard import FAILURES_HEARD, CountHeard, Heard
from watchdog.polling.poller import Poller, StoppedError
from watchdog.sources.base import Answers
from watchdog.tables import TABLES


@dataclass
class Recording:
    """A source with programmed answers, which remembers the batches."""

    name: str = "redis"
    longest_s: float = 2.0
    answers: dict[Query, object] = field(default_factory=dict)
    batches: list[list[Query]] = field(default_factory=list)
    closed: bool = False
    order: list[str] = field(default_factory=list)

    def ask(self, queries: Sequence[Query]) -> Answers:
        self.batches.append(list(queries))
        self.order.append(self.name)
        return Answers({q: self.answers[q] for q in queries if q in self.answers}, 1.5)

    def close(self) -> None:
        self.closed = True


def a_table(name: str, *rounds: Iterable[Query]) -> Table:
    """Asks the first batch, then, once all of it is answered, the next."""

    def asks(asking: Asking) -> Iterable[Query]:
        wanted: list[Query] = []
        for batch in rounds:
            wanted += batch
            if not all(asking.replies.asked(q) for q in batch):
                break
        return wanted

    return Table(name, "anything", (), (), asks, lambda _: Reading())


def poller(source: Recording, *tables: Table) -> Poller:
    return Poller(a_target(), {source.name: source}, {t.name: t for t in tables})


def test_the_answers_say_how_long_asking_took() -> None:
    times = iter((100.0, 107.5))
    source = Recording(answers={TaskMeta("k"): "report"})
    asked = Poller(a_target(), {"redis": source}, {"a": a_table("a", [TaskMeta("k")])}, lambda: next(times)).ask(Past(), NOW)
    assert asked.took_s == 7.5


def test_the_broker_is_asked_for_results_where_they_have_no_source_of_their_own() -> None:
    redis = Recording(answers={TaskMeta("k"): "report"})
    replies = poller(redis, a_table("a", [TaskMeta("k")])).ask(Past(), NOW)
    assert (redis.batches, replies.answers) == ([[TaskMeta("k")]], {TaskMeta("k"): "report"})


def test_results_that_have_a_source_of_their_own_are_asked_there_alone() -> None:
    sources = {name: Recording(name) for name in ("flower", "results", "redis")}
    table = a_table("a", [TaskMeta("k"), ListLengths(("q",))])
    Poller(a_target(sources=frozenset(sources)), sources, {"a": table}).ask(Past(), NOW)
    assert {name: source.batches for name, source in sources.items()} == {
        "flower": [],
        "redis": [[ListLengths(("q",))]],
        "results": [[TaskMeta("k")]],
    }


def test_two_tables_asking_the_same_cost_one_question() -> None:
    redis = Recording()
    poller(redis, a_table("a", [Ping()]), a_table("b", [Ping()])).ask(Past(), NOW)
    assert redis.batches == [[Ping()]]


def test_once_stopped_the_batch_in_hand_is_the_last() -> None:
    redis = Recording(answers={Ping(): 1, ListLengths(("a",)): 2})
    one = poller(redis, a_table("a", [Ping()], [ListLengths(("a",))]))
    with pytest.raises(StoppedError):
        one.ask(Past(), NOW, lambda _: one.stop())
    assert redis.batches == [[Ping()]]


def test_once_stopped_nothing_is_asked_ever_again() -> None:
    redis = Recording()
    one = poller(redis, a_table("a", [Ping()]))
    one.stop()
    with pytest.raises(StoppedError):
        one.ask(Past(), NOW)
    assert redis.batches == []


def test_each_round_is_one_batch() -> None:
    redis = Recording(answers={Ping(): 1, ListLengths(("a",)): 2})
    poller(redis, a_table("a", [Ping(), ReadServer()], [ListLengths(("a",))])).ask(Past(), NOW)
    assert redis.batches == [[Ping(), ReadServer()], [ListLengths(("a",))]]


def test_there_are_at_most_three_rounds() -> None:
    redis = Recording()
    poller(redis, a_table("a", *([ListLengths((str(n),))] for n in range(9)))).ask(Past(), NOW)
    assert len(redis.batches) == 3


def test_what_needs_no_second_round_gets_none() -> None:
    redis = Recording()
    poller(redis, a_table("a", [Ping()])).ask(Past(), NOW)
    assert len(redis.batches) == 1


def test_a_question_without_an_answer_is_a_gap() -> None:
    replies = poller(Recording(), a_table("a", [Ping()])).ask(Past(), NOW)
    assert replies.get(Ping(), object) == Gap("redis: gave no answer to this question")


def test_an_answer_is_reused_while_it_is_good() -> None:
    flower = Recording("flower", answers={ReadEventCounters(): "first"})
    asking = poller(flower, a_table("a", [ReadEventCounters()]))
    asking.ask(Past(), NOW)
    flower.answers = {ReadEventCounters(): "second"}
    assert asking.ask(Past(), NOW + 14).get(ReadEventCounters(), str) == "first"


@pytest.mark.parametrize("beside", [(), (WorkerStatus(),)])
def test_which_answers_are_reused_is_said(beside: tuple[Query, ...]) -> None:
    flower = Recording("flower", answers={ReadEventCounters(): "first"})
    asking = poller(flower, a_table("a", [ReadEventCounters(), *beside]))
    assert [asking.ask(Past(), NOW + after).reused for after in (0, 14, 15)] == [frozenset(), {ReadEventCounters()}, frozenset()]


def test_an_answer_is_asked_again_when_it_is_no_longer_good() -> None:
    flower = Recording("flower", answers={ReadEventCounters(): "first"})
    asking = poller(flower, a_table("a", [ReadEventCounters()]))
    asking.ask(Past(), NOW)
    flower.answers = {ReadEventCounters(): "second"}
    assert asking.ask(Past(), NOW + 15).get(ReadEventCounters(), str) == "second"


def test_a_clock_set_back_asks_again() -> None:
    flower = Recording("flower", answers={ReadEventCounters(): "first"})
    asking = poller(flower, a_table("a", [ReadEventCounters()]))
    asking.ask(Past(), NOW)
    asking.ask(Past(), NOW - 3600)
    assert len(flower.batches) == 2


def test_a_failed_ask_is_a_gap_at_once() -> None:
    flower = Recording("flower", answers={Inspected(): {}})
    asking = poller(flower, a_table("a", [Inspected()]))
    asking.ask(Past(), NOW)
    flower.answers = {Inspected(): Gap("flower: 500")}
    assert asking.ask(Past(), NOW + 30).get(Inspected(), dict) == Gap("flower: 500")


def test_a_gap_is_never_reused() -> None:
    flower = Recording("flower", answers={Inspected(): Gap("flower: 500")})
    asking = poller(flower, a_table("a", [Inspected()]))
    asking.ask(Past(), NOW)
    asking.ask(Past(), NOW + 1)
    assert len(flower.batches) == 2


def test_what_is_asked_each_cycle_is_not_reused() -> None:
    redis = Recording(answers={Ping(): 1})
    asking = poller(redis, a_table("a", [Ping()]))
    asking.ask(Past(), NOW)
    asking.ask(Past(), NOW)
    assert len(redis.batches) == 2


def hearing(*sources: Recording, table: Table) -> Poller:
    """A poller of a target whose tasks are heard."""
    return Poller(a_target(hears_tasks=True), {source.name: source for source in sources}, {table.name: table})


def test_where_tasks_are_heard_flower_is_not_asked_for_them() -> None:
    flower, events = Recording("flower"), Recording("events", answers={ReadEventCounters(): "counted"})
    replies = hearing(flower, events, table=a_table("a", [WorkerStatus(), ReadEventCounters()])).ask(Past(), NOW)
    assert (flower.batches, replies.get(ReadEventCounters(), str)) == ([[WorkerStatus()]], "counted")


def test_what_is_heard_is_as_of_now_in_each_poll() -> None:
    events = Recording("events", answers={ReadEventCounters(): "counted"})
    asker = hearing(events, table=a_table("a", [ReadEventCounters()]))
    for second in range(3):
        asker.ask(Past(), NOW + second)
    assert events.batches == [[ReadEventCounters()]] * 3


# --- beside Flower --------------------------------------------------------------------------------------------------------

LISTED, HEARD = TaskSeen("listed", "shop.mail", "FAILURE"), TaskSeen("heard", "shop.mail", "FAILURE")


class Beside:
    """A poller of a target with a Flower that lists one failure, and with events of another."""

    def __init__(self) -> None:
        self.flower = Recording("flower", answers={FailedTasks(): (LISTED,), ReadEventCounters(): EventCounters(1.0, {})})
        self.events = Recording("events", answers={FAILURES_HEARD: Heard((HEARD,))})
        self.open(5.0)
        sources = {"flower": self.flower, "events": self.events}
        table = a_table("a", [ReadEventCounters(), FailedTasks()])
        self.poller, self.now = Poller(a_target(hears_beside_flower=True), sources, {table.name: table}), NOW

    def open(self, since: float) -> None:
        self.events.answers[CountHeard()] = EventCounters(since, {})

    def shut(self) -> None:
        self.events.answers[CountHeard()] = Gap("events: they cost too much")

    def failed(self) -> list[str]:
        """The failures of a poll a second later."""
        self.now += 1
        listed = self.poller.ask(Past(), self.now).get(FailedTasks(), tuple[TaskSeen, ...])
        return [] if isinstance(listed, Gap) else [task.id for task in listed]


def test_at_the_first_poll_that_finds_events_heard_flower_alone_lists() -> None:
    assert Beside().failed() == ["listed"]


def test_from_the_second_poll_on_what_was_heard_is_listed_too() -> None:
    beside = Beside()
    assert [beside.failed(), beside.failed()] == [["listed"], ["heard", "listed"]]


def test_when_events_are_heard_over_another_connection_flower_is_asked_anew_before_they_count() -> None:
    beside = Beside()
    beside.failed()
    beside.open(6.0)
    assert (beside.failed(), len(beside.flower.batches)) == (["listed"], 2)


def test_when_events_are_lost_flower_is_asked_anew_and_its_word_stands() -> None:
    beside = Beside()
    assert [beside.failed(), beside.failed()] == [["listed"], ["heard", "listed"]]
    beside.shut()
    assert (beside.failed(), len(beside.flower.batches)) == (["listed"], 2)


def test_flower_is_asked_no_more_often_because_events_are_heard() -> None:
    beside = Beside()
    for _ in range(10):
        beside.failed()
    assert len(beside.flower.batches) == 1


@dataclass
class Learned(Recording):
    """Events that are told names."""

    names: Mapping[str, str] = field(default_factory=dict)

    def learn(self, names: Mapping[str, str]) -> None:
        self.names = {**self.names, **names}


def test_as_events_begin_to_be_heard_they_learn_the_names_of_what_waits_and_runs_from_flower() -> None:
    beside = Beside()
    waits, runs = TaskSeen("w", "shop.wait", "RECEIVED"), TaskSeen("r", "shop.run", "STARTED")
    beside.flower.answers |= {WaitingTasks(): (waits,), RunningTasks(1000): (runs,)}
    events = Learned("events", answers=beside.events.answers)
    asking = Poller(a_target(hears_beside_flower=True), {"flower": beside.flower, "events": events}, {})
    asking.ask(Past(), NOW)
    asking.ask(Past(), NOW + 1)
    assert (events.names, len(beside.flower.batches)) == ({"w": "shop.wait", "r": "shop.run"}, 1)


# --- order, time ----------------------------------------------------------------------------------------------------------


def test_redis_is_asked_before_flower() -> None:
    order: list[str] = []
    redis, flower = Recording("redis", order=order), Recording("flower", order=order)
    Poller(a_target(), {"flower": flower, "redis": redis}, {"a": a_table("a", [WorkerStatus(), Ping()])}).ask(Past(), NOW)
    assert order == ["redis", "flower"]


def test_how_long_a_source_took_is_kept() -> None:
    assert poller(Recording(), a_table("a", [Ping()])).ask(Past(), NOW).latency_ms == {"redis": 1.5}


def test_whom_it_asks_is_told_as_it_goes() -> None:
    heard: list[str] = []
    poller(Recording(), a_table("a", [Ping()])).ask(Past(), NOW, heard.append)
    assert heard == ["asking redis of prod"]


def test_a_question_for_a_source_that_is_not_configured_is_a_gap() -> None:
    replies = poller(Recording("redis"), a_table("a", [WorkerStatus()])).ask(Past(), NOW)
    assert replies.get(WorkerStatus(), dict) == Gap("flower: not queried")


def test_watchdogs_own_tables_ask_nothing_of_a_cluster() -> None:
    redis = Recording()
    poller(redis, replace(a_table("a", [Ping()]), own=True)).ask(Past(), NOW)
    assert redis.batches == []


def test_asking_takes_at_most_three_rounds_of_all_timeouts() -> None:
    assert poller(Recording(longest_s=2.0), a_table("a")).longest_s == 6.0


def test_closing_gives_back_the_sources() -> None:
    redis = Recording()
    poller(redis).close()
    assert redis.closed


@dataclass
class Pretending:
    """A source in front of a fake cluster."""

    name: str
    cluster: Pretended
    longest_s: float = 1.0
    batches: int = 0

    def ask(self, queries: Sequence[Query]) -> Answers:
        self.batches += 1
        return Answers({q: self.cluster.answer(q) for q in queries}, 1.0)

    def close(self) -> None:
        """Nothing to give back."""


def test_on_a_healthy_cluster_the_asker_finds_what_the_tables_need() -> None:
    cluster = healthy()
    sources = {name: Pretending(name, cluster) for name in ("flower", "redis")}
    replies = Poller(a_target(), sources, TABLES).ask(Past(), NOW)
    seen = read_tables(TABLES, a_target(), Past(), replies, NOW)
    expected = Watch(healthy()).look(0)
    assert [r.cells["name"] for r in seen.windows[300.0]["queues"].rows] == [r.cells["name"] for r in expected["queues"].rows]


def test_a_steady_cycle_costs_redis_one_batch_and_flower_one() -> None:
    cluster = healthy()
    sources = {name: Pretending(name, cluster) for name in ("flower", "redis")}
    asking = Poller(a_target(), sources, TABLES)
    past = Past()
    for number in range(3):
        before = {name: source.batches for name, source in sources.items()}
        replies = asking.ask(past, NOW + 10 * number)
        past = past.plus(read_tables(TABLES, a_target(), past, replies, NOW + 10 * number), 900.0)
        cluster.beating()
    assert {name: source.batches - before[name] for name, source in sources.items()} == {"flower": 1, "redis": 1}
