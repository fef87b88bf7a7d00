"""A page of Flower: what one GET brought back."""

from msgspec import Struct

__all__ = ["Page"]


class Page(Struct, frozen=True):
    """One HTTP answer. `cut` says why its body is not all there; `refusal`, where the status is not 200, what to do about it.

    `took_s` is how long Flower needed for it.
    """

    status: int
    body: bytes = b""
    cut: str = ""
    refusal: str = ""
    took_s: float = 0.0
