"""What is said of attempts at a remedy, in the messages of their incident and in its history."""

from collections.abc import Sequence
from itertools import pairwise

from watchdog.core.incidents.remedies.attempt import BEGUN, Attempt, Helped
from watchdog.core.text.durations import format_duration

__all__ = ["attempt_text", "remedy_text"]

MOST_SHOWN = 2
"""The last attempts that are named in a message; the audit log has all."""
MOST_WORKERS = 3
DONE = "done"


def attempt_text(attempt: Attempt) -> str:
    """Return `restart-consumer of mail on celery@w1: done, and it helped (1 of at most 2 per 1h)`."""
    return f"{_what(attempt)}: {_came_of(attempt)}"


def remedy_text(attempts: Sequence[Attempt], waits_for: str) -> str:
    """Return what is said in an incident: of its last attempts (oldest first), and what the next one waits for."""
    shown = attempts[-MOST_SHOWN:]
    said = [attempt_text(one) for one in shown[:1]]
    for before, one in pairwise(shown):
        said.append(f"again: {_came_of(one)}" if _what(one) == _what(before) else attempt_text(one))
    return "; ".join([*said, waits_for] if waits_for else said)


def _what(attempt: Attempt) -> str:
    more = len(attempt.workers) - MOST_WORKERS
    workers = ", ".join(attempt.workers[:MOST_WORKERS]) + (f" and {more} more" if more > 0 else "")
    return f"{attempt.remedy} of {attempt.queue} on {workers}"


def _came_of(attempt: Attempt) -> str:
    count = f"({attempt.number} of at most {attempt.most} per {format_duration(attempt.within_s)})"
    if attempt.helped is Helped.TRIAL:
        return f"on trial, would have been done {count}"
    why = f": {attempt.text}" if attempt.text and attempt.outcome not in (DONE, BEGUN) else ""
    return f"{attempt.outcome}{'' if attempt.outcome == BEGUN else _after[attempt.helped]} {count}{why}"


_after = {
    Helped.OPEN: ", whether it helps is to be seen",
    Helped.YES: ", and it helped",
    Helped.NO: ", and it did not help",
    Helped.UNKNOWN: ", whether it helped is not known",
    Helped.TRIAL: "",
}
