"""Recorded answers of Flower 2.2.0, 2.0.1 and 1.2.0, and the shapes of servers that only resemble it, decode to the same replies."""

from pathlib import Path

import msgspec
import pytest

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import FailedTasks, InspectOne, RecentTasks, RunningTasks, SucceededTasks
from watchdog.core.model.replies import EventCounters, TaskSeen, WorkerInspection
from watchdog.sources.flower.answers import worker_beats, worker_status
from watchdog.sources.flower.inspections import inspections
from watchdog.sources.flower.lengths import queue_lengths
from watchdog.sources.flower.metrics import event_counters
from watchdog.sources.flower.questions import asking
from watchdog.sources.flower.tasks import TaskQuery, tasks_path, tasks_seen

ANSWERS = Path(__file__).parent.parent / "answers"
VERSIONS = ("flower22", "flower20", "flower12")
OLDER = ("flower20", "flower12")


def recorded(version: str, name: str) -> bytes:
    return (ANSWERS / version / name).read_bytes()


def tasks(body: bytes, query: TaskQuery) -> tuple[TaskSeen, ...]:
    seen = tasks_seen(body, query)
    assert isinstance(seen, tuple), seen
    return seen


# --- three real Flowers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", OLDER)
def test_status_is_worker_to_whether_it_is_online(version: str) -> None:
    assert worker_status(recorded(version, "status.json")) == {"w1@lab": True, "w2@lab": True}


@pytest.mark.parametrize("version", OLDER)
def test_heartbeats_hold_what_the_events_said(version: str) -> None:
    beats = worker_beats(recorded(version, "heartbeats.json"))
    assert isinstance(beats, dict)
    beat = beats["w2@lab"]
    assert (beat.online, beat.freq_s, len(beat.heartbeats), beat.active, beat.version) == (True, 2.0, 4, 2, "5.7.0")


@pytest.mark.parametrize("version", OLDER)
def test_an_inspection_holds_stats_queues_and_conf(version: str) -> None:
    found = inspections(recorded(version, "inspect_one.json"))
    assert isinstance(found, dict)
    entry = found["celery@web-1"]
    assert isinstance(entry, WorkerInspection)
    assert (entry.queues, entry.pool, entry.pool_size, entry.processed, entry.reserved) == (("indexing", "priority"), "prefork", 2, 4, 0)
    assert entry.conf is not None
    assert (entry.conf.visibility_timeout_s, entry.conf.key_prefix) == (3600.0, "")


@pytest.mark.parametrize("version", OLDER)
def test_counters_leave_out_what_clients_sent(version: str) -> None:
    counters = event_counters(recorded(version, "metrics.txt"))
    assert isinstance(counters, EventCounters)
    web = "celery@web-1"
    ok, failed = dict.fromkeys(("received", "started", "succeeded"), 3.0), dict.fromkeys(("received", "started", "failed"), 1.0)
    assert counters.counts == {web: {"demo.ok": ok, "demo.fail": failed}}


@pytest.mark.parametrize("version", VERSIONS)
def test_running_tasks_are_the_oldest_start_first(version: str) -> None:
    running = tasks(recorded(version, "tasks_started.json"), RunningTasks())
    assert [(t.name, t.state, t.worker, t.retries, t.routing_key) for t in running] == [
        ("tasks.long_progress", "STARTED", "w2@lab", 0, "training"),
        ("tasks.hang", "STARTED", "w2@lab", 0, "training"),
    ]
    starts = [t.started for t in running if t.started is not None]
    assert (len(starts), sorted(starts)) == (2, starts)


