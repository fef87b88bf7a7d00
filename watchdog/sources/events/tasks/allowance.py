"""What hearing of tasks may cost: whether their events are taken, by what they have cost so far.

In: how much CPU the listener has used, how many events it has read, and when. Out: when to let the events of tasks go, and when to take
them again. Above the allowed share of a core over a minute they are let go. After a pause they are heard for some seconds, to see what they
would cost: at half of that share or less they are taken again, otherwise the next pause is twice as long. Pure: time and CPU are arguments.
"""

from enum import Enum
from math import inf

from msgspec import Struct

__all__ = ["Allowance", "Spent", "Turn"]

MEASURED_S = 60.0
TRIAL_S = 10.0
BACK_AT = 0.5
"""Which part of the allowed share they may cost to be taken again: at the very limit they would come and go."""
PAUSE_S = 120.0
"""Shorter than five minutes, after which a lasting gap is told of (the rule Blind): a short flood is over by then."""
LONGEST_PAUSE_S = 3600.0


class Turn(Enum):
    """What is to be done now."""

    GO_ON = "go on"
    LET_GO = "let go"
    TRY = "try"
    TAKE = "take"


class Spent(Struct, frozen=True):
    """So far: CPU seconds of the listener, the events of tasks that it read, and those of workers. `at`: when, by any steady clock."""

    at: float
    cpu_s: float
    tasks: int
    workers: int


class Allowance:
    """Of one listener. `share`: the part of a core that the events of tasks may cost; infinite: any."""

    def __init__(self, share: float = inf) -> None:
        self._share = share
        self._before: Spent | None = None
        self._pause_s, self._paused_at, self._taken_at = PAUSE_S, 0.0, -inf
        self.subscribed = True
        """Whether they are heard now, if only to see what they cost."""
        self.why_not = ""
        """Why they are not taken; empty if they are."""

    def turn(self, spent: Spent) -> Turn:
        """Return what is to be done, and take it as done."""
        before = self._before = self._before or spent
        if self._share == inf:
            return Turn.GO_ON
        if not self.subscribed:
            return self._tries(spent)
        if spent.at - before.at < (TRIAL_S if self.why_not else MEASURED_S):
            return Turn.GO_ON
        self._before = spent
        cost = _share_of_tasks(before, spent)
        if self.why_not:
            return self._takes(spent) if cost <= self._share * BACK_AT else self._lets_go(spent, self._pause_s * 2)
        if cost <= self._share:
            return Turn.GO_ON
        self.why_not = _sentence(cost, self._share, (spent.tasks - before.tasks) / (spent.at - before.at))
        return self._lets_go(spent, PAUSE_S if spent.at - self._taken_at > LONGEST_PAUSE_S else self._pause_s * 2)

    def _tries(self, spent: Spent) -> Turn:
        if spent.at - self._paused_at < self._pause_s:
            return Turn.GO_ON
        self._before, self.subscribed = spent, True
        return Turn.TRY

    def _takes(self, spent: Spent) -> Turn:
        self.why_not, self._taken_at = "", spent.at
        return Turn.TAKE

    def _lets_go(self, spent: Spent, pause_s: float) -> Turn:
        self.subscribed, self._paused_at, self._pause_s = False, spent.at, min(pause_s, LONGEST_PAUSE_S)
        return Turn.LET_GO


def _share_of_tasks(before: Spent, now: Spent) -> float:
    """Return the part of a core that the events of tasks cost: one costs what any event does (measured: 6 µs, a heartbeat up to 10)."""
    tasks, workers = now.tasks - before.tasks, now.workers - before.workers
    return (now.cpu_s - before.cpu_s) / (now.at - before.at) * tasks / (tasks + workers) if tasks else 0.0


def _sentence(cost: float, share: float, per_s: float) -> str:
    return (
        f"those of tasks cost {cost:.1%} of a core ({per_s:,.0f} a second), more than the {share:.0%} that they may: they are not heard "
        'until they cost half of that; events = "all" takes them at any cost'
    )
