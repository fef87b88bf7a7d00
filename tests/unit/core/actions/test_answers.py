"""Calls to Celery and Flower, and what their answers add up to."""

import pytest

from watchdog.core.actions.calls import by_control, by_flower, flower_answer, worker_answer
from watchdog.core.actions.checks import checked_rate, name_faults
from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer, Word, outcome_of
from watchdog.core.actions.request import Request

OK, REFUSED, SILENT, NOTHING = Answer(True, "ok"), Answer(False, "no"), Answer(None, "?"), Answer(True, "none", nothing=True)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"a": OK, "b": OK}, Word.DONE),
        ({"a": OK, "b": REFUSED}, Word.PARTLY),
        ({"a": REFUSED, "b": REFUSED}, Word.FAILED),
        ({"a": OK}, Word.PARTLY),
        ({}, Word.UNKNOWN),
        ({"a": REFUSED}, Word.FAILED),
        ({"a": NOTHING, "b": NOTHING}, Word.FAILED),
        ({"a": SILENT, "b": SILENT}, Word.UNKNOWN),
    ],
)
def test_the_outcome_of_two_workers_is_what_their_answers_add_up_to(answers: dict[str, Answer], word: Word) -> None:
    assert outcome_of(("a", "b"), answers).word is word


def test_a_worker_without_an_answer_is_unknown_not_failed() -> None:
    assert outcome_of(("a",), {}).answers["a"].worked is None


def test_an_answer_of_another_worker_counts_too() -> None:
    assert set(outcome_of(("a",), {"a": OK, "late@host": OK}).answers) == {"a", "late@host"}


def test_an_error_is_shown_by_its_message() -> None:
    assert worker_answer({"error": "ValueError('Pool restarts not enabled')"}).text == "Pool restarts not enabled (ValueError)"


def test_a_task_that_was_not_there_to_be_terminated_is_nothing_done() -> None:
    assert worker_answer({"ok": "terminate: tasks unknown"}).nothing


@pytest.mark.parametrize("raw", [None, [], "ok", {}, {"oh": 1}])
def test_an_answer_of_another_shape_is_no_success(raw: object) -> None:
    assert worker_answer(raw).worked is False


def test_hostile_texts_are_sanitized() -> None:
    assert worker_answer({"ok": "\x1b[31mred"}).text == "\\x1b[31mred"


def test_flower_is_asked_by_its_query_because_it_ignores_a_body() -> None:
    request = Request(kind="revoke", target="prod", task_id="a/b?c", terminate=True, signal="SIGKILL")
    assert by_flower(request, "") == "/api/task/revoke/a%2Fb%3Fc?terminate=true&signal=SIGKILL"


def test_flowers_sentence_is_the_reason() -> None:
    answer = flower_answer(403, b"Failed to grow 'celery@sol' worker's pool")
    assert (answer.worked, answer.text) == (False, "Flower answered 403: Failed to grow 'celery@sol' worker's pool")


@pytest.mark.parametrize("said", ["Failed to restart the 'celery@pre' pool: Unknown reason", "Failed to set rate limit: 'Unknown reason'"])
def test_that_flower_had_no_answer_in_time_leaves_it_unknown(said: str) -> None:
    """Its second is over sooner than a pool of processes is restarted."""
    assert flower_answer(403, said.encode()).worked is None


def test_that_flower_had_no_answer_leaves_it_unknown_however_long_the_names_are() -> None:
    said = f"Failed to add 'celery@{'w' * 200}' consumer for queue '{'q' * 200}': Unknown reason"
    assert flower_answer(403, said.encode()).worked is None


def test_flowers_message_is_the_answer() -> None:
    assert flower_answer(200, b'{"message": "Revoked \'abc\'"}') == Answer(worked=True, text="Revoked 'abc'")


def test_a_page_of_html_is_shown_without_its_tags() -> None:
    assert flower_answer(404, b"<html><body>Not <b>here</b></body></html>").text == "Flower answered 404: Not here"


def test_a_limit_that_is_not_given_is_taken_away() -> None:
    request = Request(kind="time-limit", target="prod", task="shop.pay", hard_s=9.0)
    assert by_control(request) == ("time_limit", {"task_name": "shop.pay", "soft": None, "hard": 9.0})


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.command], ids=lambda kind: kind.name)
def test_each_action_on_workers_has_its_place_in_flower(kind: object) -> None:
    assert by_flower(Request(kind=kind.name, target="prod", task="t", task_id="i"), "w").startswith("/api/")  # type: ignore[attr-defined]


@pytest.mark.parametrize("rate", ["0", "10/m", "5/s", "200/h", "0.5/s"])
def test_a_rate_of_celery_is_taken(rate: str) -> None:
    assert checked_rate(rate) == rate


@pytest.mark.parametrize("rate", ["", "ten", "10/d", "-1/s", "10/m; x", "\u0661/s"])
def test_another_text_is_no_rate(rate: str) -> None:
    with pytest.raises(ValueError, match="such as"):
        checked_rate(rate)


def test_a_name_with_a_control_character_is_a_fault() -> None:
    assert name_faults({"queue": "a\nb", "task": "shop.pay"}) == ["queue: expected a name of 1 to 500 printable characters"]