@pytest.mark.parametrize("version", VERSIONS)
def test_of_a_failure_the_exception_and_the_last_line_of_its_traceback_are_kept(version: str) -> None:
    failed = tasks(recorded(version, "tasks_failed.json"), FailedTasks())
    assert [(t.name, t.exception, t.traceback_last, t.retries, t.runtime) for t in failed] == [
        ("tasks.retrying", "ConnectionError('upstream refused')", "ConnectionError: upstream refused", 2, None),
        ("tasks.soft", "SoftTimeLimitExceeded()", "billiard.exceptions.SoftTimeLimitExceeded: SoftTimeLimitExceeded()", 0, None),
    ]
    assert all(t.failed == t.timestamp for t in failed)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_success_has_its_runtime(version: str) -> None:
    succeeded = tasks(recorded(version, "tasks_succeeded.json"), SucceededTasks("tasks.ok"))
    assert len(succeeded) == 2
    assert all(t.succeeded and t.runtime and t.exception is None and t.traceback_last is None for t in succeeded)


@pytest.mark.parametrize("version", VERSIONS)
def test_queue_lengths_are_queue_to_messages(version: str) -> None:
    assert queue_lengths(recorded(version, "queue_lengths.json")) == dict.fromkeys(("analysis", "indexing", "priority", "training"), 0)


# --- what is asked ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (RunningTasks(), "/api/tasks?state=STARTED&limit=100&sort_by=started"),
        (FailedTasks(300), "/api/tasks?state=FAILURE&limit=300"),
        (RecentTasks(), "/api/tasks?limit=1000"),
        (SucceededTasks("a.b c&d"), "/api/tasks?state=SUCCESS&limit=200&taskname=a.b+c%26d"),
        (FailedTasks(0), "/api/tasks?state=FAILURE&limit=1"),
        (FailedTasks(-1), "/api/tasks?state=FAILURE&limit=1"),
        (FailedTasks(5000), "/api/tasks?state=FAILURE&limit=1000"),
    ],
)
def test_tasks_are_always_asked_with_a_limit_between_1_and_1000(query: TaskQuery, path: str) -> None:
    assert tasks_path(query) == path


def test_a_worker_s_name_is_quoted_in_the_path() -> None:
    question = asking(InspectOne("celery@a b&c"))
    assert question is not None
    assert question[0] == "/api/workers?refresh=1&workername=celery@a%20b%26c"


# --- servers that resemble Flower -------------------------------------------------------------------------------------------


def test_a_status_in_words_is_online_or_not() -> None:
    body = b'{"a": {"status": "OK"}, "b": {"status": "offline"}, "c": {"status": true, "more": 1}}'
    assert worker_status(body) == {"a": True, "b": False, "c": True}


@pytest.mark.parametrize("status", [b'"RESTARTING"', b"null", b"3", b"[]"])
def test_a_status_that_is_not_understood_is_a_gap_not_offline(status: bytes) -> None:
    assert isinstance(worker_status(b'{"a": {"status": "OK"}, "b": {"status": %b}}' % status), Gap)


def test_a_worker_of_which_only_a_status_is_told_is_an_inspection_without_answers() -> None:
    found = inspections(b'{"a": {"status": "OK"}}')
    assert isinstance(found, dict)
    assert (found["a"].name, found["a"].at, found["a"].queues, found["a"].conf) == ("a", None, None, None)


def test_queue_lengths_may_be_an_object_of_queue_to_number() -> None:
    assert queue_lengths(b'{"indexing": 3, "mails": 0}') == {"indexing": 3, "mails": 0}


def test_of_rabbitmq_the_messages_that_wait_count_not_those_in_the_hands_of_workers() -> None:
    """As Flower 2.2 handed on what the management API of RabbitMQ 3.10 said: 6 messages, one of them unacknowledged."""
    assert queue_lengths((ANSWERS / "flower22" / "queue_lengths_rabbitmq.json").read_bytes()) == {"mails": 5, "reports": 3}


def test_a_queue_that_the_broker_has_not_counted_yet_is_left_out() -> None:
    assert queue_lengths(b'{"active_queues": [{"name": "new", "state": "running"}, {"name": "old", "messages": 2}]}') == {"old": 2}


@pytest.mark.parametrize("body", [b'{"active_queues": []}', b"{}"])
def test_no_queue_at_all_is_no_answer(body: bytes) -> None:
    found = queue_lengths(body)
    assert isinstance(found, Gap)
    assert "--broker-api" in found.reason


