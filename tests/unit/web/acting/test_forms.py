"""What is typed into a form, as a request; and which forms there are for what is shown."""

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from watchdog.core.actions.kinds import KINDS
from watchdog.status.panel import Subject
from watchdog.tables import TABLES
from watchdog.web.acting.forms import OF_TABLE, SUBJECTS, TypedError, forms_of, request_of, subject_of, subjects_of

READ: dict[str, tuple[str, dict[str, str], dict[str, object]]] = {
    "revoke": ("revoke", {"task_id": " x "}, {"task_id": "x"}),
    "terminate": (
        "revoke",
        {"task_id": "x", "terminate": "1", "signal": "SIGKILL"},
        {"task_id": "x", "terminate": True, "signal": "SIGKILL"},
    ),
    "names of workers": ("shutdown", {"workers": "a@x, b@*\nc"}, {"workers": ("a@x", "b@*", "c")}),
    "a worker with a space in its name": ("restart-pool", {"worker": "a b"}, {"workers": ("a b",)}),
    "all workers": ("grow", {"number": "2"}, {"number": 2}),
    "autoscale": ("autoscale", {"lowest": "0", "highest": "4"}, {"lowest": 0, "highest": 4}),
    "a rate": ("rate-limit", {"task": "t", "rate": "10/m"}, {"task": "t", "rate": "10/m"}),
    "a soft limit": ("time-limit", {"task": "t", "soft_s": "5m"}, {"task": "t", "soft_s": 300.0}),
    "a move": ("move", {"queue": "a", "other": "b", "only": ""}, {"queue": "a", "other": "b"}),
    "runs": ("retry", {"ids": "x y"}, {"ids": ("x", "y")}),
    "runs of a task": ("retry", {"failed": "t", "since_s": "1h", "queue": "q"}, {"failed": "t", "since_s": 3600.0, "queue": "q"}),
}

FAULTS: dict[str, tuple[str, dict[str, str], str]] = {
    "no queue": ("purge", {}, "Queue: expected something, found nothing"),
    "no worker": ("shutdown", {"workers": "  "}, "Workers: expected something, found nothing"),
    "none": ("grow", {"number": "0"}, "Processes: expected a number from 1 to 1000"),
    "too many": ("grow", {"number": "1001"}, "Processes: expected a number from 1 to 1000"),
    "no number": ("grow", {"number": "²"}, "Processes: expected a number"),
    "the wrong way round": ("autoscale", {"lowest": "4", "highest": "2"}, "expected at least, then at most, found 4 and 2"),
    "a rate that Celery cannot read": ("rate-limit", {"task": "t", "rate": "often"}, "Rate: expected a number for a second"),
    "no limit": ("time-limit", {"task": "t"}, "expected a soft limit, a hard limit or both"),
    "no time": ("time-limit", {"task": "t", "hard_s": "0s"}, "Hard limit: expected a duration of more than nothing"),
    "a signal for nobody": ("revoke", {"task_id": "x", "signal": "SIGKILL"}, "expected Terminate beside it"),
    "no signal of ours": ("revoke", {"task_id": "x", "terminate": "1", "signal": "SIGSTOP"}, "Signal: expected one of"),
    "runs twice": ("retry", {"ids": "x", "failed": "t", "since_s": "1h"}, "expected ids, or a task and how far back"),
    "a task of all times": ("retry", {"failed": "t"}, "expected ids, or a task and how far back"),
    "a control character": ("purge", {"queue": "a\x1b[2J"}, "queue: expected a name of 1 to 500 printable characters"),
    "too long": ("purge", {"queue": "q" * 501}, "queue: expected a name of 1 to 500 printable characters"),
    "far too long": ("retry", {"ids": "x" * 10_001}, "expected at most 10,000 characters"),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_typed_is_a_request(case: str) -> None:
    kind, typed, arguments = READ[case]
    assert request_of(kind, "prod", MultiDict(typed)).arguments == arguments


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_no_request_is_said(case: str) -> None:
    kind, typed, said = FAULTS[case]
    with pytest.raises(TypedError, match=said.replace("(", r"\(")):
        request_of(kind, "prod", MultiDict(typed))


def test_every_action_has_a_form() -> None:
    assert [form.kind.name for form in forms_of("", tuple(KINDS))] == list(KINDS)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_only_what_is_allowed_is_offered(subject: str) -> None:
    allowed = list(SUBJECTS[subject])[:1]
    assert [form.kind.name for form in forms_of(subject, allowed)] == allowed


def test_where_nothing_is_allowed_there_is_nothing_to_act_on() -> None:
    assert subjects_of(()) == frozenset()


def test_what_is_allowed_says_on_what_one_may_act() -> None:
    assert subjects_of(("purge",)) == {"", "queue"}


@pytest.mark.parametrize(("subject", "kind", "field"), [(s, k, f) for s, kinds in SUBJECTS.items() for k, f in kinds.items() if f])
def test_what_the_subject_says_is_not_asked_again(subject: str, kind: str, field: str) -> None:
    found: Any = next(form for form in forms_of(subject, (kind,)))
    assert field not in [one.name for one in found.fields]


@pytest.mark.parametrize("table", OF_TABLE)
def test_what_an_incident_is_about_is_told_by_a_key_of_its_table(table: str) -> None:
    assert OF_TABLE[table][1] in TABLES[table].key


def test_an_incident_of_a_queue_is_about_the_queue() -> None:
    assert subject_of("queues", {"name": "q"}) == Subject("queue", "q")


@pytest.mark.parametrize(("table", "key"), [(None, {"name": "q"}), ("broker", {}), ("queues", {})])
def test_what_one_cannot_act_on_is_no_subject(table: str | None, key: dict[str, str]) -> None:
    assert subject_of(table, key) is None
