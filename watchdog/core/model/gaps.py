"""A gap: a query without a usable answer, and why.

A gap is a value all the way from the socket to the exit code; it is never an exception, a zero or a None.
"""

from msgspec import Struct


class Gap(Struct, frozen=True):
    """No usable answer. `reason` is a sentence for people: what was asked, what came back, what to do; never a secret."""

    reason: str