@pytest.mark.parametrize("body", [b'{"indexing": -1}', b'{"indexing": true}', b'{"active_queues": [{"name": "a"}]}', b"[]"])
def test_other_queue_lengths_are_a_gap(body: bytes) -> None:
    assert isinstance(queue_lengths(body), Gap)


def test_the_last_tasks_are_listed_in_any_state_with_all_their_times() -> None:
    body = b'{"t1": {"state": "RETRY", "retried": 7.5, "received": 6}, "t2": {"state": "REVOKED", "revoked": 5}, "t3": {"state": "SENT"}}'
    assert tasks(body, RecentTasks()) == (
        TaskSeen("t1", None, "RETRY", received=6.0, retried=7.5),
        TaskSeen("t2", None, "REVOKED", revoked=5.0),
        TaskSeen("t3", None, "SENT"),
    )


@pytest.mark.parametrize("key", ["uuid", "id", "task_id"])
def test_tasks_may_be_a_list_of_objects(key: str) -> None:
    body = b'[{"%b": "t1", "state": "FAILURE", "name": "n", "exception": "E()"}]' % key.encode()
    assert tasks(body, FailedTasks()) == (TaskSeen("t1", "n", "FAILURE", exception="E()"),)


@pytest.mark.parametrize("body", [b"{}", b"[]"])
def test_no_tasks_are_an_answer(body: bytes) -> None:
    assert tasks(body, RunningTasks()) == ()


@pytest.mark.parametrize("body", [b'[{"uuid": "t1"}]', b'[{"state": "FAILURE"}]', b'{"t1": {"state": 3}}', b'{"t1": {}}'])
def test_a_task_without_an_id_or_a_state_is_a_gap(body: bytes) -> None:
    assert isinstance(tasks_seen(body, FailedTasks()), Gap)


def test_a_task_with_odd_fields_keeps_the_others() -> None:
    body = b'{"t1": {"state": "failure", "name": "n", "started": "soon", "failed": "7.5", "retries": null, "worker": {"hostname": "w"}}}'
    assert tasks(body, FailedTasks()) == (TaskSeen("t1", "n", "FAILURE", failed=7.5),)


def test_a_server_that_ignores_state_name_and_limit_is_cut_to_what_was_asked() -> None:
    body = b'[{"id": "1", "state": "SUCCESS", "name": "a"}, {"id": "2", "state": "STARTED"}, {"id": "3", "state": "SUCCESS", "name": "b"}]'
    assert [t.id for t in tasks(body, SucceededTasks("b"))] == ["3"]
    assert [t.id for t in tasks(body.replace(b'"b"', b'"a"'), SucceededTasks("a", 1))] == ["1"]


def test_texts_are_cut() -> None:
    long = b"x" * 2000
    body = b'{"t1": {"state": "FAILURE", "name": "%b", "exception": "%b", "traceback": "a\\n%b\\n\\n"}}' % (long, long, long)
    (task,) = tasks(body, FailedTasks())
    assert [len(text or "") for text in (task.name, task.exception, task.traceback_last)] == [500, 500, 500]


@pytest.mark.parametrize(
    ("args", "kwargs", "shown"),
    [("(4711,)", "{'dry': True}", "(4711,) {'dry': True}"), ("()", "{}", ""), ("[1]", None, "[1]"), (None, None, None)],
)
def test_the_arguments_of_running_tasks_are_read(args: str | None, kwargs: str | None, shown: str | None) -> None:
    body = msgspec.json.encode({"t": {"state": "STARTED", "args": args, "kwargs": kwargs}})
    assert [task.arguments for task in tasks(body, RunningTasks())] == [shown]


def test_the_arguments_of_other_tasks_are_not() -> None:
    body = msgspec.json.encode({"t": {"state": "FAILURE", "args": "(4711,)"}})
    assert [task.arguments for task in tasks(body, FailedTasks())] == [None]
