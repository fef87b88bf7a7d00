"""Messages lost by a broker: it held messages at the previous poll, was restarted or flushed, and now holds hardly any.

Input: what is remembered, the broker's identity and number of messages now. Output: what to remember. A Redis without persistence, or one
that fails over to a replica that lags behind, comes back without its queues; FLUSHALL by somebody who took it for another server empties it
while it runs. It then answers as if nothing had happened, and so do the workers.
"""

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["Holdings", "holdings_after"]

LEAST = 20.0
"""Fewer messages may have been taken by workers meanwhile."""
SHARE = 0.5
TOLD_S = 600.0


class Holdings(Struct, frozen=True):
    """The memory of the `broker` table. `held`: messages that wait or are unacknowledged; `lost` at `lost_at` (epoch seconds).

    `run_id`: which process it is. `flushes`: number of flushes, if known. `flushed`: whether `lost` was caused by a flush.
    """

    run_id: str | None = None
    held: float | None = None
    flushes: int | None = None
    lost: float = 0.0
    lost_at: float | None = None
    flushed: bool = False

    def lost_lately(self, now: float) -> float:
        """Return how many messages the last loss took, for ten minutes after it."""
        return self.lost if self.lost_at is not None and 0 <= now - self.lost_at <= TOLD_S else 0.0


def holdings_after(known: Holdings, run_id: str | None, held: float | None, now: float, flushes: int | None = None) -> Holdings:
    """Return the memory after a poll. What could not be read changes nothing."""
    if run_id is None or held is None:
        return known
    seen = replace(known, run_id=run_id, held=held, flushes=flushes)
    restarted = known.run_id not in (None, run_id)
    flushed = not restarted and known.flushes is not None and flushes is not None and flushes > known.flushes
    if known.held is None or not (restarted or flushed):
        return seen
    gone = known.held - held
    return replace(seen, lost=gone, lost_at=now, flushed=flushed) if gone >= LEAST and gone > SHARE * known.held else seen
