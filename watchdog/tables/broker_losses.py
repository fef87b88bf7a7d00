"""What a broker lost: it held messages at the look before, was restarted or flushed, and holds hardly any.

In: what is remembered, what the broker is now and holds. Out: what is remembered now.
A Redis that keeps nothing on disk, or fails over to a replica that had not caught up, comes back without its queues; FLUSHALL of somebody
who took it for another one empties it in its life. It answers as if nothing had happened, and so do the workers.
"""

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["Holdings", "holdings_after"]

LEAST = 20.0
"""Fewer may have been taken by workers meanwhile."""
SHARE = 0.5
TOLD_S = 600.0


class Holdings(Struct, frozen=True):
    """What the `broker` table remembers. `held`: messages that wait or are unacknowledged; `lost` at `lost_at` (epoch seconds).

    `run_id`: which process it is. `flushes`: how often it was flushed, if that is known. `flushed`: `lost` went by a flush.
    """

    run_id: str | None = None
    held: float | None = None
    flushes: int | None = None
    lost: float = 0.0
    lost_at: float | None = None
    flushed: bool = False

    def lost_lately(self, now: float) -> float:
        """How many went at the last time, for ten minutes from then on."""
        return self.lost if self.lost_at is not None and 0 <= now - self.lost_at <= TOLD_S else 0.0


def holdings_after(known: Holdings, run_id: str | None, held: float | None, now: float, flushes: int | None = None) -> Holdings:
    """What is remembered after a look; what could not be seen changes nothing."""
    if run_id is None or held is None:
        return known
    seen = replace(known, run_id=run_id, held=held, flushes=flushes)
    restarted = known.run_id not in (None, run_id)
    flushed = not restarted and known.flushes is not None and flushes is not None and flushes > known.flushes
    if known.held is None or not (restarted or flushed):
        return seen
    gone = known.held - held
    return replace(seen, lost=gone, lost_at=now, flushed=flushed) if gone >= LEAST and gone > SHARE * known.held else seen
