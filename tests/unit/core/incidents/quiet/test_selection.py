"""Many lists of matchers, asked at once, answer as each would alone."""

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.incidents.quiet.matchers import Matcher, match
from watchdog.core.incidents.quiet.selection import Selection

WORDS = st.sampled_from(["", "a", "b", "ab", "a.*", "b|a"])
LABELS = st.sampled_from(["rule", "name", "team"])
MATCHERS = st.lists(st.builds(Matcher, LABELS, st.sampled_from(["=", "!=", "=~", "!~"]), WORDS), max_size=3)


@given(st.lists(MATCHERS, max_size=6), st.lists(st.dictionaries(LABELS, WORDS), min_size=1, max_size=6))
def test_those_that_hold_are_found_in_their_order(lists: list[list[Matcher]], asked: list[dict[str, str]]) -> None:
    selection = Selection((matchers, place) for place, matchers in enumerate(lists))
    for labels in asked:
        expected = tuple(place for place, matchers in enumerate(lists) if match(matchers, labels))
        assert selection.holding(labels) == expected


def test_what_differs_only_in_labels_that_nobody_mentions_is_answered_once() -> None:
    selection = Selection([([Matcher("rule", "=~", "A.*")], 1)])
    answers = [selection.holding({"rule": "Abc", "name": f"{number}"}) for number in range(2)]
    assert answers[0] is answers[1]
