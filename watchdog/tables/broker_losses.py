"""What a broker lost when it restarted: it held messages at the look before, is another process now, and holds hardly any.

In: what is remembered, which process answers and how many messages it holds, now. Out: what is remembered now.
A Redis that keeps nothing on disk, or fails over to a replica that had not caught up, comes back without its queues; it answers as if
nothing had happened, and so do the workers.
"""

from dataclasses import dataclass, replace

__all__ = ["Holdings", "holdings_after"]

LEAST = 20.0
"""Fewer may have been taken by workers meanwhile."""
SHARE = 0.5
TOLD_S = 600.0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the `broker` table remembers. `held`: messages that wait or are unacknowledged; `lost` at `lost_at` (epoch seconds)."""

    run_id: str | None = None
    held: float | None = None
    lost: float = 0.0
    lost_at: float | None = None

    def lost_lately(self, now: float) -> float:
        """How many went with the last restart, for ten minutes from then on."""
        return self.lost if self.lost_at is not None and 0 <= now - self.lost_at <= TOLD_S else 0.0


def holdings_after(known: Holdings, run_id: str | None, held: float | None, now: float) -> Holdings:
    """What is remembered after a look; what could not be seen changes nothing."""
    if run_id is None or held is None:
        return known
    seen = replace(known, run_id=run_id, held=held)
    if known.run_id in (None, run_id) or known.held is None:
        return seen
    gone = known.held - held
    return replace(seen, lost=gone, lost_at=now) if gone >= LEAST and gone > SHARE * known.held else seen
