"""Subscribing to the channels of events, on a connection on which messages of other channels may already come.

In: the connection, a pattern of channels. Out: nothing, once Redis confirms it; DeniedError, with what is to be added to the ACL.
"""

from typing import Protocol

from watchdog.sources.events.listening import DeniedError
from watchdog.sources.redis.commands import packed_words
from watchdog.sources.redis.reasons import only_denied

__all__ = ["DeniedError", "Pushing", "confirms", "release", "request", "subscribe"]


class Pushing(Protocol):
    """A connection on which the server also speaks by itself; see `sources/redis/connection.py`."""

    def pushed(self) -> list[object]:
        """What the server sent, waiting until something comes."""

    def remark(self, packed: bytes) -> None:
        """Send a command whose reply comes among what is pushed."""


def subscribe(wire: Pushing, pattern: str, until_then: str) -> None:
    """Subscribe, and wait for the answer. What comes before it is dropped: nothing was heard yet. `until_then`: what a refusal means."""
    request(wire, pattern)
    while True:
        for said in wire.pushed():
            if confirms(said, pattern):
                return
            if isinstance(said, Exception):
                raise _denied(said, pattern, until_then)


def request(wire: Pushing, pattern: str) -> None:
    """Ask for the channels, without waiting for the answer."""
    wire.remark(packed_words("PSUBSCRIBE", pattern))


def release(wire: Pushing, pattern: str) -> None:
    """Leave the channels, without waiting for the answer."""
    wire.remark(packed_words("PUNSUBSCRIBE", pattern))


def confirms(said: object, pattern: str) -> bool:
    """Whether this confirms the subscription."""
    return isinstance(said, list) and said[:2] == [b"psubscribe", pattern.encode()]


def _denied(error: Exception, pattern: str, until_then: str) -> Exception:
    if not only_denied(error):
        return error
    what = f"the channel {pattern}" if "channel" in str(error) else "the command PSUBSCRIBE"
    return DeniedError(
        f"the ACL of this user denies {what} (NOPERM): add &{pattern} +psubscribe to it, as in the README; until then {until_then}"
    )
