"""The message that is served next: how long it has waited, who sent it, and whether it was taken since the last poll.

Input: a queue as remembered, its lists in the order in which workers empty them, this poll's replies. Output: what to remember of the
heads, and cells. Redis stores no time of a message: without one from the publisher, in a header or by the event of its sending, a message
is as old as its stay at the head. That is a lower bound, unless its list was seen empty one poll before.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import OldestMessage
from watchdog.core.model.replies import Held, MessageHead, Replies
from watchdog.core.model.rows import Cell
from watchdog.core.model.servers.heard import SentTimes
from watchdog.tables.queues.keys import KnownQueue, Queues

__all__ = ["OF_HEAD", "Heads", "heads_due", "heads_of", "undated"]

OF_HEAD = ("oldest_s", "head_s", "stuck_s", "head_usual_s", "head_task", "head_origin")
STAYS = 5
NO_ID = "redis: the message served next has no task id"


class Heads(Struct, frozen=True, gc=False):
    """The heads of a queue's non-empty lists, in the order of service; a gap if one could not be read."""

    of_list: Mapping[str, MessageHead | Gap]

    def after(self, known: KnownQueue, now: float, before: float | None, *, empty_before: bool) -> KnownQueue:
        """Return the queue with these heads remembered. `empty_before`: at the previous poll, at `before`, it was empty."""
        if not self.of_list and not known.heads:
            return known
        kept: dict[str, tuple[str, float]] = {}
        arrived = []
        for key, head in self.of_list.items():
            old = known.heads.get(key)
            if isinstance(head, Gap):
                if old is not None:
                    kept[key] = old
            elif head.id:
                same = old is not None and old[0] == head.id
                kept[key] = old if same and old is not None else (head.id, now)
                if empty_before or (same and key in known.arrived):
                    arrived.append(key)
        return replace(known, heads=kept, arrived=tuple(arrived), stays=_stays(known, kept, before))

    def taken(self, known: KnownQueue) -> bool:
        """Whether the head of one of its lists has changed since the last poll."""
        if not known.heads:
            return False
        heads = {key: head.id for key, head in self.of_list.items() if isinstance(head, MessageHead) and head.id}
        return any(known.heads[key][0] != heads[key] for key in heads if key in known.heads)

    def cells(self, known: KnownQueue, now: float) -> tuple[dict[str, Cell], dict[str, str]]:
        """Return cells and gaps of a queue that holds messages. `oldest_s` may be in both; it is then a lower bound.

        None of either, if the queue was emptied between the question how long it is and that for its heads.
        """
        if not self.of_list:
            return {}, {}
        key, head = next(iter(self.of_list.items()))
        oldest, why = self._oldest(known, now)
        cells: dict[str, Cell] = {"oldest_s": oldest, "head_usual_s": median(known.stays) if len(known.stays) > 2 else 0.0}
        gaps = {"oldest_s": why} if why else {}
        if isinstance(head, Gap):
            gaps |= dict.fromkeys(("head_s", "head_task", "head_origin"), head.reason)
        else:
            cells |= {"head_task": head.task or "", "head_origin": head.origin or ""}
            since = known.heads.get(key)
            cells["head_s"] = None if since is None else max(now - max(since[1], head.eta_at or 0.0), 0.0)
            gaps |= {"head_s": NO_ID} if since is None else {}
        return {**cells, **{name: None for name in gaps if name != "oldest_s"}}, gaps

    def _oldest(self, known: KnownQueue, now: float) -> tuple[float | None, str]:
        ages, bound = [0.0], ""
        for key, head in self.of_list.items():
            if isinstance(head, Gap):
                return None, head.reason
            since = known.heads.get(key)
            if head.published_at is not None and isfinite(head.published_at) and head.published_at <= now:  # otherwise by a foreign clock
                ages.append(now - head.published_at)
            elif since is None:
                return None, NO_ID
            else:
                ages.append(now - since[1])
                if key not in known.arrived:
                    bound = f"its publisher gives no time; it was seen at the head for {now - since[1]:.0f}s, and may be older"
        age = max(ages)
        return (age if age or not bound else None), bound


def heads_due(lists: Mapping[str, Sequence[str]], memory: Queues, lengths: Held[int]) -> list[str]:
    """Return the lists whose next message is asked for: those that hold some, and those of a queue that was found in this poll.

    The latter at once: there may be no other round.
    """
    new = lists.keys() - memory.known.keys()
    if not new and not lengths.found:
        return []
    return [key for name, of_queue in lists.items() for key in of_queue if key in lengths.found or name in new]


def undated(replies: Replies) -> tuple[str, ...]:
    """Return the tasks at the heads that this poll found whose messages have no time."""
    found = (replies.get(query, MessageHead) for query in replies.answers if isinstance(query, OldestMessage))
    return tuple(sorted({head.id for head in found if isinstance(head, MessageHead) and head.id and head.published_at is None}))


def heads_of(lists: Sequence[str], lengths: Held[int], replies: Replies) -> Heads:
    """Return the heads of the lists that hold messages, or may; with the time at which they were sent, if that was heard."""
    held = [key for key in lists if key in lengths.found or key in lengths.gaps]
    sent = replies.once(_sent)
    found = {key: _dated(replies.get(OldestMessage(key), MessageHead), sent) for key in held}
    there = {key: head for key, head in found.items() if isinstance(head, Gap) or not head.nothing}
    return Heads({key: head for key, head in there.items() if isinstance(head, Gap) or head != MessageHead(None, None) or len(held) == 1})


def _sent(replies: Replies) -> Mapping[str, float]:
    answers = [replies.get(query, dict[str, float]) for query in replies.answers if isinstance(query, SentTimes)]
    return {task: at for answer in answers if not isinstance(answer, Gap) for task, at in answer.items()}


def _dated(head: MessageHead | Gap, sent: Mapping[str, float]) -> MessageHead | Gap:
    if isinstance(head, Gap) or head.published_at is not None:
        return head
    return replace(head, published_at=sent.get(head.id or ""))


def _stays(known: KnownQueue, kept: Mapping[str, tuple[str, float]], before: float | None) -> tuple[float, ...]:
    """Return how long the last messages stayed at a head, as far as they were watched."""
    gone = [since for key, (task, since) in known.heads.items() if kept.get(key, ("", 0.0))[0] != task]
    return (*known.stays, *(max((before or since) - since, 0.0) for since in gone))[-STAYS:]
