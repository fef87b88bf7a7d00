"""Replies are read as redis-py reads them, however they arrive; and no bytes do more than fail in the declared ways."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis._parsers import _RESP2Parser
from redis._parsers.encoders import Encoder
from redis._parsers.socket import SocketBuffer
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError

from watchdog.sources.redis.connection import FAILURES
from watchdog.sources.redis.replies import DEEPEST, Read, ReplyReader

LINES = st.binary(max_size=30).filter(lambda text: b"\r" not in text and b"\n" not in text)
ERRORS = st.sampled_from([b"ERR no such thing", b"NOPERM this user has no permissions", b"WRONGTYPE of key", b"ASK 1 a:1", b"ERR", b""])
SINGLE = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda n: b":%d\r\n" % n),
    st.binary(max_size=200).map(lambda text: b"$%d\r\n%b\r\n" % (len(text), text)),
    st.sampled_from([b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"$0\r\n\r\n", b"+OK\r\n"]),
    LINES.map(lambda text: b"+%b\r\n" % text),
    ERRORS.map(lambda text: b"-%b\r\n" % text),
)
MESSAGE = st.tuples(LINES, LINES, st.binary(max_size=200)).map(
    lambda words: b"*4\r\n$8\r\npmessage\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
)
REPLY = st.recursive(SINGLE, lambda inner: st.lists(inner, max_size=5).map(lambda some: b"*%d\r\n%b" % (len(some), b"".join(some))))
CUTS = st.lists(st.integers(1, 40), max_size=60)


class Pieces:
    """A socket that gives the bytes in these sizes, then all the rest; then it is closed."""

    def __init__(self, sent: bytes, sizes: list[int]) -> None:
        self._sent, self._sizes = sent, iter(sizes)

    def recv(self, size: int) -> bytes:
        size = min(size, next(self._sizes, size))
        piece, self._sent = self._sent[:size], self._sent[size:]
        return piece

    def settimeout(self, seconds: float | None) -> None:
        """It never waits."""


def reader(sent: bytes, sizes: list[int]) -> ReplyReader:
    """Of these bytes."""
    return ReplyReader(Pieces(sent, sizes).recv, _RESP2Parser.parse_error)


def as_redis_py_reads(sent: bytes, count: int) -> Iterator[object]:
    """What redis-py's own parser makes of it."""
    parser: Any = _RESP2Parser(65536)  # type: ignore[no-untyped-call]
    parser.encoder = Encoder(  # type: ignore[no-untyped-call]
        "utf-8", "strict", decode_responses=False
    )
    parser._buffer = SocketBuffer(cast("Any", Pieces(sent, [])), 65536, 1.0)
    for _ in range(count):
        yield parser.read_response()


def comparable(reply: object) -> object:
    """Errors are compared by class and text."""
    if isinstance(reply, list):
        return [comparable(one) for one in reply]
    return (type(reply), str(reply)) if isinstance(reply, Exception) else (type(reply), reply)


@given(st.lists(REPLY, min_size=1, max_size=8), CUTS)
def test_replies_are_those_of_redis_py_however_they_are_cut(sent: list[bytes], sizes: list[int]) -> None:
    found = reader(b"".join(sent), sizes).read(len(sent))
    assert comparable(found) == comparable(list(as_redis_py_reads(b"".join(sent), len(sent))))


@given(st.lists(REPLY, min_size=2, max_size=8), CUTS, st.data())
def test_what_came_beyond_one_exchange_belongs_to_the_next(sent: list[bytes], sizes: list[int], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(sent)))
    whole, apart = reader(b"".join(sent), sizes), reader(b"".join(sent), sizes)
    assert comparable([*apart.read(first), *apart.read(len(sent) - first)]) == comparable(whole.read(len(sent)))
    assert not apart.is_ahead


NUMBERS = st.lists(st.integers(-3, 3).map(lambda n: b":%d\r\n" % n), min_size=1, max_size=8)


@given(st.one_of(NUMBERS, st.lists(REPLY, min_size=1, max_size=8)), st.data(), CUTS)
def test_replies_read_again_are_those_that_came_however_alike_they_are_to_those_before(
    first: list[bytes], data: st.DataObject, sizes: list[int]
) -> None:
    """The second time some replies may differ, and more may follow that belong to the next exchange."""
    second = [data.draw(st.sampled_from([old, data.draw(REPLY)])) for old in first]
    more = data.draw(REPLY)
    read = reader(b"".join([*first, *second, more]), sizes)
    before = read.read_again(len(first), Read())
    again = read.read_again(len(first), before)
    assert (again.raw, again is before) == (b"".join(second), first == second)
    assert comparable(list(again.replies)) == comparable(list(as_redis_py_reads(b"".join(second), len(second))))
    assert comparable(read.read(1)) == comparable(list(as_redis_py_reads(more, 1)))


