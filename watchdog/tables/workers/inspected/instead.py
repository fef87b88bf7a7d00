"""The known workers after one poll, also where Flower says nothing: then by what they said themselves, and by what was heard of them.

Input: a look, what was remembered. Output: the replies from which everything else about workers is concluded, the known workers, a note for
people, and which columns nobody can say. Events come first as evidence of life (`evidence`), then an answer of the worker, then Flower.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import HearWorkers, WorkerStatus
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Look
from watchdog.core.model.target import Target
from watchdog.tables.workers.evidence import own_events
from watchdog.tables.workers.inspected.directly import (
    NEEDS_BEATS,
    as_flower_would,
    asked_all,
    is_needed,
    refusal,
    unanswered,
    was_asked,
    why_not_asked,
)
from watchdog.tables.workers.memory import KnownWorkers
from watchdog.tables.workers.presence import FlowerPresence
from watchdog.tables.workers.rows import FROM_INSPECTION
from watchdog.tables.workers.states import look_again

__all__ = ["BY_FLOWER", "NOT_ASKED", "Told", "told"]

NOT_ASKED = "needs `flower` or `celery`, and this target has neither"
NO_HOLDINGS = "needs a second look: who holds more than usual is asked once that is known"
BY_FLOWER = (*FROM_INSPECTION, "hoarded", "unserved", "served")
"""What no event says."""


class Told(Struct, frozen=True):
    """What one poll shows. `directly`: whether the workers spoke in Flower's place; `denied`: why they could not be asked something."""

    replies: Replies
    known_workers: KnownWorkers
    directly: bool = False
    note: str = ""
    denied: str = ""
    idle: Mapping[str, str] = field(default_factory=dict)


def told(look: Look, before: KnownWorkers) -> Told:
    """Return what this poll shows of the workers."""
    replies, target, there = look.replies, look.target, "flower" in look.target.sources
    flower, denied = replies.get(WorkerStatus(), dict[str, bool]), refusal(replies)
    unheard = {} if target.hears_tasks else {"abandoned": target.without_tasks}
    if not isinstance(flower, Gap) or not is_needed(target, replies, before):
        idle = {} if there else dict.fromkeys(BY_FLOWER, NOT_ASKED) | unheard
        return Told(replies, look_again(before, target, replies, look.now), denied=denied, idle=idle)
    why = why_not_asked(replies, target)
    if why:
        replies = replies.plus([(WorkerStatus(), Gap(f"{flower.reason}; {why}" if there else why))])
        known = any(worker.inspection is not None for worker in before.known.values())  # then it counts until it is old
        idle = {} if there else unheard | ({} if known or not denied else dict.fromkeys(BY_FLOWER, denied))
        return Told(replies, look_again(before, target, replies, look.now), denied=denied, idle=idle)
    replies = as_flower_would(replies, target, before, look.now)
    note = f"workers were asked directly: {flower.reason}" if there else "workers were asked directly"
    idle = dict.fromkeys(_beatless(replies, target), note if there else target.without_flower("workers"))
    idle |= dict.fromkeys(unheard, note) if there else unheard
    idle |= {"hoarded": NO_HOLDINGS} if was_asked(replies) and not before.known else {}
    return Told(replies, _known_directly(look, replies, before), directly=True, note=note, denied=denied, idle=idle)


def _beatless(replies: Replies, target: Target) -> Iterable[str]:
    """Return the columns that need heartbeats, if none are heard; none as long as that is still to be seen."""
    asked = any(isinstance(query, HearWorkers) for query in replies.answers)
    return () if own_events(replies, target) is not None or ("events" in target.sources and not asked) else NEEDS_BEATS


def _known_directly(look: Look, replies: Replies, before: KnownWorkers) -> KnownWorkers:
    """Return the known workers where they spoke in Flower's place: it counts as down."""
    known_workers = look_again(replace(before, flower=FlowerPresence()), look.target, replies, look.now)
    silent = unanswered(before, known_workers, replies, look.target, look.now)
    refreshed_at = asked_all(replies, known_workers, look.now) or before.refreshed_at
    return replace(known_workers, flower=replace(before.flower, down=True), unanswered=silent, refreshed_at=refreshed_at)
