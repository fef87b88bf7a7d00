"""What a worker of the engine looks with: the cycles of the targets that the engine carries, as the daemon would build them.

In: a configuration, the store. Out: cycles by target, with the fingerprint of what they judge by.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.app.configured import Configured
from watchdog.app.receivers import build_receivers
from watchdog.app.watching import build_cycles
from watchdog.config.fingerprint import fingerprint
from watchdog.config.sections.engine import carried_targets
from watchdog.core.model.self_seen import SelfSeen
from watchdog.daemon.engine.looker import Looking
from watchdog.daemon.logs.decision_log import DecisionLog

if TYPE_CHECKING:
    from watchdog.store import Store

__all__ = ["build_looking"]


def build_looking(conf: Configured, store: "Store", clock: Callable[[], float], stopwatch: Callable[[], float]) -> "Looking":
    """The cycles of all targets that the engine carries."""
    names = carried_targets(conf.settings)
    found = fingerprint(conf.loaded)
    cycles = build_cycles(conf, store, build_receivers(conf.settings), clock, stopwatch, SelfSeen, found)
    cycles = [cycle for cycle in cycles if cycle.target.name in names]
    rules = frozenset(tuned.rule.name for cycle in cycles for tuned in cycle.rules)
    decisions = DecisionLog(Path(conf.settings.decisions)) if conf.settings.decisions else None
    return Looking(found, {cycle.target.name: cycle for cycle in cycles}, rules, decisions)
