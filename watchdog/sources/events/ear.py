"""The ear: one thread that listens to the events of one broker database, as long as the daemon runs.

In: how to reach the broker, and the prefix of its keys. Out: `heard()`, at any time and from any thread, without waiting for the network.
Only its own thread uses the connection: it subscribes, reads every other second what has come (one wake-up for many heartbeats), asks PING
when nothing comes, and connects again with growing pauses. What is said while it is not connected is not heard, and `heard()` says so.
"""

import threading
import time
from collections.abc import Callable
from select import POLLIN, poll

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import WorkersHeard
from watchdog.net.descriptor_limits import NotAskedError, own_limit
from watchdog.sources.events.heard import Memory
from watchdog.sources.events.messages import pattern_of, worker_event
from watchdog.sources.redis.commands import packed_words
from watchdog.sources.redis.connection import FAILURES, TooLargeError, Wire
from watchdog.sources.redis.reasons import failure, only_denied, stale
from watchdog.sources.redis.sentinels import NoMasterError, NotMasterError
from watchdog.sources.redis.server_line import Line, line_to
from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["Ear"]

PAUSE_S = 2.0
"""What arrives within it is read together: as often as a worker sends a heartbeat. Waking up costs more than reading."""
QUIET_S = 10.0
"""After so long without a word a PING shows whether the connection lives; and that often sentinels are asked for the master."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
"""Pauses before it connects again: each twice as long as the one before."""
DENIED_WAIT_S = 60.0
"""The pause after a refusal: somebody has to change the ACL first."""
PING = packed_words("PING")
NOT_YET = Gap("events: the connection to the broker is being opened")


class _DeniedError(Exception):
    """The ACL denies the channel, or the commands."""


class Ear:
    """Listens to the workers of one broker database. `changed` is called with the reason of each new gap, and "" once it hears."""

    def __init__(self, settings: RedisServerSettings, prefix: str, changed: Callable[[str], None]) -> None:
        self._settings, self._prefix, self._changed = settings, prefix, changed
        self._memory, self._gap = Memory(), NOT_YET
        self._open, self._said = False, ""
        self._turn = threading.Lock()
        self._settled, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self.latency_ms: float | None = None
        """How long the subscription took."""

    def start(self) -> None:
        """Start to listen."""
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until it is known whether events can be heard, this long at most."""
        self._settled.wait(seconds)

    def heard(self) -> WorkersHeard | Gap:
        """Return what was heard since the connection was opened; why nothing is known if there is none."""
        with self._turn:
            if not self._open:
                return self._gap
            heard = self._memory.heard(time.monotonic())
            if not heard.workers and self._memory.unreadable:
                return Gap("events: expected events in JSON (event_serializer, Celery's default), found others: they cannot be read")
            return heard

    def close(self, seconds: float) -> None:
        """End the thread, which closes its connection itself; wait for that this long at most."""
        self._ending.set()
        self._thread.join(seconds)

    # --- the thread -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        line, wait_s = line_to(self._settings, time.monotonic, "redis"), FIRST_WAIT_S
        while not self._ending.is_set():
            began = time.monotonic()
            reason, denied = self._session(line)
            line.close()
            if self._ending.is_set():
                return
            self._shut(f"events: {reason}")
            if time.monotonic() - began > LONGEST_WAIT_S:
                wait_s = FIRST_WAIT_S
            self._ending.wait(DENIED_WAIT_S if denied else wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _session(self, line: Line) -> tuple[str, bool]:
        """Connect and listen until something ends that: why, and whether the ACL did."""
        try:
            self._listens(line)
        except _DeniedError as error:
            return str(error), True
        except TooLargeError:
            return "expected events, found an answer without an end", False
        except (NoMasterError, NotMasterError, NotAskedError) as error:
            return str(error), False
        except FAILURES as error:
            if self._open and stale(error):
                return f"the connection to {line.asked.place} was lost; it is being opened again", False
            return own_limit(error) or failure(error, line.asked).removeprefix(f"{line.asked.name}: "), False
        return "", False

    def _listens(self, line: Line) -> None:
        wire = line.connected()
        self._subscribes(wire, pattern_of(self._prefix, line.asked.address.db, "worker"))
        readable = poll()
        readable.register(wire, POLLIN)
        heard_at = asked_at = checked_at = time.monotonic()
        while not self._ending.wait(PAUSE_S):
            now = time.monotonic()
            if now - checked_at >= QUIET_S:
                checked_at = now
                if line.connected() is not wire:
                    raise NotMasterError("the sentinels name another master: connecting to it")
            if self._reads(wire, readable):
                heard_at = now
            elif heard_at >= asked_at and now - heard_at >= QUIET_S:
                wire.remark(PING)
                asked_at = now
            elif asked_at > heard_at and now - asked_at > self._settings.timeout:
                raise TimeoutError("Timeout reading from the server")

    def _subscribes(self, wire: Wire, pattern: str) -> None:
        began = time.monotonic()
        answer = next(iter(wire.exchange(packed_words("PSUBSCRIBE", pattern), 1)))
        if isinstance(answer, Exception):
            if not only_denied(answer):
                raise answer
            what = f"the channel {pattern}" if "channel" in str(answer) else "the command PSUBSCRIBE"
            add = f"&{pattern} +psubscribe"
            raise _DeniedError(
                f"the ACL of this user denies {what} (NOPERM): add {add} to it, as in the README; until then Flower's word stands"
            )
        now = time.monotonic()
        self.latency_ms = (now - began) * 1000
        with self._turn:
            self._memory.opens(now)
            self._open = True
        self._says("")

    def _reads(self, wire: Wire, readable: poll) -> bool:
        """Take in all that has come; returns whether anything has."""
        any_came = False
        while readable.poll(0) and not self._ending.is_set():
            pushed = wire.pushed()
            any_came = True
            at, now = time.monotonic(), time.time()
            events = [worker_event(words[3]) for words in pushed if isinstance(words, list) and len(words) == 4]
            with self._turn:
                for event in events:
                    if event is None:
                        self._memory.unreadable += 1
                    else:
                        self._memory.hears(event, at, now)
        return any_came

    def _shut(self, reason: str) -> None:
        with self._turn:
            self._open, self._gap = False, Gap(reason)
        self._says(reason)

    def _says(self, reason: str) -> None:
        """Tell what has changed, once."""
        self._settled.set()
        if reason != self._said:
            self._said = reason
            self._changed(reason)
