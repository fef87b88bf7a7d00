from collections.abc import Mapping
from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from watchdog.core.rules.overrides import rule_for_key, tune
from watchdog.core.rules.rule import Override, Rule

PATTERNS = st.text("ab*?", min_size=1, max_size=3)
NAMES = st.text("ab", max_size=3)
RULE = Rule("R", key=("name", "queue"), params={"a": 0.0, "b": 0.0})


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    match = draw(st.dictionaries(st.sampled_from(["name", "queue"]), st.lists(PATTERNS, min_size=1, max_size=2).map(tuple), max_size=2))
    params: dict[str, float | str | bool] = dict(
        draw(st.dictionaries(st.sampled_from(["a", "b"]), st.integers(1, 99).map(float), min_size=1, max_size=2))
    )
    return Override("R", match=match, params=params)


def fits(override: Override, key: Mapping[str, str]) -> bool:
    return all(any(fnmatchcase(key[column], p) for p in patterns) for column, patterns in override.match.items())


@given(st.lists(overrides(), max_size=5), NAMES, NAMES)
def test_for_every_key_all_that_fits_holds_in_order(given_: list[Override], name: str, queue: str) -> None:
    key = {"name": name, "queue": queue}
    expected = RULE
    for override in given_:
        if fits(override, key):
            expected = replace(expected, params={**expected.params, **override.params})
    assert rule_for_key(tune((RULE,), tuple(given_), "t")[0], key) == expected


@given(st.lists(overrides(), max_size=5), NAMES, NAMES)
def test_for_every_key_at_most_one_variant_fits(given_: list[Override], name: str, queue: str) -> None:
    variants = tune((RULE,), tuple(given_), "t")[0].variants
    assert sum(meant({"name": name, "queue": queue}) for _, meant in variants) <= 1
