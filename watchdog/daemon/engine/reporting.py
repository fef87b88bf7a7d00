"""What a worker says of itself, in the database: for the tables of the target `watchdog`, and for `watchdog status`.

In: each of its looks. Out: a row of its own, written every few seconds; the daemon's self-monitoring, completed by the rows of all workers.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterable

import structlog
from msgspec.structs import replace

from watchdog.core.model.self_seen import LookerSeen, RuleSeen, SelfSeen
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.store import Store, StoreError

__all__ = ["Reporting", "with_lookers"]

log = structlog.get_logger()

EVERY_S = 5.0


class Reporting:
    """The thread that reports, while the block lasts."""

    def __init__(self, store: Store, monitor: SelfMonitor, refuses: Callable[[], str], clock: Callable[[], float]) -> None:
        """`refuses`: why this process does not look; empty if it does."""
        self._store, self._monitor, self._refuses, self._clock = store, monitor, refuses, clock
        self._name = f"{socket.gethostname()}, pid {os.getpid()}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporting", daemon=True)

    def __enter__(self) -> "Reporting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(EVERY_S)
        try:
            self._store.leave(self._name)
        except StoreError:
            return  # it is forgotten soon

    def _run(self) -> None:
        failing = ""
        while True:
            try:
                seen = self._monitor.seen((), 0)
                self._store.report(LookerSeen(self._name, self._clock(), seen.cycle_s, seen.rules, self._refuses()))
                failing = ""
            except StoreError as error:
                if str(error) != failing:
                    log.warning("not_reported", reason=str(error))
                failing = str(error)
            if self._ended.wait(EVERY_S):
                return


def with_lookers(seen: SelfSeen, lookers: Iterable[LookerSeen], error: str) -> SelfSeen:
    """What watchdog knows of itself, with what its workers say. `error`: why these do not look; empty if they do."""
    lookers = tuple(lookers)
    refuses = next((one.refuses for one in lookers if one.refuses), "")
    rules: dict[str, RuleSeen] = {}
    for rule in (*seen.rules, *(rule for one in lookers for rule in one.rules)):
        known = rules.get(rule.name, rule)
        rules[rule.name] = RuleSeen(rule.name, known.error or rule.error, max(known.took_ms, rule.took_ms), known.trial and rule.trial)
    longest = max((one.cycle_s for one in lookers), default=0.0)
    return replace(
        seen,
        rules=tuple(rules[name] for name in sorted(rules)),
        cycle_s=max(seen.cycle_s, longest),
        engine_error=error and (refuses or error),
        engine_workers=sum(not one.refuses for one in lookers),
    )
