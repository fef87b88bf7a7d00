"""The known workers after one poll.

Input: what was remembered, the replies of Flower and of the ear (`evidence`), the current time. Output: the known workers now. A worker is
- **online** if it answers a ping or a refresh, or its events say so, those that were heard or Flower's;
- **left** if it said goodbye and was not heard since (see `evidence`);
- **lost** if it fell silent without a goodbye, and does not answer a refresh either;
- **unknown** (a reason instead of a state) if silence proves nothing: the broker or Flower was down or is just back, or all workers fell
  silent together and no refresh has been answered or failed yet.

A solo pool is silent and does not answer while it executes a task: it is believed to be online as long as that may take (`silence`). A
heartbeat in the future is not evidence of life (`clocks`).
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectAll, Inspected, InspectedNow, InspectOne, WorkerStatus
from watchdog.core.model.replies import Replies, WorkerHeard, WorkerInspection
from watchdog.core.model.target import Target, covers, matches
from watchdog.tables.workers.clocks import AHEAD_S, drift_after, is_new
from watchdog.tables.workers.evidence import (
    beats_of,
    heard_of,
    lives_again,
    never_ended,
    own_events,
    restarted,
    said_goodbye,
    said_more_goodbyes,
    spoken_lately,
    started_by_worker,
    took_turns,
    turns_heard,
)
from watchdog.tables.workers.heartbeat_rates import rate_after
from watchdog.tables.workers.inspected.pongs import ponged
from watchdog.tables.workers.inspected.usage import cpu_after
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers, inspections
from watchdog.tables.workers.presence import broker_presence, ear_unsettled, flower_presence
from watchdog.tables.workers.replacements import with_peers
from watchdog.tables.workers.silence import RETURNED, Silence, longest_unknown_s, may_be_deaf, silence_of, why_all_silent, why_unexplained

__all__ = ["VOUCHED_S", "look_again"]

VOUCHED_S = 60.0
"""How long an answered refresh is evidence for a worker without heartbeats. The worker is asked again after half of it."""
LONGEST_ABSENCE_S = 86400.0
"""A worker that was last online this much longer ago than `forget_after` is forgotten, even if little of that time was watched."""
FELL_S = 600.0
"""Two unexplained falls of a task count within so many seconds mean two processes that take turns."""


def look_again(known_workers: KnownWorkers, target: Target, replies: Replies, now: float) -> KnownWorkers:
    """Return the known workers after a poll. If neither Flower answers nor events are heard, only its presence and the broker's change."""
    status, events = replies.get(WorkerStatus(), dict[str, bool]), own_events(replies, target)
    broker = broker_presence(known_workers.broker, target, replies, now)
    flower = flower_presence(known_workers.flower, target, replies, now)
    if isinstance(status, Gap) and events is None:
        return replace(known_workers, broker=broker, flower=flower, kinds=target.kinds)
    seen = _Seen(known_workers, target, replies, now)
    by_ear = ear_unsettled(events.since_s) if events is not None and (isinstance(status, Gap) or "flower" not in target.sources) else None
    seen.unsettled = broker.unsettled(now) or by_ear or flower.unsettled(now)
    seen.flower_ahead_s = seen.flowers_clock()
    known = with_peers({name: seen.worker(name) for name in seen.names()}, target.kinds, now)
    kept = {name: worker for name, worker in known.items() if not seen.forgettable(worker)}
    return KnownWorkers(
        known=kept,
        forgotten=frozenset(name for name in (*seen.status, *seen.inspected) if name not in kept),
        broker=broker,
        flower=flower,
        refreshed_at=now if replies.asked(InspectAll()) or seen.first_of_flower else known_workers.refreshed_at,
        looked_at=now,
        flower_ahead_s=seen.flower_ahead_s,
        kinds=target.kinds,
    )


