"""Times as sets: what several cover together, and what they leave out.

In: spans in any order, overlapping or not. Out: spans in the order of time that do not touch.
"""

from collections.abc import Iterable, Sequence

from watchdog.core.report.report import Span

__all__ = ["clipped", "covered", "seconds_of", "uncovered"]


def covered(spans: Iterable[Span], bridged_s: float = 0.0) -> list[Span]:
    """Return the time that any of these covers. What lies between two is covered, too, if it is not longer than `bridged_s`."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.since):
        if span.until <= span.since:
            continue
        if found and span.since <= found[-1].until + bridged_s:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        else:
            found.append(span)
    return found


def clipped(spans: Iterable[Span], window: Span) -> list[Span]:
    """Return the parts of these that lie within the window."""
    within = (Span(max(one.since, window.since), min(one.until, window.until)) for one in spans)
    return [one for one in within if one.until > one.since]


def uncovered(spans: Iterable[Span], window: Span, least_s: float = 0.0) -> list[Span]:
    """Return the parts of the window that none of these covers and that are longer than `least_s`."""
    found, at = [], window.since
    for span in covered(clipped(spans, window)):
        found.append(Span(at, span.since))
        at = span.until
    return [gap for gap in (*found, Span(at, window.until)) if gap.seconds > least_s]


def seconds_of(spans: Sequence[Span]) -> float:
    """Return how long these take together; they must not overlap."""
    return sum(span.seconds for span in spans)
