"""Which workers work without saying so: they take tasks, and Flower hears no event of one.

In: how many tasks each online worker says it took (heartbeats), how many task events Flower counted of it, what is remembered. Out: what is
remembered now, and a sentence where the two contradict. Events are off by worker_send_task_events or without -E, and Flower may be told
not to switch them on.
"""

from collections.abc import Mapping

from msgspec import Struct, field

__all__ = ["Heard", "dark"]

LEAST = 10.0
"""So many tasks without a single event are no events that are on their way."""


class Heard(Struct, frozen=True):
    """Worker -> (events of its tasks, tasks it took) when the events last rose."""

    of: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def after(self, events: Mapping[str, float], processed: Mapping[str, float]) -> "Heard":
        """What is remembered after a look; a worker that counts anew (a new process, or Flower) is remembered anew."""
        return Heard({name: self._of(name, events.get(name, 0.0), took) for name, took in processed.items()})

    def _of(self, name: str, events: float, took: float) -> tuple[float, float]:
        before = self.of.get(name)
        return before if before is not None and before[0] == events and took >= before[1] else (events, took)


def dark(heard: Heard, events: Mapping[str, float], processed: Mapping[str, float], began_after_flower: Mapping[str, bool]) -> str | None:
    """Why counts of tasks are not all; None where nothing contradicts. Of a worker younger than Flower all should have been heard."""
    for name, took in sorted(processed.items()):
        before = heard.of.get(name)
        since = before[1] if before is not None else 0.0 if began_after_flower.get(name) and not events.get(name) else took
        if took - since >= LEAST:
            said = f"{name} took {took - since:g} tasks, and Flower heard no event of them"
            return f"flower: {said}: are task events on (worker -E, worker_send_task_events)?"
    return None
