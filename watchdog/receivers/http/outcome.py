"""What an HTTP answer means for a message: delivered, retry later, or refused for good.

In: an answer, and the time. Out: an `Outcome` with its reason. A receiver whose server has its own error codes checks these first
(`slack`).
"""

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from msgspec import Struct

from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused

__all__ = ["HttpAnswer", "Sorting", "confirmed", "outcome_of"]

_TRY_AGAIN = (408, 425, 429)
_NEVER_ARRIVED = (425, 429)


class HttpAnswer(Struct, frozen=True):
    """A server's answer, for a receiver to interpret."""

    answered: str
    """Server and status, for a reason: `https://example.com answered 404`."""
    status: int
    said: str
    """The first line of its body: sanitized, short, without secrets."""
    text: str
    """The beginning of its body as received (4 KiB); never for a reason."""
    unsecret: str
    """The same without secrets: its parts may stand in a reason once they are sanitized (`one_line`)."""
    whole: bool
    """Whether the body was received completely in time (or up to the limit)."""
    retry_after: str | None


Sorting = Callable[[HttpAnswer, float], Outcome]


def outcome_of(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret an answer by its status alone; `now` (epoch seconds) is for a Retry-After that is a date."""
    status, reason = answer.status, f"{answer.answered}: {answer.said}" if answer.said else answer.answered
    if 200 <= status < 300:
        return Delivered(f"{status}")
    if status in _TRY_AGAIN or status >= 500:
        return Later(reason, retry_after_s=_retry_after_s(answer.retry_after, now), never_arrived=status in _NEVER_ARRIVED)
    if 300 <= status < 400:
        return Refused(f"{answer.answered}, a redirect, which is not followed; set `url` to where it leads")
    if status == HTTPStatus.GONE:
        return Refused(f"{reason}, gone for good; set `url` to where it is now", gone=True)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refused(f"{reason}, too large; let its server take bodies of 64 KiB", too_large=True)
    return Refused(f"{reason}; check `url` and what the receiver expects")


def confirmed(answer: HttpAnswer, by_status: Outcome, *, worked: bool, expected: str) -> Outcome:
    """The outcome by status, where a service confirms what it takes: a 2xx that does not (`worked`) may come from a login page or a proxy.

    `expected`: the confirmation, and what to check.
    """
    if not isinstance(by_status, Delivered) or worked or answer.status == HTTPStatus.NO_CONTENT:
        return by_status
    if not answer.whole:
        return Later(f"{answer.answered}, but the rest of its answer did not come in time")
    return Refused(f"{answer.answered}: {answer.said or 'nothing'}; expected {expected}")


def _retry_after_s(header: str | None, now: float) -> float | None:
    """Seconds, from a number or an HTTP date; None if it is neither."""
    if header is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header.strip(), re.ASCII):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now, 0.0)
