"""Batches of queries to one Redis over one kept connection. In: queries. Out: a reply or gap for each. Raises only `NotAskedError`.

PING goes first and alone, for its latency and to detect a dead connection; everything else goes in one pipeline without MULTI. A command
that is denied or meets the wrong type of key is a gap of its own; a failed connection is a gap for the whole batch. Imported at the first
query: redis is slow to import.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import OfKeys, OldestMessage, Ping, Query, ReadServer, ScanKeys, TaskMeta
from watchdog.core.model.replies import Held, KeysFound, Pong, RedisServer
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.sources.base import Answers
from watchdog.sources.redis.commands import SCAN_STEP, command, packed, packed_words, reader_of, reply
from watchdog.sources.redis.connection import FAILURES, MOST_BYTES, TooLargeError, Wire
from watchdog.sources.redis.reasons import denied, failure, not_selected, only_denied, stale, too_large
from watchdog.sources.redis.replies import Read
from watchdog.sources.redis.sentinels import NoMasterError, NotMasterError
from watchdog.sources.redis.server import CLUSTER, SENTINEL
from watchdog.sources.redis.server_line import line_to

if TYPE_CHECKING:
    from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["Batches"]

HEADS_AT_ONCE = 32
"""Messages may be a megabyte each: the most that are requested at a time."""

SCAN_S = 0.5
"""The longest that one batch continues a scan, in seconds; at most a quarter of the timeout of the whole batch."""

MOST_FOUND = 10_000
"""Keys after which a scan stops for this batch: no broker binds so many exchanges, whatever the server says."""

NO_BROKER = (CLUSTER, SENTINEL)
"""Kinds of servers that answer INFO, but cannot hold Celery's queues."""


class _Kept(NamedTuple):
    """A query about many keys, with its commands, and its last answer with the bytes that it was read from.

    It hardly changes from cycle to cycle, and its answer often does not either. For a thousand queues, packing the commands costs more than
    sending them, and reading the replies more than receiving them.
    """

    query: OfKeys[Any]
    packed: bytes
    read: Read = Read()
    answer: Held[Any] = Held()


