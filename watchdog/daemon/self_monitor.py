"""Self-monitoring across configurations: fed by the cycles and the daemon, read as tables of the target `watchdog`."""

import threading
from collections import defaultdict

from msgspec.structs import replace

from watchdog.core.model.self_seen import ReceiverSeen, RuleSeen, SelfSeen
from watchdog.daemon.beside.heartbeat import LastPing
from watchdog.daemon.cycle import Done

__all__ = ["SelfMonitor"]


class SelfMonitor:
    """What watchdog knows about itself, across configurations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: dict[tuple[str, str], str] = {}
        self._took: dict[tuple[str, str], float] = {}
        self._trial: dict[tuple[str, str], bool] = {}
        self._cycle_s: dict[str, float] = {}
        self._cycles = self._late = 0
        self._failing: dict[str, str] = {}
        self.config_error = ""
        self.pings: defaultdict[str, LastPing] = defaultdict(LastPing)
        """Fingerprint of a heartbeat's URLs -> the last ping there."""

    def cycle_failed(self, target: str, why: str) -> bool:
        """Record a failed cycle. Returns whether the failure, or its reason, is new."""
        with self._lock:
            new = self._failing.get(target) != why
            self._failing[target] = why
            return new

    def cycle_ended(self, target: str, done: Done, took_s: float, *, late: bool = False) -> bool:
        """Record a successful cycle; `late`: it took, or waited, longer than its interval. Returns whether the one before it had failed."""
        with self._lock:
            self._cycle_s[target] = took_s
            self._cycles += 1
            self._late += late
            for judgement in done.judgements:
                key = target, judgement.rule.name
                self._failed[key] = judgement.failed or ""
                self._took[key] = judgement.took_ms
                self._trial[key] = judgement.rule.trial
            return self._failing.pop(target, None) is not None

    def looked_elsewhere(self, target: str, *, late: bool) -> bool:
        """Record a cycle that another process committed. Returns whether the one before it had failed here."""
        with self._lock:
            self._cycles += 1
            self._late += late
            return self._failing.pop(target, None) is not None

    def forget_all_but(self, targets: set[str], rules: set[str]) -> None:
        """After a reload: forget targets and rules that are no longer configured."""
        with self._lock:
            self._failed = {k: v for k, v in self._failed.items() if k[0] in targets and k[1] in rules}
            self._took = {k: v for k, v in self._took.items() if k in self._failed}
            self._trial = {k: v for k, v in self._trial.items() if k in self._failed}
            self._cycle_s = {k: v for k, v in self._cycle_s.items() if k in targets}
            self._failing = {k: v for k, v in self._failing.items() if k in targets}

    def seen(self, receivers: tuple[ReceiverSeen, ...], database_bytes: int, heartbeat_error: str = "") -> SelfSeen:
        """Everything, as read by the tables of the target `watchdog`."""
        with self._lock:
            errors: dict[str, str] = {}
            took_ms: dict[str, float] = {}
            for (target, rule), error in self._failed.items():
                if error:
                    errors.setdefault(rule, f"{target}: {error}")
            for (_, rule), ms in self._took.items():
                took_ms[rule] = max(took_ms.get(rule, 0.0), ms)
            relied_on = {rule for (_, rule), trial in self._trial.items() if not trial}
            rules = tuple(RuleSeen(rule, errors.get(rule, ""), ms, rule not in relied_on) for rule, ms in sorted(took_ms.items()))
            longest = max(self._cycle_s.values(), default=0.0)
            whole = SelfSeen(receivers, rules, longest, self._late, self.config_error, database_bytes, heartbeat_error)
            return replace(whole, cycles=self._cycles)
