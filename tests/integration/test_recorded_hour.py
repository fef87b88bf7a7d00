"""An hour of a healthy cluster, recorded from real Redis, Celery and Flower, judged again in fast time by the shipped rules."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.recordings import looks
from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.demand import Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import RunningTasks, TaskMeta
from watchdog.core.model.reading import EVERYTHING, Past
from watchdog.core.model.replies import Replies, TaskMetaSeen
from watchdog.core.model.target import Target
from watchdog.daemon.cycle import Cycle, Done
from watchdog.polling.poller import Poller
from watchdog.store import Store
from watchdog.tables import TABLES

TARGET = Target("prod", frozenset({"flower", "redis"}), interval_s=10.0, min_workers=2)


class Replayed(Poller):
    """Answers with what was recorded; no task of that hour reported any progress."""

    def __init__(self, replies: Replies) -> None:
        super().__init__(TARGET, {}, TABLES)
        self.replies = replies

    def ask(self, past: Past, now: float, progress: Callable[[str], None] = lambda _: None, *, demand: Demand = EVERYTHING) -> Replies:
        running = self.replies.get(RunningTasks(), tuple)
        tasks = () if isinstance(running, Gap) else running
        return self.replies.plus((TaskMeta(f"celery-task-meta-{task.id}"), TaskMetaSeen("STARTED")) for task in tasks)


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Done]]:
    book = read_rule_book([], TABLES)
    poller, now = Replayed(Replies()), [0.0]
    path: Path = tmp_path_factory.mktemp("hour") / "watchdog.db"
    with Store.open(path) as store:
        evaluator = Evaluator(TABLES, stopwatch=time.perf_counter)
        cycle = Cycle(
            poller,
            TABLES,
            rules_for(book, "prod", TABLES),
            Evaluators(lambda: evaluator),
            store,
            Situation(poller.target, 0.0, (Recipient("ops"),)),
            clock=lambda: now[0],
            past=lambda _: Past(),
        )
        done = []
        for at, replies in looks("healthy_hour.jsonl.gz"):
            now[0], poller.replies = at, replies
            done.append(cycle.run())
        yield done


def test_the_recording_is_an_hour_long_and_holds_rolling_restarts(hour: list[Done]) -> None:
    assert hour[-1].plan.at - hour[0].plan.at >= 3590
    names = {str(row.cells["name"]) for done in hour for row in done.seen.windows[300.0]["workers"].rows}
    assert len(names) >= 12  # four workers, each replaced twice


def test_nobody_is_told_anything_through_an_hour_of_normal_traffic_and_rolling_restarts(hour: list[Done]) -> None:
    said = [(n.rule, n.key, n.summary) for done in hour for message in done.plan.messages for n in message.notices]
    assert said == []


def test_nothing_even_begins_but_short_backlogs(hour: list[Done]) -> None:
    began = {move.after: done for done in hour for move in done.plan.transitions if move.after == "firing"}
    assert began == {}


def test_every_verdict_could_be_had_once_the_cluster_had_settled(hour: list[Done]) -> None:
    unknown = {
        (f.rule.name, f.key, f.reason)
        for done in islice(hour, 3, None)
        for judgement in done.judgements
        for f in judgement.findings
        if f.verdict is Verdict.UNKNOWN
    }
    assert unknown == set()
