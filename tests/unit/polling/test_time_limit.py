"""A look ends in time, whatever hangs; and looks at several targets wait side by side."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic, perf_counter

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.cluster import healthy
from tests.builders.incidents import a_rule
from tests.unit.polling.test_poller import Pretending
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ListLengths, Ping, Query
from watchdog.core.model.severity import Severity
from watchdog.core.rules.overrides import Tuned
from watchdog.net.descriptor_limits import NotAskedError
from watchdog.polling.check import Checker
from watchdog.polling.poller import Poller
from watchdog.polling.time_limit import BoundedSource, Outstanding, PollDeadline
from watchdog.sources.base import Answers, Source
from watchdog.tables import TABLES

PING = [Ping()]
SHORT_S = 0.05


@dataclass
class Hanging:
    """A source that answers once it is let go."""

    let_go: threading.Event = field(default_factory=threading.Event)
    name: str = "redis"
    longest_s: float = 2.0
    asked: int = 0
    closed: bool = False

    def ask(self, queries: Sequence[Query]) -> Answers:
        self.asked += 1
        self.let_go.wait(20)
        return Answers(dict.fromkeys(queries, "answer"), 1.0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def source() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.let_go.set()


def begun(timeout_s: float) -> PollDeadline:
    deadline = PollDeadline(timeout_s, monotonic)
    deadline.begin()
    return deadline


def test_what_answers_in_time_is_its_answer(source: Hanging) -> None:
    source.let_go.set()
    assert BoundedSource(source, begun(20)).ask(PING) == Answers({Ping(): "answer"}, 1.0)


def test_what_hangs_is_a_gap_for_every_question_that_names_the_limit(source: Hanging) -> None:
    gap = Gap("redis: no answer before the 50ms of --timeout were over")
    queries = [Ping(), ListLengths(("celery",))]
    assert BoundedSource(source, begun(SHORT_S)).ask(queries).replies == dict.fromkeys(queries, gap)


def test_what_comes_after_the_end_is_not_asked(source: Hanging) -> None:
    now = iter((0.0, 3.0))
    deadline = PollDeadline(2.0, lambda: next(now))
    deadline.begin()
    answers = BoundedSource(source, deadline).ask(PING)
    assert (answers.replies[Ping()], source.asked) == (Gap("redis: not queried: the 2s of --timeout were over"), 0)


def test_a_source_that_still_hangs_is_not_asked_twice_at_once_and_answers_again_once_it_can(source: Hanging) -> None:
    deadline = begun(SHORT_S)
    bounded = BoundedSource(source, deadline)
    bounded.ask(PING)
    deadline.begin()
    second = bounded.ask(PING).replies[Ping()]
    source.let_go.set()
    assert (second, source.asked) == (Gap("redis: no answer yet to an earlier query, when the 50ms of --timeout were over"), 1)
    deadline.begin()
    assert bounded.ask(PING).replies == {Ping(): "answer"}


def test_what_a_source_raises_is_raised() -> None:
    class Lacking(Hanging):
        def ask(self, queries: Sequence[Query]) -> Answers:
            raise NotAskedError("too many open files")

    with pytest.raises(NotAskedError):
        BoundedSource(Lacking(), begun(20)).ask(PING)


def test_sockets_that_are_waited_on_are_left_to_the_process_and_others_are_given_back(source: Hanging) -> None:
    bounded = BoundedSource(source, begun(SHORT_S))
    bounded.ask(PING)
    bounded.close()
    assert not source.closed
    unasked = Hanging()
    BoundedSource(unasked, begun(SHORT_S)).close()
    assert unasked.closed


def test_targets_are_looked_at_side_by_side() -> None:
    together = threading.Barrier(4, timeout=10)

    class Meeting(Hanging):
        """Answers once all four are asked: one after the other, that never happens."""

        def ask(self, queries: Sequence[Query]) -> Answers:
            if self.asked == 0:
                together.wait()
            self.asked += 1
            return Answers(dict.fromkeys(queries, Gap("redis: met")))

    names = ("a", "b", "c", "d")
    pollers = [Poller(replace(a_target(), name=name), {"redis": Meeting()}, TABLES) for name in names]
    rules = {name: (Tuned(a_rule()),) for name in names}
    checker = Checker(pollers, TABLES, rules, (), lambda: Evaluator(TABLES, stopwatch=perf_counter), lambda: NOW)
    assert [checked.target for checked in checker.check(Severity.WARNING).targets] == list(names)


def test_a_look_at_a_target_that_hangs_is_unknown_and_the_other_is_known(source: Hanging) -> None:
    deadline = PollDeadline(0.2, monotonic)
    sources: dict[str, Source] = {"hung": source, "well": Pretending("redis", healthy())}
    pollers = [
        Poller(replace(a_target(), name=name, sources=frozenset({"redis"})), {"redis": BoundedSource(one, deadline)}, TABLES)
        for name, one in sources.items()
    ]
    rules = {name: (Tuned(a_rule()),) for name in ("hung", "well")}
    checker = Checker(pollers, TABLES, rules, (), lambda: Evaluator(TABLES, stopwatch=perf_counter), lambda: NOW, deadline=deadline)
    began = time.monotonic()
    result = checker.check(Severity.WARNING)
    assert time.monotonic() - began < 5
    assert [(seen.target, seen.up) for seen in result.sources] == [("hung", False), ("well", True)]
    assert result.exit_code == 3


def test_what_is_still_waited_for_is_told_as_it_changes() -> None:
    told: list[str] = []
    outstanding = Outstanding(told.append)
    for name in ("a", "b", "c", "d"):
        outstanding.say(name, f"asking redis of {name}")
    outstanding.done("a")
    assert told[1] == "asking redis of a; asking redis of b"
    assert told[3] == "asking redis of a; asking redis of b; asking redis of c; and 1 more"
    assert told[4] == "asking redis of b; asking redis of c; asking redis of d"


def test_a_deadline_that_has_not_begun_leaves_all_the_time() -> None:
    assert PollDeadline(3.0, monotonic).left_s() == inf
