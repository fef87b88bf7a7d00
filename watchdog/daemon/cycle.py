"""One cycle for one target: poll, read, judge, decide, commit, and add to history. Delivery starts where this ends.

The cycle polls first; then it takes the database's write lock, loads, decides and commits, so that no acknowledgement from another process
is lost. Memory advances only after the commit; `now` is read once. The first cycle reads what the database remembers, so that a reload
continues where the old configuration stopped.

Cycles of one target are numbered. One is committed only if the last one is still that from which it began; so several processes may look at
the same target, and what they write is what one of them would have written that made the same looks.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.history.frames import Recorder
from watchdog.core.history.series import Keeping, Moment, Slice
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import open_keys
from watchdog.core.incidents.plan import Plan
from watchdog.core.judging.blindness import with_blindness
from watchdog.core.judging.evaluator import Evaluators
from watchdog.core.judging.findings import Judgement
from watchdog.core.judging.judge import demand_of, judge_all, windows_of
from watchdog.core.model.last_look import last_look_of
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Looks, Past, Seen, read_tables
from watchdog.core.model.rows import Reading, Table
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.rules.overrides import Tuned
from watchdog.daemon.figures.trends import with_trends
from watchdog.polling.poller import Poller
from watchdog.store import CachedTarget, Looked, NotApartError, OvertakenError, Store, Transaction, UnsureError

__all__ = ["Cycle", "Done", "Recorded"]

SPARE_S = 60.0
"""How much older than the longest window a sample may get before it is deleted, in seconds."""


class Recorded(Struct, frozen=True):
    """What each cycle adds to history.

    `keeping`: the figures, and for how long (None: none); `slice_of`: what one look adds to them. `recorder` makes frames of the rows
    (None: rows are not kept), which are kept for `keep_rows_s` seconds.
    """

    keeping: Keeping | None = None
    slice_of: Callable[[Moment], Slice] = lambda moment: Slice(moment.now)
    recorder: Recorder | None = None
    keep_rows_s: float = 0.0


NO_HISTORY = Recorded()


class Done(Struct, frozen=True):
    """What one cycle saw, judged and wrote."""

    seen: Seen
    judgements: tuple[Judgement, ...]
    plan: Plan


class Cycle:
    """One target's cycle, run repeatedly. Not thread-safe."""

    def __init__(  # noqa: PLR0913 - the parts of a cycle
        self,
        poller: Poller,
        tables: Mapping[str, Table],
        rules: Sequence[Tuned],
        evaluators: Evaluators,
        store: Store,
        situation: Situation,
        *,
        clock: Callable[[], float],
        past: Callable[[float], Past],
        self_seen: Callable[[], SelfSeen | None] = lambda: None,
        shared: Collection[str] = (),
        history: Recorded = NO_HISTORY,
        alone: bool = True,
        configuration: str | None = None,
    ) -> None:
        """`situation`: what is the same in all cycles of the target; each fills in its time and its readings.

        `shared`: the servers that other targets name, too. `alone`: whether this process alone looks at the target. If not, each cycle asks
        first whether another has looked, and continues where that one stopped. `configuration`: its fingerprint, where another process says
        which one is in force; a cycle by any other is not committed.
        """
        self.target = poller.target
        self.rules = rules
        self._past: Past | None = None
        self._alone, self._by, self._configuration = alone, "" if alone else secrets.token_hex(4), configuration
        self._last: int | None = None  # the number of the target's last cycle, as far as is known here
        self._apart = not alone  # whether it tries to commit beside other targets: after a cycle that changed something, mostly in vain
        self._load_past = past
        self._kept = CachedTarget()
        self._poller, self._tables, self._evaluators, self._store = poller, tables, evaluators, store
        self._clock, self._self_seen, self._shared, self._history = clock, self_seen, shared, history
        self._windows, self._demand = windows_of(rules), replace(demand_of(rules), history=history.keeping is not None)
        self._keep_s = max(self._windows) + 2 * self.target.interval_s + SPARE_S
        self._situation = replace(situation, keep_samples_s=self._keep_s)

    @property
    def longest_s(self) -> float:
        """The longest a cycle may take, by its sources' timeouts (seconds)."""
        return self._poller.longest_s

    def run(self) -> Done:
        """Run one cycle.

        `StoreError`: nothing was written, and the next cycle starts from the same past. `OvertakenError`, which is one: another cycle of
        this target was committed meanwhile, and the next one starts from there. `StoppedError`: it was stopped before polling finished;
        nothing was written either.
        """
        try:
            return self._run()
        except OvertakenError:
            self._past = None
            raise
        except UnsureError:
            self._past = None
            if self._history.recorder is not None:
                self._history.recorder.forget()
            raise

    def _run(self) -> Done:
        known = self._known()
        now = self._clock()  # after that, so that it is no earlier than the cycle from which this one begins
        past = known or self._load_past(now)
        seen = self._seen(past, now)
        if self._apart:
            with suppress(NotApartError):
                return self._committed(past, seen, now, self.target.name)
        done = self._committed(past, seen, now)
        self._apart = not self._alone and done.plan.changes_nothing
        return done

    def _seen(self, past: Past, now: float) -> Seen:
        """Poll and read. What was answered is not needed after that, and is not kept while the cycle goes on."""
        replies = self._poller.ask(past, now, demand=self._demand)
        return read_tables(self._tables, self.target, past, replies, now, self._windows, self._self_seen(), demand=self._demand)

    def _committed(self, past: Past, seen: Seen, now: float, apart: str = "") -> Done:
        """Judge, decide and commit. `apart`: the target's name, for a transaction beside those of other targets; `NotApartError`: the plan
        needs one of its own.
        """
        with self._store.cycle(apart) as transaction:
            loaded = transaction.load(
                self.target.name,
                self._kept,
                self._situation.flapping.window(now),
                self._shared,
                after=self._last,
                configuration=self._configuration,
            )
            with self._evaluators.one() as evaluator:
                judgements = judge_all(evaluator, self.rules, seen, open_keys(loaded.open))
            seen = with_blindness(seen, past, judgements, now)
            usual = seen.windows[DEFAULT_WINDOW_S]
            situation = replace(self._situation, now=now, readings=usual)
            plan = self._drawn(decide(situation, judgements, loaded, seen), judgements, usual, transaction)
            transaction.commit(plan)
            self._record(transaction, Moment(past, seen, now, loaded.previous_cycle_at, self.target.interval_s))
        if self._history.recorder is not None:
            self._history.recorder.written()
        self._past, self._last = past.plus(seen, self._keep_s), (self._last or 0) + 1
        return Done(seen, tuple(judgements), plan)

    def _known(self) -> Past | None:
        """The past from which this cycle begins; None: it must be read.

        The number of the last cycle is read before anything that it left and before anything is asked. So what is read may be newer than
        the number, but then this cycle is overtaken; and what is answered is newer than what the tables remember.
        """
        if self._past is not None and self._alone:
            return self._past
        last = self._store.last_cycle(self.target.name)
        if self._past is None or last != self._last:
            if self._last is not None or not self._alone:
                self._poller.forget()
            self._past, self._last = None, last
        return self._past

    def _drawn(self, plan: Plan, judgements: Sequence[Judgement], readings: Mapping[str, Reading], transaction: Transaction) -> Plan:
        """Show in messages how their figures went."""
        if self._history.keeping is None or not plan.messages:
            return plan
        minutes = partial(transaction.minutes, self.target.name, plan.at)
        return with_trends(plan, judgements, self._history.keeping.kept, readings, minutes)

    def _judged_rows(self, seen: Seen) -> Looks:
        """Return the tables that rules judge in each window; of the default window, all."""
        return {
            window_s: tables
            if window_s == DEFAULT_WINDOW_S
            else {name: tables[name] for name in self._windows.get(window_s, ()) if name in tables}
            for window_s, tables in seen.windows.items()
        }

    def _record(self, transaction: Transaction, moment: Moment) -> None:
        """Add this look to history, in the transaction of the cycle: its rows, then its figures."""
        recorder, keeping = self._history.recorder, self._history.keeping
        if recorder is not None:
            frame = recorder.frame(self._judged_rows(moment.seen), moment.now, moment.interval_s, self._by)
            transaction.record_frame(self.target.name, frame, self._history.keep_rows_s, moment.before_at)
        if keeping is not None:
            look = last_look_of(moment.seen.windows[DEFAULT_WINDOW_S], moment.now, moment.interval_s)
            transaction.record(Looked(self.target.name, self._history.slice_of(moment), look, moment.before_at), keeping)

    def stop(self) -> None:
        """From any thread: abandon the running cycle after the current batch of requests, and start no other."""
        self._poller.stop()

    def close(self) -> None:
        """Close the sources' sockets."""
        self._poller.close()
