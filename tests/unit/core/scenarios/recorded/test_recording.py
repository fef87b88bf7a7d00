"""A recording is read strictly, and is what was written down, without what belongs to somebody."""

import json
from typing import Any

import pytest

from tests.builders.answers import NOW, a_server, a_target, replies
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    ListLengths,
    LowestScore,
    OfKeys,
    Query,
    ReadServer,
    RunningTasks,
    SetMembers,
    TaskMeta,
    WholeTask,
)
from watchdog.core.model.replies import Held, Replies, TaskMetaSeen, TaskSeen, WholeTaskSeen
from watchdog.core.model.schedules import queries as of_schedules
from watchdog.core.scenarios.recorded.answers import ANSWERS
from watchdog.core.scenarios.recorded.recording import RecordingError, first_line, look_line, read_recording

FIRST = first_line(a_target(), 10.0, str)
ALONE = {
    "WaitingTasks",
    "HearWorkers",
    "CountHeard",
    "ListHeard",
    "MeasureEvents",
    "SentTimes",
    "TimeRuns",
    "StoredResult",
    "PlansOfWorkers",
    *(name for name in dir(of_schedules) if not name.startswith("_")),
}
"""Queries of ears, of one task, and of schedules."""


def written(*answers: tuple[Query, object], mask: Any = str) -> str:
    return "\n".join([first_line(a_target(), 10.0, mask), look_line(NOW, Replies(dict(answers)), mask)])


def fault(text: str) -> tuple[int, str]:
    with pytest.raises(RecordingError) as caught:
        read_recording(text)
    return caught.value.line, caught.value.what


def asked(kind: type[Query]) -> list[type[Query]]:
    return [kind, *(one for each in kind.__subclasses__() for one in asked(each))]


def test_every_query_can_be_recorded_but_those_that_are_not_part_of_a_look() -> None:
    abstract = {Query.__name__, OfKeys.__name__, "_OfWorkers"}
    assert {kind.__name__ for kind in asked(Query)} - {kind.__name__ for kind in ANSWERS} - abstract - ALONE == set()


def test_what_is_read_is_what_was_written() -> None:
    healthy = replies((ReadServer(), a_server(keyspace={0: (12, 3)})))
    assert read_recording(FIRST + "\n" + look_line(NOW, healthy, str)).looks[0].replies.answers == dict(healthy.answers)


def test_which_answers_were_reused_is_kept() -> None:
    looked = replies((ReadServer(), a_server()), (RunningTasks(), ())).plus((), reused=[RunningTasks()])
    assert read_recording(FIRST + "\n" + look_line(NOW, looked, str)).looks[0].replies.reused == {RunningTasks()}


def test_gaps_and_infinity_are_kept() -> None:
    held = Held(frozenset({"a", "b"}), {"a": 3}, {"b": Gap("redis: WRONGTYPE")})
    answers = {ListLengths(("a", "b")): held, LowestScore("index"): float("inf"), RunningTasks(): Gap("flower: timeout")}
    assert read_recording(written(*answers.items())).looks[0].replies.answers == answers


def test_the_same_look_is_the_same_text() -> None:
    names = [f"q{number}" for number in range(20)]
    one, other = (written((SetMembers(("bound",)), Held(frozenset(), {"bound": frozenset(some)}, {}))) for some in (names, names[::-1]))
    assert (one, json.loads(FIRST)["target"]["sources"]) == (other, sorted(a_target().sources))


def test_a_target_is_kept_without_its_address_for_people() -> None:
    told = first_line(a_target(link="https://user:pw@flower", declared_queues=("mail",)), 10.0, str)
    recording = read_recording(told + "\n" + look_line(NOW, Replies(), str))
    assert (recording.target.link, recording.target.declared_queues) == (None, ("mail",))


def test_arguments_and_reported_values_of_tasks_are_not_kept() -> None:
    task = TaskSeen("1", "shop.pay", "STARTED", arguments="('4111 1111',)")
    meta = TaskMetaSeen("STARTED", progress=0.5, meta_json='{"card": "4111"}')
    whole = WholeTaskSeen("1", "SUCCESS", args="('4111',)", kwargs="{'card': '4111'}", result="'4111'", traceback="4111")
    text = written((RunningTasks(), (task,)), (TaskMeta("celery-task-meta-1"), meta), (WholeTask("1"), whole))
    assert "4111" not in text
    assert read_recording(text).looks[0].replies.get(WholeTask("1"), WholeTaskSeen) == WholeTaskSeen("1", "SUCCESS")
    assert read_recording(text).looks[0].replies.get(TaskMeta("celery-task-meta-1"), TaskMetaSeen) == TaskMetaSeen("STARTED", progress=0.5)


def test_a_queue_may_be_named_as_what_is_not_kept() -> None:
    lengths = {ListLengths(("arguments",)): Held(frozenset({"arguments"}), {"arguments": 3}, {})}
    assert read_recording(written(*lengths.items())).looks[0].replies.answers == lengths


def test_every_text_is_masked() -> None:
    task = TaskSeen("1", "shop.pay", "FAILURE", exception="Refused('hunter2')")
    text = written((RunningTasks(), (task,)), (ListLengths(("hunter2",)), Gap("hunter2")), mask=lambda text: text.replace("hunter2", "***"))
    assert "hunter2" not in text
    assert text.count("***") == 3


LOOK = look_line(NOW, Replies(), str)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "empty"),
        ("{}", 1, "as `watchdog rules record` writes it"),
        (FIRST, 1, "looks, more than 0 s apart; found 0"),
        (FIRST.replace("10.0", "0"), 1, "found 0"),
        (FIRST.replace('"prod"', "7"), 1, "record it again"),
        (f"{FIRST}\n\n{LOOK[:-9]}", 3, "not JSON"),
        (f"{FIRST}\n[]", 2, "expected an object"),
        (f"{FIRST}\n{'[' * 100_000}", 2, "nested too deeply"),
        (f"{FIRST}\n{LOOK}\n{LOOK}", 3, "at: not after the look before it"),
        (f'{FIRST}\n{{"at": 1}}', 2, "mend this line, or record it again"),
        (f'{FIRST}\n{{"at": 1, "answers": [["Nothing", {{}}, {{}}]]}}', 2, "unknown query 'Nothing'"),
        (f'{FIRST}\n{{"at": 1, "answers": [["Ping", {{}}, {{"is": []}}]]}}', 2, "answer to Ping"),
        (f'{FIRST}\n{{"at": 1, "answers": [["Ping", {{}}]]}}', 2, "expected [query, {its fields}"),
    ],
)
def test_a_fault_names_its_line_and_what_to_do(text: str, line: int, what: str) -> None:
    found = fault(text)
    assert found[0] == line
    assert what in found[1]


def test_it_is_text_that_people_can_change() -> None:
    document = json.loads(LOOK)
    assert (document["at"], document["answers"]) == (NOW, [])