class _Seen:
    """The evidence of one poll, evaluated per worker."""

    def __init__(self, known_workers: KnownWorkers, target: Target, replies: Replies, now: float) -> None:
        self.known_workers, self.target, self.replies, self.now = known_workers, target, replies, now
        status = replies.get(WorkerStatus(), dict[str, bool])
        self.events, self.by_ear = own_events(replies, target), isinstance(status, Gap)
        self.first_of_flower = known_workers.refreshed_at is None and not self.by_ear
        self.no_flower = status.reason if isinstance(status, Gap) and "flower" in target.sources else ""
        self.beats, self.beats_missing = beats_of(replies, target)
        self.status = heard_of(replies, known_workers, target, now)
        self.flower_ahead_s = 0.0
        cached = replies.get(InspectedNow() if replies.asked(InspectedNow()) else Inspected(), dict[str, WorkerInspection])
        self.cache_missing = cached.reason if isinstance(cached, Gap) else ""
        self.cached = {} if isinstance(cached, Gap) else cached
        self.inspected = inspections(replies, known_workers, target)
        self.started = started_by_worker(replies)
        self.all_asked = replies.asked(InspectAll())
        self.ponged = ponged(replies)
        self.asked = {query.worker for query in replies.answers if isinstance(query, InspectOne)}
        self.unsettled: str | None = None
        self.all_silent = self._all_fell_silent()
        self.step_s = min(max(now - (known_workers.looked_at or now), 0.0), 2 * target.interval_s)

    def flowers_clock(self) -> float:
        """Return the seconds by which Flower's clock is ahead of ours. It dates the answers of a refresh."""
        dated = [seen.at - self.now for name in self.inspected if self._refreshed(name) and (seen := self.inspected[name]).at is not None]
        return max(dated) if dated else self.known_workers.flower_ahead_s

    def names(self) -> list[str]:
        """Return all workers to evaluate: known, listed or inspected by Flower, heard, or expected by name."""
        forgotten = self.known_workers.forgotten
        expected = {name for name in self.target.expected_workers if not set(name) & set("*?[") and covers(name, self.target.workers)}
        heard = {name for name in (*self.status, *self.inspected) if name not in forgotten or self.status.get(name) or self._answered(name)}
        return sorted(set(self.known_workers.known) | heard | expected)

    def worker(self, name: str) -> KnownWorker:
        """Return one worker as it is now."""
        known = self.known_workers.known.get(name) or KnownWorker(name, self.now)
        left = self._has_left(known)
        signs = self._looked_at(known) | self._asked(known)
        if self._answered(name) or (not left and (self.status.get(name) or self._vouched(signs.get("vouched_at", known.vouched_at)))):
            signs.update(self._at_work(known, signs))
            if known.state == "lost" and not known.unknown and signs["restarted_at"] == known.restarted_at:
                signs["returned_at"] = (*known.returned_at[-19:], self.now)
            return replace(known, **signs, state="online", unknown="", online_at=self.now, gone_s=0.0, replaced=False, busy=False)
        state = replace(known, **signs, busy=False)
        if left:
            return replace(state, state="left", unknown="", vouched_at=None, gone_s=state.gone_s + self.step_s)
        if self.unsettled is not None:
            return replace(state, unknown=self.unsettled)
        if self.no_flower and self._events_of(name) is None:  # it may be one that sends no heartbeats
            return replace(state, unknown=self.no_flower)
        return self._silent(replace(state, gone_s=state.gone_s + self.step_s))

    def forgettable(self, worker: KnownWorker) -> bool:
        """Whether it has been gone for `forget_after`, and nobody expects it by name."""
        if (worker.state == "online" and not worker.unknown) or matches(worker.name, self.target.expected_workers):
            return False
        longest_s = self.target.forget_after_s
        if worker.online_at is not None:
            return worker.gone_s > longest_s or self.now - worker.online_at > longest_s + LONGEST_ABSENCE_S
        purged = self.status.get(worker.name) is False and worker.beat is None and not self.beats_missing
        if purged:  # Flower no longer shows dead workers (`purge_offline_workers`): how this one ended can no longer be known
            return True
        signs = [worker.beat.heartbeats[-1] if worker.beat and worker.beat.heartbeats else None]
        signs.append(worker.inspection.at if worker.inspection else None)
        return self.now - max((at for at in signs if at is not None), default=worker.first_seen_at) > longest_s

    # --- evidence of one worker -----------------------------------------------------------------------------------------

    def _looked_at(self, known: KnownWorker) -> dict[str, Any]:
        """Return what Flower shows of it: fields of `KnownWorker`."""
        beat = self.beats.get(known.name, known.beat)
        pid = beat.pid if beat is not None else None
        fell = took_turns(known.beat, beat)
        last = known.beat.pid if known.beat is not None else None  # also None if Flower just restarted and knows it by its tasks alone
        takes_turns = None not in (pid, last) and pid != last and pid in known.pids
        takes_turns |= fell and known.fell_at is not None and 0 <= self.now - known.fell_at <= FELL_S  # a single fall may be a lost hello
        rate = rate_after(known.rate, self.beats.get(known.name), self.now)
        takes_turns |= rate is not None and rate.of_two()
        heard = self._events_of(known.name)
        takes_turns |= turns_heard(heard)
        again = restarted(known.beat, beat) and not takes_turns and not fell
        drift = (None, None) if again else known.drift
        crashed = again and not said_more_goodbyes(known.beat, beat)
        return {
            "inspection": self.inspected.get(known.name),
            "cpu": cpu_after(known.cpu, self.inspected.get(known.name)),
            "restarted_at": (*known.restarted_at[-19:], self.now) if again else known.restarted_at,
            "crashed_at": (*known.crashed_at[-19:], self.now) if crashed else known.crashed_at,
            "fell_at": self.now if fell else known.fell_at,
            "longest_s": 0.0 if again else known.longest_s,
            "rate": rate,
            "turned_at": self.now if takes_turns else known.turned_at,
            "pids": known.pids if pid is None or pid in known.pids else (*known.pids[-3:], pid),
            "beat": beat,
            "heard_at": self.now if is_new(known.beat, beat) or (known.beat is None and beat is not None) else known.heard_at,
            "ear_at": None if heard is None else self.now - heard.ago_s,
            "own_ahead_s": None if heard is None or heard.ahead_s is None else heard.ahead_s - self.flower_ahead_s,
            "responsive": (known.responsive and not again) or (heard is not None and heard.spoke_busy),
            "drift": drift_after(drift, known.beat, beat, self.flower_ahead_s, self.now, self.replies.took_s),
        }

    def _at_work(self, known: KnownWorker, signs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what it executes, by Flower's list and its heartbeat, and how long it was silent: fields of `KnownWorker`."""
        beat, seen = signs["beat"], signs["inspection"]
        silent_s = self.now - known.online_at if known.online_at is not None else 0.0
        was_deaf = (known.busy or known.state == "lost") and may_be_deaf(seen.pool if seen is not None else None)
        found: dict[str, Any] = {"longest_s": max(signs["longest_s"], silent_s)} if was_deaf and not known.unknown else {}
        if self.started is None:
            return found
        ids = self.started.get(known.name, ())
        active = beat.active if beat is not None and not self.beats_missing else None
        return {**found, "started": frozenset(ids), "never_ended": never_ended(ids, known.started, known.never_ended, active)}

    def _asked(self, known: KnownWorker) -> dict[str, Any]:
        """Return what this cycle's ping or refresh, if any, shows of it: fields of `KnownWorker`. With heartbeats, none is needed."""
        name, heard = known.name, bool(self.status.get(known.name))
        if not (self.all_asked or name in self.asked or name in self.ponged):
            return {"vouched_at": None} if heard else {}
        if self._answered(name):
            return {"asked_at": self.now, "asked": 0, "answered_at": self.now, "vouched_at": None if heard else self.now}
        vouched_at = None if heard or self._did_not_answer(name) else known.vouched_at
        return {"asked_at": self.now, "asked": known.asked + 1, "vouched_at": vouched_at}

    def _has_left(self, known: KnownWorker) -> bool:
        beat, online, heard = self.beats.get(known.name), bool(self.status.get(known.name)), self._events_of(known.name)
        if heard is not None:
            return heard.gone and not self._answered(known.name)
        if self._answered(known.name) or (known.vouched_at is not None and not online and not self._did_not_answer(known.name)):
            return False  # a worker started without heartbeats sends neither hello nor goodbye
        if known.state == "left":
            if beat is None:  # no longer listed, or heartbeats could not be read: then a goodbye still stands
                return not online or bool(self.beats_missing)
            return not lives_again(known.beat, beat, listed_online=online)
        return beat is not None and known.name in self.status and said_goodbye(known.beat, beat, listed_online=online)

    def _events_of(self, name: str) -> WorkerHeard | None:
        return self.events.workers.get(name) if self.events is not None else None

    def _vouched(self, vouched_at: float | None) -> bool:
        return vouched_at is not None and 0 <= self.now - vouched_at < VOUCHED_S

    def _silent(self, known: KnownWorker) -> KnownWorker:
        """Evaluate a worker that fell silent without goodbye, if neither the broker nor Flower explains it."""
        asked_in_vain = self._did_not_answer(known.name)
        if known.state == "lost" and not known.unknown:
            return known
        silence = silence_of(known.name, known.pool, self._heard_at(known), known.longest_s, self.replies, self.now)
        if silence is Silence.BUSY:
            return replace(known, state="online", unknown="", busy=True, gone_s=0.0)
        by_ear = self.by_ear or ("flower" not in self.target.sources and known.answered_at is None)  # it may refuse remote control
        if silence is Silence.UNKNOWN and known.gone_s <= longest_unknown_s(by_ear=by_ear):
            return replace(known, unknown=why_unexplained(by_ear=by_ear))
        if asked_in_vain and self._may_come_back(known):
            return replace(known, unknown=RETURNED)
        if not asked_in_vain and known.vouched_at is not None:
            return replace(known, unknown=self._refresh_gap(known.name) or "it sends no heartbeats, and was not queried again yet")
        if not asked_in_vain and self.all_silent:
            waiting = why_all_silent(known.unknown, by_ear=self.by_ear, asked=bool(known.asked))
            return replace(known, unknown=self._refresh_gap(known.name) or waiting)
        if self.beats_missing:  # it may have said goodbye
            return replace(known, unknown=self.beats_missing)
        return replace(known, state="lost", unknown="")

    def _may_come_back(self, known: KnownWorker) -> bool:
        """Whether no worker sends heartbeats, and this is the first refresh without its answer after some that failed as a whole.

        Celery waits up to half a minute before it tries a lost broker again; the next refresh settles it.
        """
        return self.all_silent and known.asked > 1 and known.unknown not in ("", RETURNED)

    def _heard_at(self, known: KnownWorker) -> float | None:
        """Return when it was last known to be alive: by our clock, or in a first poll by Flower's."""
        beats = [at for at in (known.beat.heartbeats if known.beat else ()) if at <= self.now + AHEAD_S]
        return max((at for at in (known.online_at, known.answered_at, *beats[-1:]) if at is not None), default=None)

    # --- refreshes ------------------------------------------------------------------------------------------------------

    def _answered(self, name: str) -> bool:
        """Whether it answered in this cycle: a ping, or a refresh."""
        return name in self.ponged or self._refreshed(name)

    def _refreshed(self, name: str) -> bool:
        """Whether a refresh of this cycle returned an answer that was not known before."""
        if not self._reached(name):
            return False
        after, before = self.inspected.get(name), [self.cached.get(name), self._before(name)]
        return after is not None and after.at is not None and after.at not in [i.at for i in before if i is not None]

    def _did_not_answer(self, name: str) -> bool:
        return self._reached(name) and not self._answered(name)

    def _reached(self, name: str) -> bool:
        """Whether a refresh that it had to answer came back, and can be distinguished from an old answer."""
        if not (self.all_asked or name in self.asked):
            return False
        if any(not isinstance(self.replies.get(query, dict), Gap) for query in (InspectAll(), InspectOne(name))):
            return not self.cache_missing or self._before(name) is not None
        return False

    def _before(self, name: str) -> WorkerInspection | None:
        """Return its inspection before this poll."""
        known = self.known_workers.known.get(name)
        return known.inspection if known else None

    def _refresh_gap(self, name: str) -> str:
        queries = [q for q in (InspectOne(name), InspectAll()) if self.replies.asked(q)]
        answers = [self.replies.get(query, dict) for query in queries]
        return next((a.reason for a in answers if isinstance(a, Gap)), self.cache_missing if queries else "")

    def _all_fell_silent(self) -> bool:
        """Whether no worker is online by the event stream, although one was, or must have been: without goodbye."""
        if any(self.status.values()):
            return False
        if self.by_ear and self.events is not None:  # nobody can be asked, but the connection is known to work
            return spoken_lately(self.events)
        silent = [name for name in self.status if not (name in self.beats and not self.beats[name].heartbeats)]
        return bool(silent) or any(w.state == "online" for w in self.known_workers.known.values())
