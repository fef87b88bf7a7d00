"""The ear: one thread that listens to the events of one broker, as long as the daemon runs.

In: a `Listening`, the way to the broker. Out: `heard()` of workers and `answers()` of tasks, at any time and from any thread, without
waiting for the network.
Only its own thread uses the connection: it subscribes, reads every other second what has come (one wake-up for many heartbeats), and
connects again with growing pauses. What is said while it is not connected is not heard, and `heard()` says so.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import WorkersHeard
from watchdog.core.model.servers.heard import EventsMeasured
from watchdog.sources.events.heard import Memory
from watchdog.sources.events.listening import Fault, Heard, Listening
from watchdog.sources.events.messages import WorkerEvent
from watchdog.sources.events.meter import Meter
from watchdog.sources.events.tasks.allowance import Allowance, Spent, Turn
from watchdog.sources.events.tasks.answers import answer
from watchdog.sources.events.tasks.proofs import Proofs
from watchdog.sources.events.tasks.runs import Runs

__all__ = ["Ear"]

PAUSE_S = 2.0
"""What arrives within it is read together: as often as a worker sends a heartbeat. Waking up costs more than reading."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
"""Pauses before it connects again: each twice as long as the one before."""
NOT_YET = Gap("events: the connection to the broker is being opened")
NOT_MEASURED = Gap("events: heard for too short a time to measure it")
NOT_CONFIRMED = "the broker has not confirmed yet that it sends those of tasks"


class Ear:
    """Listens to the workers of one broker, and with `tasks` to what they say of their tasks, as long as that costs no more than `share`.

    `share`: of a core. `changed` is called with the reason of each new gap, and "" once it hears.
    """

    def __init__(self, listening: Listening, changed: Callable[[str], None], *, tasks: bool = False, share: float = inf) -> None:
        self._listening, self._changed = listening, changed
        self._runs, self._proofs, self._allowance = Runs() if tasks else None, Proofs(), Allowance(share)
        self._share, self._meter = share, Meter()
        self._denied = ""
        self._of_workers = 0
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

    def answers(self, queries: Iterable[Query]) -> dict[Query, object]:
        """Return the replies to queries about tasks, all as of one moment, of what was heard since the connection was opened."""
        with self._turn:
            why = self._gap if not self._open else Gap(self._no_tasks) if self._no_tasks else None
            if self._runs is None or why is not None:
                return dict.fromkeys(queries, why or Gap("events: do not listen to tasks"))
            self._runs.timings.passes(time.time())
            return {query: answer(query, self._runs) for query in queries}

    def measured(self) -> EventsMeasured | Gap:
        """Return how many events come, and what hearing them takes."""
        with self._turn:
            measured = self._meter.measured()
            if not self._open:
                return self._gap
            return NOT_MEASURED if measured is None else EventsMeasured(*measured, self._share)

    def learn(self, names: Mapping[str, str]) -> None:
        """Take names of tasks (id -> name) that were said before."""
        with self._turn:
            if self._runs is not None:
                self._runs.learn(names)

    def close(self, seconds: float) -> None:
        """End the thread, which closes its connection itself; wait for that this long at most."""
        self._ending.set()
        self._thread.join(seconds)

    @property
    def _no_tasks(self) -> str:
        """Why nothing is known of tasks, though workers are heard; empty if they are, too."""
        why = self._allowance.why_not or self._denied
        return f"events: {why}" if why else ""

    # --- the thread -----------------------------------------------------------------------------------------------------

    @property
    def ending(self) -> bool:
        """Whether the daemon, or this configuration, ends."""
        return self._ending.is_set()

    def take(self, events: Sequence[Heard]) -> None:
        """Take in what has just come."""
        at, now = time.monotonic(), time.time()
        with self._turn:
            self._takes_in(events, at, now)

    def tasks_follow(self) -> None:
        """The broker allows it now."""
        with self._turn:
            self._denied = ""
            if self._runs is not None:
                self._runs.opens(time.time())
                self._proofs.opens()
        self._says(self._no_tasks)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._ending.is_set():
            began = time.monotonic()
            fault = self._session()
            self._listening.close()
            if self._ending.is_set():
                return
            self._shut(f"events: {fault.reason}", told=fault.wait_s != 0.0)
            if time.monotonic() - began > LONGEST_WAIT_S:
                wait_s = FIRST_WAIT_S
            self._ending.wait(wait_s if fault.wait_s is None else fault.wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _session(self) -> Fault:
        """Connect and listen until something ends that, and return what."""
        try:
            self._listens()
        except Exception as error:
            fault = self._listening.fault(error, was_open=self._open)
            if fault is None:
                self._shut(f"events: not heard any more, by an error of watchdog itself ({type(error).__name__})")
                raise
            return fault
        return Fault("")

    def _listens(self) -> None:
        opened = self._listening.open(tasks=self._runs is not None and self._allowance.subscribed)
        self.latency_ms = opened.took_s * 1000
        with self._turn:
            self._memory.opens(time.monotonic())
            if self._runs is not None:
                self._runs.opens(time.time())
                self._proofs.opens()
            self._open, self._denied = True, opened.no_tasks
        self._says(self._no_tasks)
        more = False
        self._notes()
        while not self._ending.wait(0 if more else PAUSE_S):
            more = self._listening.read(self)
            spent = self._notes()
            if self._runs is not None:
                self._weighs_cost(spent)

    def _notes(self) -> Spent:
        spent = Spent(time.monotonic(), time.thread_time(), 0 if self._runs is None else self._runs.heard, self._of_workers)
        with self._turn:
            self._meter.notes(spent)
        return spent

    def _weighs_cost(self, spent: Spent) -> None:
        """Let the events of tasks go if they cost too much, or take them again."""
        turn = self._allowance.turn(spent)
        if turn is Turn.TRY:
            self._denied = NOT_CONFIRMED
            self._listening.take_tasks(self)
        elif turn is not Turn.GO_ON:
            self._says(self._no_tasks)
        if turn is Turn.LET_GO:
            self._listening.let_tasks_go()

    def _takes_in(self, events: Sequence[Heard], at: float, now: float) -> None:
        idle: dict[str, float] = {}
        for event in events:
            if event is None:
                self._memory.unreadable += 1
            elif isinstance(event, WorkerEvent):
                self._of_workers += 1
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
            self._runs.timings.passes(now)
        for name in self._proofs.take():
            self._memory.speaks_while_it_works(name)

    def _shut(self, reason: str, *, told: bool = True) -> None:
        with self._turn:
            self._open, self._gap = False, Gap(reason)
        if told:
            self._says(reason)

    def _says(self, reason: str) -> None:
        """Tell what has changed, once."""
        self._settled.set()
        if reason != self._said:
            self._said = reason
            self._changed(reason)
