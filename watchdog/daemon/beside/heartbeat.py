"""The heartbeat: after finished cycles, a separate thread notifies an external service that watchdog is alive and can notify people.

In: the end of each cycle, reported by the thread that ran it. Out: GET requests to one URL while all is well and to another while it is
not; `core.incidents.heartbeat` decides which. Nothing here delays a cycle, a delivery, a reload or the shutdown: reporting takes a lock
briefly, stopping does not wait, and a request ends with its timeout.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.heartbeat import CyclesSeen, Ping, Reachability, ping
from watchdog.core.incidents.outcome import Delivered, Outcome, Refused
from watchdog.core.model.self_seen import ReceiverSeen
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.store import AwayError, StoreError

__all__ = ["Heartbeat", "LastPing", "Pings", "heard"]

log = structlog.get_logger()

IGNORED = ("(not found)", "(rate limited)")
"""healthchecks.io answers 200 to a ping for an unknown check, or one that came too often, with a body that ends like this."""


class Pings(Protocol):
    """One URL to request (`HttpAttempt`)."""

    def get(self, headers: Mapping[str, str], now: float, sort: Callable[[HttpAnswer, float], Outcome] | None = None) -> Outcome:
        """One attempt, which ends with its timeout."""
        ...

    def close(self) -> None:
        """Close the socket."""
        ...


class LastPing(Struct):
    """The last ping, kept through a reload; `at` is monotonic seconds."""

    at: float | None = None
    error: str = ""
    """Why the ping failed; empty if it succeeded."""


class Heartbeat:
    """Sends pings from `start` to `stop`. Its thread calls `receivers` and `delivering`; `clock` is epoch seconds."""

    def __init__(  # noqa: PLR0913 - the parts of a heartbeat
        self,
        well: Pings,
        failing: Pings,
        *,
        headers: Mapping[str, str],
        every_s: float,
        receivers: Callable[[], Sequence[ReceiverSeen]],
        delivering: Callable[[], bool],
        last: LastPing,
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self._well, self._failing, self._headers, self._every_s = well, failing, headers, every_s
        self._receivers, self._delivering = receivers, delivering
        self._last, self._clock, self._stopwatch = last, clock, stopwatch
        self._lock = threading.Lock()
        self._seen: dict[str, CyclesSeen] = {}
        self._dead: dict[str, int] = {}
        self._told: tuple[str, str] | None = None
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self, patience_s: Mapping[str, float]) -> None:
        """Start. `patience_s`: target -> the longest time from one cycle's end to the next (seconds)."""
        began_at = self._stopwatch()
        self._seen = {target: CyclesSeen(patience, began_at) for target, patience in patience_s.items()}
        self._thread.start()

    def cycle_ended(self, target: str, failed: str = "", *, away: bool = False) -> None:
        """Report the end of a cycle; `failed` is the reason if it failed, `away` whether the database could not be reached."""
        with self._lock:
            self._seen[target] = replace(self._seen[target], ended_at=self._stopwatch(), failed=failed, away=away)
        self._woken.set()

    def stop(self) -> None:
        """Send no more pings. A running request is left to its timeout."""
        self._stopping.set()
        self._woken.set()

    @property
    def error(self) -> str:
        """Why the last ping failed; empty if it succeeded, or if there was none yet."""
        return self._last.error

    def _run(self) -> None:
        self._reachability()  # dead letters from before the start do not count
        while not self._stopping.is_set():
            self._woken.wait()
            self._woken.clear()
            try:
                self._beat()
            except Exception as error:  # nothing may end the thread that reports that watchdog is alive
                log.debug("heartbeat_crashed", exc_info=True)
                self._note(Ping(), f"unexpected {type(error).__name__}; please report it, with the log at level debug")
        self._well.close()
        self._failing.close()

    def _beat(self) -> None:
        """Send a ping, if one is due."""
        with self._lock:
            seen, now = dict(self._seen), self._stopwatch()
        decide = partial(ping, seen, now=now, pinged_at=self._last.at, every_s=self._every_s)
        if decide(()) is None:  # nothing is due: no need to query the database
            return
        reachability = self._reachability()
        due = None if reachability is None else decide(reachability)
        if due is None or self._stopping.is_set():
            return
        self._last.at = now
        outcome = (self._failing if due.failure else self._well).get(self._headers, self._clock(), heard)
        if not self._stopping.is_set():
            self._note(due, "" if isinstance(outcome, Delivered) else outcome.reason)

    def _reachability(self) -> list[Reachability] | str | None:
        """The state of each receiver; an error message if it is unknown; None while the database is away.

        Dead letters from before the start do not count.
        """
        if not self._delivering():
            return "a receiver's thread has ended"
        try:
            known = self._receivers()
        except AwayError:
            return None
        except StoreError as error:
            return str(error)
        now = self._clock()
        self._dead = {seen.name: min(self._dead.get(seen.name, seen.dead_since_ok), seen.dead_since_ok) for seen in known}
        return [
            Reachability(
                seen.name,
                seen.off,
                seen.dead_since_ok > self._dead[seen.name],
                0.0 if seen.oldest_at is None else max(now - seen.oldest_at, 0.0),
            )
            for seen in known
        ]

    def _note(self, said: Ping, error: str) -> None:
        """Keep the result of a ping; log it if it changed."""
        self._last.error = error
        if self._told == (said.failure, error):
            return
        self._told = said.failure, error
        if error:
            log.warning("heartbeat_failed", status="fail" if said.failure else "ok", reason=error)
        elif said.failure:
            log.warning("heartbeat_accepted", status="fail", because=said.failure)
        else:
            log.info("heartbeat_accepted", status="ok")


def heard(answer: HttpAnswer, now: float) -> Outcome:
    """Judge an answer by its status, and by healthchecks.io's messages that replace a status."""
    outcome = outcome_of(answer, now)
    if isinstance(outcome, Delivered) and answer.text.strip().endswith(IGNORED):
        return Refused(f"{answer.answered}: {answer.said}")
    return outcome
