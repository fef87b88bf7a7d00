"""Messages in the frames of AMQP: wherever the network cuts them, whatever comes in between, and what is none."""

from itertools import pairwise
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.sources.events.amqp_deliveries import LONGEST_BODY, Deliveries, messages_waiting

HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


def frame(kind: int, payload: bytes, channel: int = 1) -> bytes:
    return pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def begin(key: bytes, size: int, channel: int = 1) -> bytes:
    """A message's first two frames, with properties, as RabbitMQ sends them."""
    deliver = b"\x00\x3c\x00\x3c" + short(b"None1") + pack(">Q", 7) + b"\x00" + short(b"celeryev") + short(key)
    header = b"\x00\x3c\x00\x00" + pack(">Q", size) + b"\x80\x00" + short(b"application/json")
    return frame(1, deliver, channel) + frame(2, header, channel)


def message(key: bytes, *parts: bytes, channel: int = 1) -> bytes:
    return begin(key, sum(map(len, parts)), channel) + b"".join(frame(3, part, channel) for part in parts)


class Wire:
    """A socket on which these pieces come, one with each call, and then the end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def recv(self, most: int, /) -> bytes:
        if not self.pieces:
            return b""
        piece, rest = self.pieces[0][:most], self.pieces[0][most:]
        self.pieces[:1] = [rest] if rest else []
        return piece


def read(*pieces: bytes) -> tuple[list[tuple[bytes, bytes]], list[int]]:
    """The messages, and the kinds of the other frames."""
    heard: list[tuple[bytes, bytes]] = []
    others: list[int] = []
    deliveries, wire = Deliveries(lambda key, body: heard.append((key, body)), lambda other: others.append(other[0])), Wire(*pieces)
    while wire.pieces:
        deliveries.read(wire)
    return heard, others


STREAM = (
    message(b"worker.heartbeat", b"{}")
    + HEARTBEAT
    + message(b"task.multi", b"[1,", b"2]")
    + message(b"task.sent")
    + frame(1, b"\x00\x32\x00\x0b", channel=2)
)
HEARD = [(b"worker.heartbeat", b"{}"), (b"task.multi", b"[1,2]"), (b"task.sent", b"")]


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=6))
def test_messages_are_the_same_wherever_they_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[begin:end] for begin, end in pairwise(places)]
    assert read(*pieces) == (HEARD, [8, 1])


def test_a_read_ends_though_the_stream_goes_on() -> None:
    heard: list[bytes] = []
    stream = message(b"worker.heartbeat", b"{}") * 1_000
    Deliveries(lambda _, body: heard.append(body), lambda _: None).read(Wire(*(stream[at : at + 100] for at in range(0, len(stream), 100))))
    assert len(heard) == 1


def test_frames_of_another_channel_between_those_of_a_message_go_to_py_amqp() -> None:
    assert read(begin(b"worker.online", 2) + HEARTBEAT + frame(1, b"\x00\x14\x00\x28", channel=2) + frame(3, b"{}")) == (
        [(b"worker.online", b"{}")],
        [8, 1],
    )


def test_a_read_ends_with_a_whole_message() -> None:
    heard: list[bytes] = []
    wire = Wire(begin(b"worker.online", 2), frame(3, b"{}"), HEARTBEAT)
    Deliveries(lambda _, body: heard.append(body), lambda _: None).read(wire)
    assert (heard, wire.pieces) == ([b"{}"], [HEARTBEAT])


def test_a_body_that_is_too_large_is_not_kept_and_what_follows_is_heard() -> None:
    part = b"x" * (1 << 20)
    huge = begin(b"task.multi", LONGEST_BODY + len(part)) + frame(3, part) * (LONGEST_BODY // len(part) + 1)
    assert read(huge + message(b"worker.online", b"{}"))[0] == [(b"task.multi", b""), (b"worker.online", b"{}")]


@pytest.mark.parametrize(
    "odd", [pack(">BHI", 1, 1, 1 << 31) + b"\x00" * 8, b"\x08\x00\x00\x00\x00\x00\x00\x00", b"HTTP/1.1 400 Bad Request\r\n"]
)
def test_what_is_no_frame_is_refused(odd: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        read(odd)


def test_the_end_of_the_connection_in_a_message_is_told() -> None:
    with pytest.raises(ConnectionResetError):
        read(begin(b"worker.online", 2))


def test_what_waits_in_a_queue_is_read_from_the_answer_to_its_declaration() -> None:
    declared = b"\x00\x32\x00\x0b" + short(b"celeryev.watchdog.1") + pack(">II", 4_711, 1)
    assert messages_waiting((1, 1, declared)) == 4_711
    assert messages_waiting((1, 1, b"\x00\x14\x00\x28")) is None
