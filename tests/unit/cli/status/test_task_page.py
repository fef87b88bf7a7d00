"""`watchdog task`: what people and programs are shown of one task."""

from typing import Any

import pytest

from tests.unit.cli.output.test_page import on_a_terminal
from watchdog.cli.output.page import plain
from watchdog.cli.status.task_page import task_page
from watchdog.core.model.replies import StoredResultSeen, TaskMetaSeen, TaskSeen, WholeTaskSeen
from watchdog.core.model.target import Target
from watchdog.status.documents.task import task_document
from watchdog.tables.running.one_task import OneTask

NOW = 1_800_000_000.0
TARGET = Target("prod", sources=frozenset({"flower", "redis"}), link="https://flower.example.com")
OPEN = Target("prod", show_arguments=True)
SEEN = WholeTaskSeen(
    "t1", "FAILURE", "shop.pay", "w@h", sent=NOW - 60, started=NOW - 58, failed=NOW - 55, routing_key="q", retries=2,
    args="('4711',)", kwargs="{'card': '1234'}", exception="KeyError('x')", traceback="Traceback:\n  at 1\nKeyError: 'x'",
    root_id="r", parent_id="p", children=("c1", "c2"),
)  # fmt: skip


def page(*tasks: OneTask) -> str:
    return plain(task_page("t1", tasks, "configuration x", NOW))


def of(seen: WholeTaskSeen = SEEN, target: Target = TARGET, **more: Any) -> OneTask:
    return OneTask(target, "t1", seen, **more)


def value(shown: str, label: str) -> str:
    return next(line.split(maxsplit=1)[1] for line in shown.splitlines() if line.split()[:1] == [label])


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("worker", "w@h"), ("queue", "q"), ("retries", "2"), ("waited", "2s"), ("ran", "3s"), ("exception", "KeyError('x')"),
        ("parent", "p"), ("root", "r"), ("link", "https://flower.example.com/task/t1"),
    ],
)  # fmt: skip
def test_what_flower_knows_is_shown(label: str, shown: str) -> None:
    assert value(page(of()), label) == shown


def test_the_traceback_keeps_its_lines() -> None:
    assert "Traceback:\n  Traceback:\n    at 1\n  KeyError: 'x'\n" in page(of())


def test_of_an_endless_traceback_the_end_is_shown() -> None:
    shown = page(of(WholeTaskSeen("t1", "FAILURE", traceback="\n".join(f"line {n}" for n in range(500)))))
    assert "Traceback, its last 200 of 500 lines:\n  line 300\n" in shown


@pytest.mark.parametrize("secret", ["4711", "1234", "42", "halfway"])
def test_arguments_and_results_are_hidden(secret: str) -> None:
    stored = StoredResultSeen("FAILURE", TaskMetaSeen("P", 0.5, None, '{"at":"halfway"}'), "42")
    task = of(stored=stored)
    assert secret not in page(task) + str(task_document("t1", [task], NOW))


@pytest.mark.parametrize(("label", "shown"), [("args", "('4711',)"), ("kwargs", "{'card': '1234'}"), ("result", "42")])
def test_where_the_configuration_says_so_they_are_shown(label: str, shown: str) -> None:
    task = of(target=OPEN, stored=StoredResultSeen("FAILURE", result_json="42"))
    assert (value(page(task), label), task_document("t1", [task], NOW)["tasks"][0][label]) == (shown, shown)


def test_two_places_that_contradict_each_other_are_both_named() -> None:
    assert "FAILURE in Flower, SUCCESS in the result backend" in page(of(stored=StoredResultSeen("SUCCESS")))


def test_what_only_the_result_backend_knows_is_shown() -> None:
    stored = StoredResultSeen("FAILURE", name="shop.pay", exception="Boom()", traceback="Boom", worker="w@h")
    shown = page(of(WholeTaskSeen(""), stored=stored, flower_gap="flower: down"))
    assert shown.startswith("FAILURE  shop.pay\n")
    assert "flower      ? could not look: flower: down" in shown


def test_what_is_unknown_is_not_made_up() -> None:
    shown = page(of(WholeTaskSeen("t1", "PENDING")))
    assert (value(shown, "worker"), "waited" in shown, "ran" in shown) == ("? unknown", False, False)


def test_clocks_that_contradict_each_other_give_no_wait() -> None:
    seen = WholeTaskSeen("t1", "STARTED", sent=NOW, started=NOW - 5)
    assert task_document("t1", [of(seen)], NOW)["tasks"][0]["waited_s"] is None


def test_a_running_task_ran_until_now() -> None:
    assert value(page(of(WholeTaskSeen("t1", "STARTED", started=NOW - 90))), "ran") == "1m30s so far"


def test_where_nobody_knows_it_it_is_said_where_it_was_looked_for_and_why_it_may_be_missing() -> None:
    shown = page(of(WholeTaskSeen(""), listed=1000))
    assert "prod: Flower does not list it, nor one that begins so among its last 1000: it keeps only its last tasks (--max_tasks)" in shown
    assert "prod: the result backend has no entry for it: results expire (result_expires)" in shown


def test_where_it_could_not_be_looked_for_it_is_said_why() -> None:
    shown = page(of(WholeTaskSeen(""), results_gap="redis: refused"))
    assert "prod: the result backend could not be asked: redis: refused" in shown


def test_several_that_begin_so_are_listed() -> None:
    shown = page(of(WholeTaskSeen(""), matches=(TaskSeen("t11", "a", "SUCCESS"), TaskSeen("t12", None, "FAILURE"))))
    assert "2 ids begin with t1; write more of it:" in shown
    assert "t12  prod    FAILURE  ?" in shown


@pytest.mark.parametrize("field", ["name", "worker", "routing_key", "exception", "traceback", "client", "eta", "parent_id"])
def test_texts_from_outside_cannot_control_the_terminal(field: str) -> None:
    hostile = "\x1b]0;owned\x07\x9b31m\u202e\r\n::error::x"
    seen = WholeTaskSeen(**{"id": "t1", "state": "FAILURE", field: hostile})  # type: ignore[arg-type]
    shown = page(of(seen))
    assert [character for character in shown if character != "\n" and not character.isprintable()] == []


def test_on_a_terminal_a_name_is_no_markup_and_no_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_a_terminal(task_page("t1", [of(WholeTaskSeen("t1", "FAILURE", name="evil\x1b[2J[red]x[/red]"))], "", NOW), monkeypatch)
    assert ("[red]x[/red]" in shown, "\x1b[2J" in shown) == (True, False)
