"""An action that consists of several steps."""

import pytest

from watchdog.core.actions.outcome import Answer
from watchdog.core.actions.request import Request
from watchdog.core.actions.steps import in_steps, steps_of

RESTART = Request(kind="restart-consumer", target="prod", queue="mail", workers=("w1",))
DONE = Answer(True, "done")


def told(cancelled: dict[str, Answer], added: dict[str, Answer]) -> dict[str, Answer]:
    return in_steps(RESTART, lambda step: cancelled if step.kind == "cancel-consumer" else added)


def test_a_consumer_is_cancelled_before_it_is_added() -> None:
    assert [step.kind for step in steps_of(RESTART)] == ["cancel-consumer", "add-consumer"]


def test_an_action_of_one_step_is_itself() -> None:
    one = Request(kind="grow", target="prod", number=1)
    assert steps_of(one) == (one,)


def test_it_worked_if_both_steps_did() -> None:
    assert told({"w1": DONE}, {"w1": DONE}) == {"w1": Answer(True, "done, then done")}


def test_it_failed_if_one_step_failed() -> None:
    assert told({"w1": DONE}, {"w1": Answer(False, "no")})["w1"].worked is False


def test_it_is_unknown_if_one_step_was_not_answered() -> None:
    assert told({}, {"w1": DONE}) == {"w1": Answer(None, "no answer to cancel-consumer, then done")}


def test_a_consumer_is_added_again_even_if_cancelling_it_raised() -> None:
    sent = []

    def tell(step: Request) -> dict[str, Answer]:
        sent.append(step.kind)
        if step.kind == "cancel-consumer":
            raise TimeoutError
        return {}

    with pytest.raises(TimeoutError):
        in_steps(RESTART, tell)
    assert sent == ["cancel-consumer", "add-consumer"]
