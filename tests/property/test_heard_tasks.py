"""Whatever the order of events: what one worker executes is in one list at most, what runs is listed once, and every event is counted."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.runs import COUNTED, Runs

KINDS = st.sampled_from([*COUNTED, "task-sent", "task-progressed"])
EVENTS = st.lists(st.tuples(KINDS, st.sampled_from("abc"), st.sampled_from(["celery@1", "celery@2"]), st.sampled_from([None, "x", "y"])))


def heard(events: list[tuple[str, str, str, str | None]]) -> Runs:
    runs = Runs()
    runs.opens(0.0)
    for at, (kind, task_id, worker, name) in enumerate(events):
        runs.hears(TaskEvent(task_id, kind, worker, float(at), name))
    return runs


@given(EVENTS)
def test_a_task_of_one_worker_is_in_one_list(events: list[tuple[str, str, str, str | None]]) -> None:
    runs = heard([(kind, task_id, "celery@1", name) for kind, task_id, _, name in events])
    listed = [
        *runs.started(99),
        *runs.failed(99),
        *runs.revoked(99),
        *(task for name in ("", "x", "y") for task in runs.succeeded(name, 99)),
    ]
    assert max(Counter(task.id for task in listed).values(), default=0) <= 1


@given(EVENTS)
def test_a_task_that_runs_is_listed_once_and_no_worker_twice(events: list[tuple[str, str, str, str | None]]) -> None:
    running = heard(events).started(99)
    assert max(Counter(task.id for task in running).values(), default=0) <= 1
    assert all(task.worker not in dict(task.also_on or ()) for task in running)


@given(EVENTS)
def test_every_event_is_counted(events: list[tuple[str, str, str, str | None]]) -> None:
    counted: Counter[str] = Counter()
    for _, _, event, count in heard(events).counters().each():
        counted[event] += int(count)
    sent = Counter(COUNTED[kind] for kind, *_ in events if kind in COUNTED)
    assert {event: count for event, count in counted.items() if event != "failed"} == {e: c for e, c in sent.items() if e != "failed"}
    assert counted["failed"] <= sent["failed"]
