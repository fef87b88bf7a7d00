"""Batches of questions to one Redis over one kept connection: in: queries, out: each one's reply or gap. Nothing is raised.

PING goes first and alone, for its latency and to find a dead connection; everything else goes in one pipeline without MULTI.
A command that is denied or meets the wrong type of key is a gap of its own; a connection that fails is a gap for the whole batch.
Imported on the first question: redis is slow to import.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from watchdog.core.gaps import Gap
from watchdog.core.queries import OldestMessage, Ping, Query, ReadServer, TaskMeta
from watchdog.core.replies import Pong
from watchdog.sources.base import Answers
from watchdog.sources.deadline import Deadline
from watchdog.sources.redis_commands import command, packed, reply
from watchdog.sources.redis_reasons import Asked, denied, failure, only_denied, stale, too_large
from watchdog.sources.redis_server import CLUSTER
from watchdog.sources.redis_wire import FAILURES, MOST_BYTES, TooLargeError, Wire

if TYPE_CHECKING:
    from watchdog.sources.redis import RedisSettings

__all__ = ["Batches"]

HEADS_AT_ONCE = 32
"""Messages may be a megabyte each: no more than so many are on their way at a time."""

MOST_PACKED = 20_000
"""Commands kept packed; few brokers have as many queues."""


class Batches:
    """The connection to one Redis and what is packed for it."""

    def __init__(self, settings: "RedisSettings", clock: Callable[[], float]) -> None:
        self._settings = s = settings
        self._clock = clock
        self._deadline = Deadline(clock)
        self._wire = Wire(s.address, ca_file=s.ca_file, timeout=s.timeout, connect_timeout=s.connect_timeout, deadline=self._deadline)
        self._packed: dict[Query, bytes] = {}

    def ask(self, queries: Sequence[Query]) -> Answers:
        """One batch. A connection kept from before that turns out to be closed is made anew, once."""
        kept = self._wire.open
        answers = self._carried(queries)
        if kept and isinstance(answers, Exception) and stale(answers):
            answers = self._carried(queries)
        if isinstance(answers, Answers):
            return answers
        s = self._settings
        asked = Asked(s.address, s.timeout, s.connect_timeout, s.ca_file or s.address.ca_file)
        return _all_gaps(queries, failure(answers, asked))

    def close(self) -> None:
        """Give back the connection."""
        self._wire.close()

    def _carried(self, queries: Sequence[Query]) -> Answers | Exception:
        """The answers; or what went wrong with the connection, which is then closed."""
        replies: dict[Query, object] = {}
        try:
            self._wire.connect()
            return self._exchanged(queries, replies)
        except TooLargeError:
            self._wire.close()
            gap = Gap(too_large(MOST_BYTES))
            return Answers({query: replies.get(query, gap) for query in queries})
        except FAILURES as error:
            self._wire.close()
            return error

    def _exchanged(self, queries: Sequence[Query], replies: dict[Query, object]) -> Answers:
        """PING, then the rest; messages and tasks' states last, a few at a time."""
        latency_ms: float | None = None
        if Ping() in queries:
            began = self._clock()
            raw = next(iter(self._wire.exchange(self._pack(Ping()), 1)))
            latency_ms = (self._clock() - began) * 1000
            pong = _answered(Ping(), raw)
            if isinstance(pong, Gap) and not only_denied(raw):
                return _all_gaps(queries, pong.reason)
            replies[Ping()] = pong if isinstance(pong, Gap) else Pong(latency_ms)
        for some in _in_slices(queries):
            request = b"".join(map(self._pack, some))
            replies.update((query, _answered(query, raw)) for query, raw in zip(some, self._wire.exchange(request, len(some)), strict=True))
        server = replies.get(ReadServer())
        if isinstance(server, Gap) and CLUSTER in server.reason:
            return _all_gaps(queries, server.reason)
        replies.update(
            {query: Gap(f"redis: does not know the question {type(query).__name__}") for query in queries if query not in replies}
        )
        return Answers(replies, latency_ms)

    def _pack(self, query: Query) -> bytes:
        """Its command as bytes, kept for the next time: packing costs more than asking."""
        known = self._packed.get(query)
        if known is None:
            if len(self._packed) >= MOST_PACKED:
                self._packed.clear()
            known = self._packed[query] = packed(query)
        return known


def _in_slices(queries: Sequence[Query]) -> list[list[Query]]:
    """What is sent together: everything that is small at once; messages a few at a time, and last what tasks wrote themselves."""
    heads: list[Query] = [query for query in queries if isinstance(query, OldestMessage)]
    metas: list[Query] = [query for query in queries if isinstance(query, TaskMeta)]
    rest = [query for query in queries if command(query) and not isinstance(query, OldestMessage | TaskMeta | Ping)]
    slices = [rest, *(some[i : i + HEADS_AT_ONCE] for some in (heads, metas) for i in range(0, len(some), HEADS_AT_ONCE))]
    return [some for some in slices if some]


def _answered(query: Query, raw: object) -> object:
    """One raw reply as a reply type, or a gap."""
    return Gap(denied(query, raw)) if isinstance(raw, Exception) else reply(query, raw)


def _all_gaps(queries: Sequence[Query], reason: str) -> Answers:
    return Answers(dict.fromkeys(queries, Gap(reason)))
