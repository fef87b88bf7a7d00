"""The ear: one thread that listens to the events of one broker database, as long as the daemon runs.

In: how to reach the broker, and the prefix of its keys. Out: `heard()` of workers and `answer()` of tasks, at any time and from any thread,
without waiting for the network.
Only its own thread uses the connection: it subscribes, reads every other second what has come (one wake-up for many heartbeats), asks PING
when nothing comes, and connects again with growing pauses. What is said while it is not connected is not heard, and `heard()` says so.
"""

import threading
import time
from collections.abc import Callable
from select import POLLIN, poll

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import WorkersHeard
from watchdog.net.descriptor_limits import NotAskedError, own_limit
from watchdog.sources.events.envelope import pattern_of
from watchdog.sources.events.heard import Memory
from watchdog.sources.events.messages import WorkerEvent, worker_event
from watchdog.sources.events.subscribing import DeniedError, confirms, request, subscribe
from watchdog.sources.events.tasks.answers import answer
from watchdog.sources.events.tasks.messages import TaskEvent, task_events
from watchdog.sources.events.tasks.proofs import Proofs
from watchdog.sources.events.tasks.runs import Runs
from watchdog.sources.redis.commands import packed_words
from watchdog.sources.redis.connection import FAILURES, TooLargeError, Wire
from watchdog.sources.redis.reasons import failure, stale
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
OF_TASKS = b".celeryev/task.*"
"""How the pattern of the channels of tasks ends."""
NOT_YET = Gap("events: the connection to the broker is being opened")


class Ear:
    """Listens to the workers of one broker database, and with `tasks` to what they say of their tasks.

    `changed` is called with the reason of each new gap, and "" once it hears.
    """

    def __init__(self, settings: RedisServerSettings, prefix: str, changed: Callable[[str], None], *, tasks: bool = False) -> None:
        self._settings, self._prefix, self._changed = settings, prefix, changed
        self._runs, self._proofs = Runs() if tasks else None, Proofs()
        self._of_tasks = self._no_tasks = ""
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

    def answer(self, query: Query) -> object:
        """Return the reply to a query of `OF_TASKS`, of what was heard since the connection was opened."""
        with self._turn:
            if not self._open:
                return self._gap
            if self._runs is None or self._no_tasks:
                return Gap(self._no_tasks or "events: do not listen to tasks")
            return answer(query, self._runs)

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
        except DeniedError as error:
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
        self._subscribes(wire, line.asked.address.db)
        readable = poll()
        readable.register(wire, POLLIN)
        heard_at = asked_at = checked_at = tried_at = time.monotonic()
        while not self._ending.wait(PAUSE_S):
            now = time.monotonic()
            if now - checked_at >= QUIET_S:
                checked_at = now
                if line.connected() is not wire:
                    raise NotMasterError("the sentinels name another master: connecting to it")
            if self._no_tasks and now - tried_at >= DENIED_WAIT_S:
                tried_at = now
                request(wire, self._of_tasks)
            if self._reads(wire, readable):
                heard_at = now
            elif heard_at >= asked_at and now - heard_at >= QUIET_S:
                wire.remark(PING)
                asked_at = now
            elif asked_at > heard_at and now - asked_at > self._settings.timeout:
                raise TimeoutError("Timeout reading from the server")

    def _subscribes(self, wire: Wire, db: int) -> None:
        began = time.monotonic()
        subscribe(wire, pattern_of(self._prefix, db, "worker"), "Flower's word stands")
        self._of_tasks = pattern_of(self._prefix, db, "task")
        self._no_tasks = self._without_tasks(wire)
        now = time.monotonic()
        self.latency_ms = (now - began) * 1000
        with self._turn:
            self._memory.opens(now)
            if self._runs is not None:
                self._runs.opens(time.time())
                self._proofs.opens()
            self._open = True
        self._says(self._no_tasks)

    def _without_tasks(self, wire: Wire) -> str:
        """Subscribe to the tasks as well, if they are wanted: empty, or why they cannot be heard. Workers are heard all the same."""
        if self._runs is None:
            return ""
        try:
            subscribe(wire, self._of_tasks, "tasks are unknown")
        except DeniedError as error:
            return f"events: {error}"
        return ""

    def _reads(self, wire: Wire, readable: poll) -> bool:
        """Take in all that has come; returns whether anything has."""
        any_came = False
        while readable.poll(0) and not self._ending.is_set():
            pushed = wire.pushed()
            any_came = True
            at, now = time.monotonic(), time.time()
            if self._no_tasks and any(confirms(said, self._of_tasks) for said in pushed):
                self._hears_of_tasks(now)
            messages = [words for words in pushed if isinstance(words, list) and len(words) == 4]
            events = [_event(words) for words in messages]
            with self._turn:
                self._takes_in(events, at, now)
        return any_came

    def _hears_of_tasks(self, now: float) -> None:
        """The ACL allows it now."""
        with self._turn:
            self._no_tasks = ""
            if self._runs is not None:
                self._runs.opens(now)
        self._says("")

    def _takes_in(self, events: list[WorkerEvent | list[TaskEvent] | None], at: float, now: float) -> None:
        idle: dict[str, float] = {}
        for event in events:
            if event is None:
                self._memory.unreadable += 1
            elif isinstance(event, WorkerEvent):
                self._memory.hears(event, at, now)
                self._proofs.says(event.hostname, event.timestamp)
                if event.active == 0 and event.timestamp is not None:
                    idle[event.hostname] = event.timestamp
            elif self._runs is not None:
                for one in event:
                    self._runs.hears(one)
                    self._proofs.hears(one)
        if self._runs is not None:
            self._runs.settles(idle)
        for name in self._proofs.take():
            self._memory.speaks_while_it_works(name)

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


def _event(words: list[object]) -> WorkerEvent | list[TaskEvent] | None:
    """Return what a message says, by the pattern that it was sent for."""
    pattern, raw = words[1], words[3]
    return task_events(raw) if isinstance(pattern, bytes) and pattern.endswith(OF_TASKS) else worker_event(raw)