@given(st.lists(REPLY, min_size=1, max_size=4), CUTS, st.data())
def test_replies_cut_short_while_they_are_those_before_are_a_closed_connection(
    sent: list[bytes], sizes: list[int], data: st.DataObject
) -> None:
    whole = b"".join(sent)
    cut = data.draw(st.integers(0, len(whole) - 1))
    read = reader(whole + whole[:cut], sizes)
    before = read.read_again(len(sent), Read())
    with pytest.raises(RedisConnectionError, match="closed"):
        read.read_again(len(sent), before)


@given(st.lists(REPLY, min_size=1, max_size=4), CUTS, st.data())
def test_replies_cut_short_are_a_closed_connection(sent: list[bytes], sizes: list[int], data: st.DataObject) -> None:
    whole = b"".join(sent)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(RedisConnectionError, match="closed"):
        reader(whole[:cut], sizes).read(len(sent))


TOKENS = st.sampled_from(
    [b"*", b"$", b":", b"+", b"-", b"\r\n", b"\r", b"\n", b"1", b"0", b"-1", b"9" * 30, b"HTTP/1.1 400", b"\x00", b"_"]
)
GARBAGE = st.one_of(st.binary(max_size=200), st.lists(TOKENS, max_size=60).map(b"".join))


@given(GARBAGE, CUTS, st.integers(1, 4))
def test_garbage_fails_in_the_declared_ways_alone(sent: bytes, sizes: list[int], count: int) -> None:
    failed = None
    try:
        reader(sent, sizes).read(count)
    except FAILURES as error:
        failed = error
    assert failed is None or isinstance(failed, RedisError)


@pytest.mark.parametrize("endless", [b"*1\r\n" * 100_000, b"*1\r\n" * (DEEPEST + 1)])
def test_lists_within_lists_without_end_are_no_reply(endless: bytes) -> None:
    with pytest.raises(InvalidResponse, match="at depth"):
        reader(endless, []).read(1)


@pytest.mark.parametrize("said", [b"-LOADING Redis is loading\r\n", b"-NOAUTH Authentication required.\r\n"])
@pytest.mark.parametrize("within", [b"", b"*1\r\n"])
def test_an_error_that_speaks_of_the_connection_is_raised(said: bytes, within: bytes) -> None:
    with pytest.raises(RedisConnectionError):
        reader(within + said, []).read(1)


@pytest.mark.parametrize("sent", [b":" + b"1" * 100_000, b"$" + b"1" * 100_000])
def test_a_number_without_end_is_no_number(sent: bytes) -> None:
    with pytest.raises(RedisError):
        reader(sent + b"\r\n", []).read(1)


def test_a_long_reply_is_read_in_time_that_grows_with_it_alone() -> None:
    calls = 0

    def counted(receive: Callable[[int], bytes]) -> Callable[[int], bytes]:
        def one(size: int) -> bytes:
            nonlocal calls
            calls += 1
            return receive(size)

        return one

    text = b"x" * 3_000_000
    sent = b"$%d\r\n%b\r\n" % (len(text), text)
    assert ReplyReader(counted(Pieces(sent, []).recv), _RESP2Parser.parse_error).read(1) == [text]
    assert calls == len(sent) // 65536 + 1


@given(replies=st.lists(st.one_of(REPLY, MESSAGE), min_size=1, max_size=5), sizes=CUTS)
def test_what_a_server_pushes_is_read_as_it_would_be_on_request(replies: list[bytes], sizes: list[int]) -> None:
    sent = b"".join(replies)
    pushed, asked = reader(sent, sizes), reader(sent, [])
    found: list[object] = []
    while len(found) < len(replies):
        found += pushed.read_pushed()
    assert list(map(repr, found)) == list(map(repr, asked.read(len(replies))))


@given(reply=st.one_of(REPLY, MESSAGE))
def test_what_is_not_complete_yet_is_kept_for_the_next_time(reply: bytes) -> None:
    pushed = reader(reply + reply, [len(reply) + len(reply) // 2])
    assert (len(pushed.read_pushed()), len(pushed.read_pushed())) == (1, 1)
