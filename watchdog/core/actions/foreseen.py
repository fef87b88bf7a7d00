"""What can be said of an action before it is done, as a value."""

from msgspec import Struct

__all__ = ["Foreseen"]


class Foreseen(Struct, frozen=True):
    """`touches`: sentences about what changes; `notes`: what has no effect, or not the one expected; `faults`: why nothing can be done.

    `workers`: whom to tell, by name.
    """

    touches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
