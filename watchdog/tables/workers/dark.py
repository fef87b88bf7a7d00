"""Workers that execute tasks without sending events: they take tasks, and Flower receives no task events from them.

Input: how many tasks each online worker reports in heartbeats, how many task events Flower counted for it, what is remembered. Output: the
new memory, and a sentence if the two contradict. Events are off because of worker_send_task_events or a missing -E, and Flower may be
configured not to enable them.
"""

from collections.abc import Mapping

from msgspec import Struct, field

__all__ = ["Heard", "dark"]

LEAST = 10.0
"""With so many tasks and no event, the events are not merely delayed."""


class Heard(Struct, frozen=True):
    """Worker -> (events of its tasks, tasks it took) when the number of events last rose. `said`: what `dark` last said; empty: nothing."""

    of: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    said: str = ""

    def after(self, events: Mapping[str, float], processed: Mapping[str, float]) -> "Heard":
        """Return the memory after a poll. If a counter restarts (a new worker process, or Flower), the worker is remembered anew."""
        return Heard({name: self._of(name, events.get(name, 0.0), took) for name, took in processed.items()})

    def _of(self, name: str, events: float, took: float) -> tuple[float, float]:
        before = self.of.get(name)
        return before if before is not None and before[0] == events and took >= before[1] else (events, took)


def dark(heard: Heard, events: Mapping[str, float], processed: Mapping[str, float], began_after_flower: Mapping[str, bool]) -> str | None:
    """Return why task counts are incomplete; None if nothing contradicts.

    All events of a worker that started after Flower should have been received, also of the tasks that it had taken at its first look.
    """
    for name, took in sorted(processed.items()):
        before = heard.of.get(name)
        since = 0.0 if began_after_flower.get(name) and not events.get(name) else took if before is None else before[1]
        if took - since >= LEAST:
            said = f"{name} took {took - since:g} tasks, and no event about them was received"
            return f"{said}: are task events on (worker -E, worker_send_task_events)?"
    return None
