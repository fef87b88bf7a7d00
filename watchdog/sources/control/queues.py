"""Queues of a broker on Redis, counted, emptied, and moved from one to another.

In: the connection, the keys of a queue's lists. Out: how many messages there were. Each step is one script, which Redis runs as a whole or
not at all: whenever watchdog is killed, every message is in one list. A message that a worker took in the meantime is left to the worker.
Errors are those of `sources.redis.connection.FAILURES`, and ResponseError for what Redis refuses.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from redis.exceptions import ResponseError

from watchdog.core.actions.messages import readdressed, task_of
from watchdog.sources.redis.commands import packed_words
from watchdog.sources.redis.server_line import Line, line_to
from watchdog.sources.redis.settings import RedisSettings

__all__ = ["QueuesOnRedis"]

STEP = 200
"""Messages that are read at once, and moved by one script at most."""
MOST_COMPARED = 200_000
"""Messages that Redis compares in one script, about two milliseconds of its time."""

MOVE = """
local moved = 0
for i = 1, #ARGV, 2 do
  local last = redis.call('LINDEX', KEYS[1], -1)
  local taken = 0
  if last == ARGV[i] then
    redis.call('RPOP', KEYS[1])
    taken = 1
  else
    taken = redis.call('LREM', KEYS[1], -1, ARGV[i])
  end
  if taken == 1 then
    redis.call('LPUSH', KEYS[2], ARGV[i + 1])
    moved = moved + 1
  end
end
return moved
"""
PURGE = """
local gone = 0
for i = 1, #KEYS do
  gone = gone + redis.call('LLEN', KEYS[i])
  redis.call('UNLINK', KEYS[i])
end
return gone
"""
MARKED_S = 30 * 86400
"""How long it is remembered that a message was sent."""
SEND_ONCE = f"""
if redis.call('SET', KEYS[2], '1', 'NX', 'EX', '{MARKED_S}') then
  redis.call('LPUSH', KEYS[1], ARGV[1])
  return 1
end
return 0
"""


class QueuesOnRedis:
    """The queues of one Redis. A list is named by its key."""

    def __init__(self, settings: RedisSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._line: Line = line_to(settings, clock, "redis")

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def lengths(self, keys: Sequence[str]) -> dict[str, int]:
        """Key -> how many messages wait there."""
        return {key: _number(self._asked("LLEN", key)) for key in keys}

    def matching(self, keys: Sequence[str], task: str) -> int:
        """How many messages of a task wait in these lists."""
        return sum(task_of(message) == task for key in keys for message in self._from_the_oldest(key))

    def purge(self, keys: Sequence[str]) -> int:
        """Delete these lists, all at once. Returns how many messages were in them."""
        return _number(self._asked("EVAL", PURGE, str(len(keys)), *keys))

    def send_once(self, key: str, mark: str, message: bytes) -> bool:
        """Add a message to a list, unless the key `mark` says that it was sent before. Returns whether it was added."""
        return _number(self._asked("EVAL", SEND_ONCE, "2", key, mark, message)) == 1

    def move(self, key: str, other: str, queue: str, most: int, only: str | None) -> Iterator[int]:
        """Move at most so many messages, the oldest first, behind those that wait in the other list. Yields how many each step moved.

        `queue`: what the messages are addressed to from now on; `only`: those of this task.
        """
        left, passing = most, True
        while left > 0 and passing:
            passing = False
            for messages in self._in_steps(key, only):
                moved = self._moved(key, other, queue, messages[:left])
                yield moved
                left, passing = left - moved, passing or moved > 0
                if left <= 0:
                    return

    def _in_steps(self, key: str, only: str | None) -> Iterator[list[bytes]]:
        """Messages to move, from the oldest on. What is left behind is passed over; what arrives meanwhile may be among them.

        The next step begins behind what was left of this one, so that the caller must have moved it before it asks for more.
        """
        left = 0
        while found := self._slice(key, left):
            wanted = [message for message in found if only is None or task_of(message) == only]
            size = max(1, min(STEP, MOST_COMPARED // (left + STEP)))
            for first in range(0, len(wanted), size):
                yield wanted[first : first + size]
            left += len(found) - len(wanted)
            if only is None and not wanted:
                return

    def _moved(self, key: str, other: str, queue: str, messages: Sequence[bytes]) -> int:
        pairs = [part for message in messages for part in (message, readdressed(message, queue))]
        return _number(self._asked("EVAL", MOVE, "2", key, other, *pairs)) if pairs else 0

    def _from_the_oldest(self, key: str) -> Iterator[bytes]:
        passed = 0
        while found := self._slice(key, passed):
            yield from found
            passed += len(found)

    def _slice(self, key: str, passed: int) -> list[bytes]:
        """Up to `STEP` messages, the oldest first, after so many older ones."""
        found = self._asked("LRANGE", key, str(-passed - STEP), str(-passed - 1))
        return [message for message in reversed(found) if isinstance(message, bytes)] if isinstance(found, list) else []

    def _asked(self, *words: str | bytes) -> object:
        """The reply to one command. A reply that is an error is raised."""
        texts = [word if isinstance(word, str) else word.decode("utf-8", "surrogateescape") for word in words]
        [raw] = self._line.connected().exchange(packed_words(*texts), 1)
        if isinstance(raw, ResponseError):
            raise raw
        return raw


def _number(raw: object) -> int:
    if not isinstance(raw, int):
        raise TypeError("expected a number from Redis")
    return raw
