"""Times as sets."""

from watchdog.core.report.report import Span
from watchdog.core.report.spans import clipped, covered, seconds_of, uncovered

WINDOW = Span(0.0, 100.0)


def test_overlapping_spans_are_one() -> None:
    assert covered([Span(20, 40), Span(0, 30), Span(50, 60)]) == [Span(0, 40), Span(50, 60)]


def test_a_span_within_another_shortens_nothing() -> None:
    assert covered([Span(0, 40), Span(10, 20)]) == [Span(0, 40)]


def test_a_short_pause_is_bridged_and_a_longer_one_is_not() -> None:
    assert covered([Span(0, 10), Span(15, 20), Span(26, 30)], bridged_s=5) == [Span(0, 20), Span(26, 30)]


def test_only_the_parts_within_the_window_are_kept() -> None:
    assert clipped([Span(-10, 10), Span(90, 110), Span(200, 300)], WINDOW) == [Span(0, 10), Span(90, 100)]


def test_what_is_not_covered_is_what_remains() -> None:
    assert uncovered([Span(10, 20), Span(50, 100)], WINDOW) == [Span(0, 10), Span(20, 50)]


def test_nothing_covers_nothing() -> None:
    assert uncovered([], WINDOW) == [WINDOW]


def test_covered_and_uncovered_together_are_the_window() -> None:
    spans = covered([Span(3, 17), Span(15, 44), Span(60, 61)])
    assert seconds_of(spans) + seconds_of(uncovered(spans, WINDOW)) == WINDOW.seconds
