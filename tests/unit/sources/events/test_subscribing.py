"""Redis answers a subscription among the messages of other channels: the answer is found, whatever comes before it."""

import pytest
from redis.exceptions import NoPermissionError, ResponseError

from watchdog.sources.events.subscribing import DeniedError, subscribe

PATTERN = "/0.celeryev/task.*"
MESSAGE = [b"pmessage", b"/0.celeryev/worker.*", b"/0.celeryev/worker.heartbeat", b"{}"]
CONFIRMED = [b"psubscribe", PATTERN.encode(), 2]
OTHER = [b"psubscribe", b"/0.celeryev/worker.*", 1]
REFUSED = NoPermissionError("User half has no permissions to access one of the channels used as arguments")


class Wire:
    """A connection on which this comes, one batch after the other."""

    def __init__(self, *batches: list[object]) -> None:
        self.left = list(batches)
        self.sent: list[bytes] = []

    def pushed(self) -> list[object]:
        return self.left.pop(0)

    def remark(self, packed: bytes) -> None:
        self.sent.append(packed)


@pytest.mark.parametrize("batches", [([CONFIRMED],), ([MESSAGE], [MESSAGE, CONFIRMED]), ([OTHER], [], [CONFIRMED])])
def test_it_waits_for_its_own_answer(batches: tuple[list[object], ...]) -> None:
    wire = Wire(*batches)
    subscribe(wire, PATTERN, "nothing is heard of tasks")
    assert (wire.left, [PATTERN.encode() in sent for sent in wire.sent]) == ([], [True])


def test_a_refusal_after_a_message_of_another_channel_is_a_refusal_and_says_what_to_add() -> None:
    with pytest.raises(
        DeniedError, match=r"denies the channel .* add &/0\.celeryev/task\.\* \+psubscribe .* until then nothing is heard of tasks"
    ):
        subscribe(Wire([MESSAGE], [MESSAGE, REFUSED]), PATTERN, "nothing is heard of tasks")


def test_another_error_is_that_error() -> None:
    with pytest.raises(ResponseError, match="unknown command"):
        subscribe(Wire([ResponseError("unknown command")]), PATTERN, "nothing is heard of tasks")
