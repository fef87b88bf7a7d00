"""Which kinds of failure (a task and an exception) are new, and which have returned after a long time.

Input: what was remembered, the new failures of a poll, now. Output: what to remember, and for a kind: `new`, `returned` or neither; unknown
as long as too little was watched before it. A pause in watching of an hour proves nothing of what happened in it, so that watching begins
anew: Flower lists only its last failures.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

__all__ = ["NEW", "RETURNED", "Sighting", "Sightings", "sighted"]

NEW, RETURNED, UNSURE = "new", "returned", "unsure"
NOVEL_S = 86400.0
"""How long a kind counts as new or returned; and how long failures must have been watched before it for that to be known."""
AWAY_S = 7 * 86400.0
"""A kind that was not seen for so long has returned."""
PAUSE_S = 3600.0
FORGOTTEN_S = 60 * 86400.0
MOST_KINDS = 1000


class Sighting(Struct, frozen=True, gc=False, array_like=True):
    """A kind of failure: when it last began (ever, or after a week), when its last one was (epoch seconds), and what that beginning was."""

    since: float
    last: float
    what: str = ""

    def novelty(self, now: float) -> str | None:
        """`new`, `returned`, or empty; None if too little was watched before it."""
        if now - self.since > NOVEL_S:
            return ""
        return None if self.what == UNSURE else self.what


class Sightings(Struct, frozen=True):
    """Task -> exception -> when it was seen. `watched_since`: since when failures have been watched without a long pause; None: never."""

    kinds: Mapping[str, Mapping[str, Sighting]] = field(default_factory=dict)
    watched_since: float | None = None
    looked_at: float | None = None

    def of(self, task: str, exception: str) -> Sighting | None:
        """Return what is known of one kind; None if it was never seen."""
        return self.kinds.get(task, {}).get(exception)


def sighted(before: Sightings, new: Iterable[tuple[str, str, float]], now: float) -> Sightings:
    """Add new failures: (task, exception, when) each."""
    goes_on = before.looked_at is not None and before.watched_since is not None and 0 <= now - before.looked_at <= PAUSE_S
    watched_since = before.watched_since if goes_on and before.watched_since is not None else now
    flat = {(task, exception): seen for task, of_task in before.kinds.items() for exception, seen in of_task.items()}
    for task, exception, at in sorted(new, key=lambda failure: failure[2]):
        flat[task, exception] = _seen(flat.get((task, exception)), at, watched_since)
    kept = sorted(((both, seen) for both, seen in flat.items() if now - seen.last <= FORGOTTEN_S), key=lambda entry: -entry[1].last)
    if len(kept) > MOST_KINDS:  # of a forgotten kind it is not known that it is not new
        kept, watched_since = kept[:MOST_KINDS], now
    kinds: dict[str, dict[str, Sighting]] = {}
    for (task, exception), seen in sorted(kept, key=lambda entry: entry[0]):
        kinds.setdefault(task, {})[exception] = seen
    return Sightings(kinds, watched_since, now)


def _seen(known: Sighting | None, at: float, watched_since: float) -> Sighting:
    """Return a kind after one more failure. It is known to be new if a day was watched before it, to have returned if its pause was."""
    if known is None:
        return Sighting(at, at, NEW if at - watched_since >= NOVEL_S else UNSURE)
    if at - known.last < AWAY_S:
        return Sighting(known.since, max(known.last, at), known.what)
    return Sighting(at, at, RETURNED if watched_since <= known.last else UNSURE)
