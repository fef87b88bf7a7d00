"""One conversation with workers over their remote control: kombu's mailbox (what `app.control.inspect` uses), on a connection of its own.

Workers reply into a queue that exists for the conversation alone. Its name stays the same for as long as this process runs: what a
conversation that was cut off left in the broker, the next one removes. kombu is imported at the first conversation.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from kombu import Connection
from kombu.pidbox import Mailbox

__all__ = ["Conversation", "conversation"]

AGAIN_S = 0.05
"""With less time left, whoever is missing is not asked again."""


class _LateError(Exception):
    """Replies still arrive, and the time is over."""


class _OneMailbox(Mailbox):  # type: ignore[misc]
    """A mailbox whose reply queue keeps its name, whichever thread uses it."""

    name_of_replies = ""

    @property
    def oid(self) -> str:
        return self.name_of_replies


class Conversation:
    """Asks workers and collects what they say. `timeout_s`: how long one question waits for all of its answers."""

    def __init__(self, mailbox: Mailbox, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._mailbox, self._timeout_s, self._clock = mailbox, timeout_s, clock

    def ask(self, command: str, workers: Collection[str], **arguments: object) -> dict[str, object]:
        """Return worker -> its reply, as it sent it; those of `workers` that answered in time, or of all workers if none are named.

        kombu waits for as many replies as workers were named. Two processes under one name send two, so whoever is missing is asked again.
        """
        found: dict[str, object] = {}
        ends_at = self._clock() + self._timeout_s

        def keep(reply: object) -> None:
            for name, said in reply.items() if isinstance(reply, Mapping) else ():
                if isinstance(name, str) and (not workers or name in workers):
                    found.setdefault(name, said)
            if self._clock() > ends_at:
                raise _LateError

        missing, left_s = list(workers), self._timeout_s
        while left_s > AGAIN_S:
            with suppress(_LateError):
                if workers:
                    self._mailbox.call(missing, command, arguments, timeout=left_s, callback=keep)
                else:
                    self._mailbox.multi_call(command, arguments, timeout=left_s, callback=keep)
            missing, left_s = [name for name in workers if name not in found], ends_at - self._clock()
            if not missing:
                break
        return found


@contextmanager
def conversation(arguments: Mapping[str, Any], exchange: str, replies: str, timeout_s: float) -> Iterator[Conversation]:
    """A conversation on a new connection; `replies` names its reply queue. Raises whatever kombu and the broker's client raise."""
    with Connection(**arguments) as connection:
        mailbox = _OneMailbox(exchange, type="fanout", connection=connection, accept=["json"], serializer="json", reply_queue_expires=None)
        mailbox.name_of_replies = replies
        channel = connection.default_channel
        _do_no_more(channel)
        try:
            yield Conversation(mailbox, timeout_s)
        except Exception:
            with suppress(Exception):
                mailbox.reply_queue(channel).delete()
            raise


def _do_no_more(channel: Any) -> None:
    """Keep kombu's channel to Redis from what it does for workers: sweeping bindings, and redelivering what is unacknowledged.

    With other names, these are methods that nobody calls; `broker` makes them harmless in any case.
    """
    channel.sweep_bindings = _nothing
    qos = getattr(channel, "qos", None)
    if qos is not None:
        qos.restore_visible = _nothing


def _nothing(*_: object, **__: object) -> int:
    return 0
