"""Events on Redis (or Valkey): pub/sub messages of channels whose names say the kind of event.

In: how to reach the broker, and the prefix of its keys. Out: events, as `Listening`. When nothing comes a PING shows whether the connection
lives, and sentinels are asked now and then whether the master is still the same.
"""

import time
from select import POLLIN, poll

from watchdog.net.descriptor_limits import NotAskedError, own_limit
from watchdog.sources.events.envelope import pattern_of
from watchdog.sources.events.listening import DENIED_WAIT_S, DeniedError, Fault, Heard, Hearing, Opened
from watchdog.sources.events.messages import worker_event
from watchdog.sources.events.subscribing import confirms, release, request, subscribe
from watchdog.sources.events.tasks.messages import task_events
from watchdog.sources.redis.commands import packed_words
from watchdog.sources.redis.connection import FAILURES, TooLargeError, Wire
from watchdog.sources.redis.reasons import failure, stale
from watchdog.sources.redis.sentinels import NoMasterError, NotMasterError
from watchdog.sources.redis.server_line import line_to
from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["RedisChannels"]

QUIET_S = 10.0
"""After so long without a word a PING shows whether the connection lives; and that often sentinels are asked for the master."""
PING = packed_words("PING")
TASK_CHANNELS = b".celeryev/task.*"
"""How the pattern of the channels of tasks ends."""


class KeptError(Exception):
    """Redis denies this user to leave a channel: only a new connection is without it."""


class RedisChannels:
    """The channels of one database."""

    def __init__(self, settings: RedisServerSettings, prefix: str) -> None:
        self._settings, self._prefix = settings, prefix
        self._line = line_to(settings, time.monotonic, "redis")
        self._wire: Wire | None = None
        self._readable = poll()
        self._of_tasks = ""
        self._without_tasks = self._leaving = False
        self._heard_at = self._asked_at = self._checked_at = self._tried_at = 0.0

    def open(self, *, tasks: bool) -> Opened:
        """Connect and subscribe."""
        wire = self._line.connected()
        began, db = time.monotonic(), self._line.asked.address.db
        subscribe(wire, pattern_of(self._prefix, db, "worker"), "Flower's word stands")
        self._of_tasks = pattern_of(self._prefix, db, "task")
        no_tasks = self._denied_tasks(wire) if tasks else ""
        self._wire, self._without_tasks, self._leaving, self._readable = wire, bool(no_tasks), False, poll()
        self._readable.register(wire, POLLIN)
        now = time.monotonic()
        self._heard_at = self._asked_at = self._checked_at = self._tried_at = now
        return Opened(no_tasks, now - began)

    def read(self, hearing: Hearing) -> bool:
        """Hand over what has come; see to it that more can come."""
        wire, now = self._wire, time.monotonic()
        assert wire is not None  # noqa: S101 - `open` went before
        if now - self._checked_at >= QUIET_S:
            self._checked_at = now
            if self._line.connected() is not wire:
                raise NotMasterError("the sentinels name another master: connecting to it")
        if self._without_tasks and now - self._tried_at >= DENIED_WAIT_S:
            self._tried_at = now
            request(wire, self._of_tasks)
        if self._hands_over(wire, hearing):
            self._heard_at = now
        elif self._heard_at >= self._asked_at and now - self._heard_at >= QUIET_S:
            wire.remark(PING)
            self._asked_at = now
        elif self._asked_at > self._heard_at and now - self._asked_at > self._settings.timeout:
            raise TimeoutError("Timeout reading from the server")
        return False

    def let_tasks_go(self) -> None:
        """Leave their channels."""
        assert self._wire is not None  # noqa: S101 - `open` went before
        self._without_tasks, self._leaving = False, True
        release(self._wire, self._of_tasks)

    def take_tasks(self, hearing: Hearing) -> None:
        """Ask for their channels again; until Redis confirms it, every minute."""
        del hearing  # told when Redis confirms it
        assert self._wire is not None  # noqa: S101 - `open` went before
        self._without_tasks, self._leaving, self._tried_at = True, False, time.monotonic()
        request(self._wire, self._of_tasks)

    def fault(self, error: Exception, *, was_open: bool) -> Fault | None:
        """Why nothing is heard."""
        asked = self._line.asked
        if isinstance(error, KeptError):
            return Fault("connecting again, without the events of tasks (the ACL of this user lacks +punsubscribe)", 0.0)
        if isinstance(error, DeniedError):
            return Fault(str(error), DENIED_WAIT_S)
        if isinstance(error, TooLargeError):
            return Fault("expected events, found an answer without an end")
        if isinstance(error, NoMasterError | NotMasterError | NotAskedError):
            return Fault(str(error))
        if not isinstance(error, FAILURES):
            return None
        if was_open and stale(error):
            return Fault(f"the connection to {asked.place} was lost; it is being opened again")
        return Fault(own_limit(error) or failure(error, asked).removeprefix(f"{asked.name}: "))

    def close(self) -> None:
        """Disconnect."""
        self._wire = None
        self._line.close()

    def _denied_tasks(self, wire: Wire) -> str:
        """Subscribe to the tasks as well: empty, or why they cannot be heard."""
        try:
            subscribe(wire, self._of_tasks, "nothing is heard of tasks")
        except DeniedError as error:
            return str(error)
        return ""

    def _hands_over(self, wire: Wire, hearing: Hearing) -> bool:
        """Returns whether anything has come."""
        any_came = False
        while self._readable.poll(0) and not hearing.ending:
            pushed = wire.pushed()
            any_came = True
            if self._leaving and any(isinstance(said, Exception) for said in pushed):
                raise KeptError
            if self._without_tasks and any(confirms(said, self._of_tasks) for said in pushed):
                self._without_tasks = False
                hearing.tasks_follow()
            hearing.take([_event(words) for words in pushed if isinstance(words, list) and len(words) == 4])
        return any_came


def _event(words: list[object]) -> Heard:
    """Return what a message says, by the pattern that it was sent for."""
    pattern, raw = words[1], words[3]
    return task_events(raw) if isinstance(pattern, bytes) and pattern.endswith(TASK_CHANNELS) else worker_event(raw)
