"""Detect tasks that fail more often than they should, from evidence kept from poll to poll, not from a bare ratio.

Input: the evidence so far, and how many runs of a task failed and succeeded since. Output: the evidence now.
A ratio over a window cannot both stay quiet for a month and see a change within minutes (docs/rules.md has the figures). So the runs are
summed with E. S. Page's cumulative sum (Continuous inspection schemes, 1954): each run adds the logarithm of how much likelier it is if the
task fails several times as often as usual; below 0 the sum restarts. It detects a change about as soon as any method can. The same sum with
the sides exchanged detects the end. The interval is Wilson's (1927), over the runs since the evidence began: it is valid for few runs and
for ratios near 0 and 1, where the normal approximation is not.
"""

from math import exp, log, sqrt

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["USUAL", "Evidence", "interval", "weighed"]

USUAL = 0.05
"""The failure rate that is not reported, if a task's own usual rate is unknown or lower."""
OVER = log(10_000.0)
"""Log of how much likelier a usual failure rate must be before a proven higher rate counts as over: 54 successes in a row.

At 100, a task that steadily fails in 20 % of its runs has such a row by chance 10 times a day, and each opens a new incident. If the proven
rate was lower, it takes more, 120 in a row at 12 %: a row without failures is weaker evidence then.
"""
OVER_AT_MOST = OVER + 5.0
"""Upper limit, so that the few usual failures do not undo the end at once."""
LEAST_APART = 2.4
"""A task is assumed to fail at least this many times as often as usual: smaller differences cannot be distinguished in time."""
LARGEST = log(1e12)
OFTEN, UNBROKEN = 0.1, 5.0
Z_95 = 1.96

Sum = tuple[float, float, float]
"""A sum (in nats), and the failed and finished runs since it began."""


class Evidence(Struct, frozen=True):
    """The evidence of a task's runs. `sums`: for failing somewhat and much more often than usual; `over`: for failing as usual again."""

    sums: tuple[Sum, Sum] = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    over: float = 0.0
    failed_in_a_row: float = 0.0
    """Failed runs since the last success, in whole polls."""
    has_succeeded: bool = False
    proved: tuple[float, float] = (0.0, 0.0)
    """(failed, finished) when the higher rate was last proven, until it is over."""

    @property
    def over_odds(self) -> float:
        """How many times likelier its runs are if it fails as usual again."""
        return exp(self.over)

    @property
    def odds(self) -> float:
        """How many times likelier its runs are if it fails more often than usual; 1: no evidence."""
        return exp(max(score for score, _, _ in self.sums))

    @property
    def runs(self) -> tuple[float, float]:
        """(failed, finished) since the strongest evidence began; if that restarted, those of what was proven and is not over."""
        score, failed, finished = max(self.sums)
        return (failed, finished) if score >= OVER or not self.proved[1] else self.proved

    @property
    def suspected(self) -> bool:
        """Whether the task as a whole is reported, or soon will be.

        There is strong evidence for over one failure in ten runs, or it never succeeded.
        """
        failed, finished = self.runs
        unbroken = self.failed_in_a_row >= UNBROKEN and not self.has_succeeded
        return unbroken or (max(self.sums)[0] >= OVER and failed > OFTEN * finished)


def weighed(known: Evidence, failed: float, finished: float, usual: float = USUAL) -> Evidence:
    """Return the evidence with these runs added. `usual`: how often the task usually fails."""
    succeeded = finished - failed
    usual = min(max(usual, USUAL), 0.9)
    rates = min(4 * usual, (1 + usual) / 2), min(10 * usual, (1 + usual) / 2)
    proved = interval(*known.proved)[0] if known.proved[1] else 1.0
    again = _weights(usual, min(max(proved, LEAST_APART * usual), rates[0]))
    over = min(max(known.over - failed * again[0] - succeeded * again[1], 0.0), OVER_AT_MOST)
    in_a_row = 0.0 if succeeded else known.failed_in_a_row + failed
    now = replace(known, over=over, failed_in_a_row=in_a_row, has_succeeded=known.has_succeeded or succeeded > 0)
    if known.proved[1] and over >= OVER:
        return replace(now, sums=Evidence().sums, proved=Evidence().proved)
    somewhat, much = (_weights(usual, rate) for rate in rates)
    now = replace(now, sums=(_added(known.sums[0], somewhat, failed, succeeded), _added(known.sums[1], much, failed, succeeded)))
    return replace(now, proved=now.runs) if max(now.sums)[0] >= OVER else now


def _weights(usual: float, more: float) -> tuple[float, float]:
    """Return what a failure and what a success adds."""
    return log(more / usual), log((1 - more) / (1 - usual))


def _added(known: Sum, weights: tuple[float, float], failed: float, succeeded: float) -> Sum:
    score, before, finished = known
    score += failed * weights[0] + succeeded * weights[1]
    return (min(score, LARGEST), before + failed, finished + failed + succeeded) if score > 0 else (0.0, 0.0, 0.0)


def interval(failed: float, finished: float, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a ratio: the bounds of the true one; 0 to 1 without any runs."""
    if finished <= 0:
        return 0.0, 1.0
    share, square = min(failed / finished, 1.0), z * z
    middle = share + square / (2 * finished)
    half = z * sqrt(share * (1 - share) / finished + square / (4 * finished * finished))
    whole = 1 + square / finished
    return max((middle - half) / whole, 0.0), min((middle + half) / whole, 1.0)
