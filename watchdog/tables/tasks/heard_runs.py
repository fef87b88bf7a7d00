"""How long the runs took that were heard: what came since the look before, and over the window.

In: what events say (`TimingsHeard`), what is remembered, samples. Out: a sample's part, and timings by task over a window. A run is in one
sample: up to where events were read is stored together with that. Of what Flower lists, the runs that ended while events were heard are
left out: they are the same.
"""

from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Sample
from watchdog.core.model.servers.timings import Mark, TimeRuns, Timing, TimingsHeard, timings_of_all
from watchdog.core.model.target import Target
from watchdog.tables.tasks.names import NAMELESS

__all__ = ["Hearing", "Spans", "heard_spans", "question", "timings_over", "with_timings"]

Spans = tuple[tuple[float, float], ...]
"""Spans of time (epoch seconds), the last one last."""
MOST_SPANS = 20


class Hearing(Struct, frozen=True):
    """What is remembered: up to which run those that were heard are in a sample, and when events were heard."""

    mark: Mark | None = None
    spans: Spans = ()


def question(target: Target, hearing: Hearing) -> list[TimeRuns]:
    """Return the query for the runs that are in no sample yet, if this target's tasks are heard."""
    return [_question(target, hearing)] if target.hears_tasks or target.hears_beside_flower else []


def _question(target: Target, hearing: Hearing) -> TimeRuns:
    return TimeRuns(target.name, target.workers, hearing.mark)


def with_timings(sample: Sample, hearing: Hearing, replies: Replies, target: Target) -> tuple[Sample, Hearing]:
    """Return the sample with the target's runs that were heard since, and what to remember; both as they are if none can be heard."""
    heard = replies.get(_question(target, hearing), TimingsHeard)
    if isinstance(heard, Gap):
        return sample, hearing
    timings = {task or NAMELESS: timing for task, timing in heard.timings.items()}
    return replace(sample, heard_since=heard.since, timings=timings), Hearing(heard.mark, _with(hearing.spans, heard.since, heard.until))


def heard_spans(before: Hearing, now: Hearing) -> Spans:
    """Return the spans in which runs are heard. While events are, the last one goes on: what ends now is told at the next look."""
    goes_on = now.mark is not None and now.mark != before.mark
    return (*now.spans[:-1], (now.spans[-1][0], inf)) if goes_on and now.spans else now.spans


def _with(spans: Spans, since: float, until: float) -> Spans:
    """Return the spans with one more; what it touches becomes one with it."""
    earlier = tuple(span for span in spans if span[1] < since)
    begin = min([since, *(begin for begin, end in spans if since <= end <= until)])
    return (*earlier, (begin, until))[-MOST_SPANS:]


def timings_over(samples: Iterable[Sample], window_s: float) -> Mapping[str, Timing]:
    """Return task -> its runs of all these samples; one that reaches back further than the window is left out."""
    return timings_of_all(one.timings for one in samples if one.heard_since is not None and one.at - one.heard_since <= window_s)