class Batches:
    """The connection to one Redis and its packed commands. `name` is the source's: reasons begin with it."""

    def __init__(self, settings: "RedisServerSettings", clock: Callable[[], float], name: str = "redis") -> None:
        self._clock = clock
        self._name = name
        self._line = line_to(settings, clock, name)
        self._scan_s = min(SCAN_S, settings.timeout / 4)
        self._own_db = self._line.asked.address.db
        self._kept: dict[type[Query], _Kept] = {}

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Run one batch. A kept connection that turns out to be closed is opened again, once."""
        kept = self._line.open
        answers = self._carried(queries)
        if kept and isinstance(answers, Exception) and stale(answers):
            answers = self._carried(queries)
        if isinstance(answers, Exception):
            raise_if_own(answers)
        if isinstance(answers, NoMasterError | NotMasterError):
            return _all_gaps(queries, f"{self._name}: {answers}")
        if isinstance(answers, Exception):
            return _all_gaps(queries, failure(answers, self._line.asked))
        return answers if self._name == "redis" else replace(answers, replies={q: self._named(a) for q, a in answers.replies.items()})

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _named(self, answer: object) -> object:
        """Replace "redis" in the gaps of single commands by the name of this source."""
        return Gap(self._name + answer.reason.removeprefix("redis")) if isinstance(answer, Gap) else answer

    def _carried(self, queries: Sequence[Query]) -> Answers | Exception:
        """The answers; or the error of the connection, which is then closed."""
        replies: dict[Query, object] = {}
        try:
            return self._exchanged(self._line.connected(), queries, replies)
        except TooLargeError:
            self._line.close()
            gap = Gap(too_large(MOST_BYTES))
            return Answers({query: replies.get(query, gap) for query in queries})
        except FAILURES as error:
            self._line.close()
            return error

    def _exchanged(self, wire: Wire, queries: Sequence[Query], replies: dict[Query, object]) -> Answers:
        """PING, then the rest; messages and task states last, a few at a time."""
        latency_ms: float | None = None
        if (ping := next((query for query in queries if isinstance(query, Ping)), None)) is not None:
            began = self._clock()
            raw = next(iter(wire.exchange(packed(ping), 1)))
            latency_ms = (self._clock() - began) * 1000
            pong = _answered(ping, raw)
            if isinstance(pong, Gap) and not only_denied(raw):
                return _all_gaps(queries, pong.reason)
            replies[ping] = pong if isinstance(pong, Gap) else Pong(latency_ms)
        self._ask_of_keys(wire, [query for query in queries if isinstance(query, OfKeys)], replies)
        for db, some in _in_slices(queries):
            replies.update(self._sent(wire, db, some))
        for scan in [query for query in queries if isinstance(query, ScanKeys)]:
            replies[scan] = self._scanned_on(wire, scan, replies[scan])
        for server in [replies.get(query) for query in queries if isinstance(query, ReadServer)]:
            if isinstance(server, Gap) and any(why in server.reason for why in NO_BROKER):
                return _all_gaps(queries, server.reason)
            if isinstance(server, RedisServer):
                self._line.require_master(server.role)
        if len(replies) < len(queries):
            gaps = {query: Gap(f"redis: does not know the question {type(query).__name__}") for query in queries if query not in replies}
            replies.update(gaps)
        return Answers(replies, latency_ms)

    def _ask_of_keys(self, wire: Wire, queries: list[OfKeys[Any]], replies: dict[Query, object]) -> None:
        """Send the queries about many keys together, and add their answers."""
        before = [self._kept_for(query) for query in queries]
        if before:
            wire.send(b"".join([kept.packed for kept in before]))
        for kept in before:
            read = wire.receive(len(kept.query.keys), kept.read)
            now = kept if read is kept.read else kept._replace(read=read, answer=_held(kept.query, read.replies))
            self._kept[type(kept.query)] = now
            replies[kept.query] = now.answer

    def _kept_for(self, query: OfKeys[Any]) -> _Kept:
        kept = self._kept.get(type(query))
        return kept if kept is not None and kept.query == query else _Kept(query, packed(query))

    def _sent(self, wire: Wire, db: int | None, some: list[Query]) -> dict[Query, object]:
        """The answers to queries that are sent together, in another database if they are about that one."""
        request = b"".join(map(packed, some))
        if db is None or db == self._own_db:
            return _answers(some, wire.exchange(request, len(some)))
        there, back = packed_words("SELECT", str(db)), packed_words("SELECT", str(self._own_db))
        selected, *raws, returned = wire.exchange(b"".join([there, request, back]), len(some) + 2)
        if isinstance(returned, Exception):
            raise returned
        if isinstance(selected, Exception):
            return dict.fromkeys(some, Gap(not_selected(db, selected)))
        return _answers(some, raws)

    def _scanned_on(self, wire: Wire, scan: ScanKeys, found: object) -> object:
        """Continue a scan whose first step returned `found`. The next poll continues from the cursor that it reaches."""
        until, left = self._clock() + self._scan_s, scan.budget - SCAN_STEP
        while isinstance(found, KeysFound) and found.cursor and len(found.keys) < MOST_FOUND and left > 0 and self._clock() < until:
            step = ScanKeys(found.cursor, scan.pattern, left)
            more = _answered(step, next(iter(wire.exchange(packed(step), 1))))
            found = KeysFound(more.cursor, found.keys + more.keys) if isinstance(more, KeysFound) else more
            left -= SCAN_STEP
        return found


def _in_slices(queries: Sequence[Query]) -> list[tuple[int | None, list[Query]]]:
    """(database, or None for the connection's own; queries): small ones at once, messages a few at a time, task states last."""
    heads: list[Query] = [query for query in queries if isinstance(query, OldestMessage)]
    metas: dict[int | None, list[Query]] = {}
    for query in queries:
        if isinstance(query, TaskMeta):
            metas.setdefault(query.db, []).append(query)
    rest = [query for query in queries if command(query) and not isinstance(query, OldestMessage | TaskMeta | Ping | OfKeys)]
    kinds = [(None, heads), *metas.items()]
    slices = [(None, rest), *((db, some[i : i + HEADS_AT_ONCE]) for db, some in kinds for i in range(0, len(some), HEADS_AT_ONCE))]
    return [(db, some) for db, some in slices if some]


def _answers(queries: Iterable[Query], raws: Iterable[object]) -> dict[Query, object]:
    return {query: _answered(query, raw) for query, raw in zip(queries, raws, strict=True)}


def _held(query: OfKeys[Any], raws: Iterable[object]) -> Held[Any]:
    """What the keys hold, from a raw reply for each."""
    read = reader_of(query)
    found: dict[str, object] = {}
    gaps: dict[str, Gap] = {}
    for key, raw in zip(query.keys, raws, strict=True):
        content = read(raw)
        if content is None:
            gaps[key] = cast("Gap", _answered(type(query)((key,)), raw))
        elif content:
            found[key] = content
    return Held(frozenset(query.keys), found, gaps)


def _answered(query: Query, raw: object) -> object:
    """One raw reply as a reply type, or a gap."""
    return Gap(denied(query, raw)) if isinstance(raw, Exception) else reply(query, raw)


def _all_gaps(queries: Sequence[Query], reason: str) -> Answers:
    return Answers(dict.fromkeys(queries, Gap(reason)))
