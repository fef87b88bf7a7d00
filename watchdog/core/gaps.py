"""A gap: a question without a usable answer, and why.

A gap is a value that travels from the socket to the exit code; it is never an exception, a zero or a None.
"""

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gap:
    """No usable answer. `reason` is a sentence for a human: what was asked, what came back, what to do; never a secret."""

    reason: str


def unless_gap(answer: T | Gap, default: T) -> T:
    """The answer, or `default` where there is none: for uses that a gap may not sway."""
    return default if isinstance(answer, Gap) else answer
