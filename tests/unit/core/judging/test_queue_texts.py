"""What is read at 3 a.m. of a queue that nobody consumes: only what fits the case."""

import pytest

from tests.unit.test_shipped_rules import judged
from watchdog.core.judging.texts import Texts, resolved_text, texts_of
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity

LOST: dict[str, Cell] = {"last_consumer": "celery@gpu-1", "last_consumer_state": "lost"}
TYPO: dict[str, Cell] = {"name": "defualt", "similar": "default"}
HEAD: dict[str, Cell] = {"head_task": "shop.index", "head_origin": "gen7@web-3", "head_s": 420.0}


def texts(**cells: Cell) -> Texts:
    finding = judged("QueueNoConsumers", {"length": 5.0, "unserved": 5.0, "consumers": 0.0, **cells})
    assert finding is not None
    return texts_of(finding, "prod", finding.severity)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (LOST, "The last worker that read from this queue, celery@gpu-1, was lost."),
        (LOST | {"last_consumer_state": "left"}, "The last worker that read from this queue, celery@gpu-1, was stopped."),
        (LOST | {"last_consumer_state": "online"}, "celery@gpu-1 is online, but no longer consumes this queue (cancel_consumer)."),
        (LOST | {"last_consumer_state": ""}, "celery@gpu-1, which read from this queue, is gone."),
        (TYPO, "No worker was ever seen to read from this queue; default, which is nearly its name, has consumers."),
        ({}, "No worker was ever seen to read from this queue."),
        (HEAD, "No worker was ever seen to read from this queue. Next is shop.index, sent by gen7@web-3; it waits for at least 7m."),
    ],
)
def test_the_description_says_which_case_it_is(cells: dict[str, Cell], says: str) -> None:
    assert texts(**cells).description == says


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (LOST, "1. Start celery@gpu-1 again, or another worker with `-Q indexing`"),
        (LOST | {"last_consumer_state": "online"}, "1. `celery -A APP control add_consumer indexing -d celery@gpu-1`"),
        (TYPO, "1. A typo? Look for defualt in task_routes"),
        (HEAD, "1. Look for indexing in task_routes and apply_async(queue=…) of what runs as gen7@web-3."),
    ],
)
def test_the_runbook_opens_with_what_helps_in_this_case(cells: dict[str, Cell], first: str) -> None:
    assert texts(**cells).runbook.startswith(first)


def test_a_lost_consumer_is_not_told_as_a_slip_of_the_pen() -> None:
    assert "task_routes" not in texts(**LOST).runbook


def ended(rule: str, **cells: Cell) -> str:
    finding = judged(rule, cells, fires=True)
    assert finding is not None
    return resolved_text(finding, "prod", Severity.ERROR, "it burned")


@pytest.mark.parametrize(
    ("rule", "cells", "says"),
    [
        ("QueueBacklogHigh", {"length": 3.0}, "indexing holds 3 messages"),
        ("QueueNoConsumers", {"length": 14.0}, "indexing is consumed again; workers: 2, messages waiting: 14"),
        ("QueueNoConsumers", {"length": 0.0, "consumers": 0.0}, "indexing is empty"),
        ("QueueStuck", {"length": 25.0, "head_s": 10.0}, "indexing moves again; messages waiting: 25"),
        ("QueueStuck", {"length": 0.0}, "indexing is empty"),
        ("QueueStuck", {"length": 25.0, "consumers": 0.0}, "Messages waiting in indexing: 25; workers that consume it: 0"),
        ("QueueStuck", {"length": 25.0, "head_s": 900.0}, "Messages waiting in indexing: 25; workers that consume it: 2"),
        ("WorkerIdleWithBacklog", {"length": 9.0}, "Workers of indexing work again; messages waiting: 9"),
        ("WorkerIdleWithBacklog", {"length": 9.0, "waits_for": "the rate limit of a, 6/h"},
         "indexing waits by design: the rate limit of a, 6/h"),
        ("WorkerIdleWithBacklog", {"length": 9.0, "consumers": 0.0}, "Messages waiting in indexing: 9; workers that consume it: 0"),
    ],
)  # fmt: skip
def test_an_end_says_what_is_true_then(rule: str, cells: dict[str, Cell], says: str) -> None:
    assert ended(rule, **cells) == says
