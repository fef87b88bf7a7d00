"""A page of Flower: what one GET brought back."""

from dataclasses import dataclass

__all__ = ["Page"]


@dataclass(frozen=True, slots=True)
class Page:
    """One HTTP answer. `cut` says why its body is not all there; `refusal`, where the status is not 200, what to do about it.

    `took_s` is how long Flower needed for it.
    """

    status: int
    body: bytes = b""
    cut: str = ""
    refusal: str = ""
    took_s: float = 0.0
