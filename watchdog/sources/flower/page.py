"""A page of Flower: the result of one GET."""

from msgspec import Struct

__all__ = ["Page"]


class Page(Struct, frozen=True):
    """One HTTP answer. `cut` says why the body is incomplete; `refusal`, if the status is not 200, says what to do about it.

    `needs_login`: it is the answer to somebody who has not logged in, or whose token is refused.
    `took_s` is how long Flower needed for it.
    """

    status: int
    body: bytes = b""
    cut: str = ""
    refusal: str = ""
    needs_login: bool = False
    took_s: float = 0.0
