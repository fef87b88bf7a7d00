"""Remedies in a scenario beside what was expected of them: each attempt needs an expectation, and each expectation an attempt."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from watchdog.core.scenarios.played import Difference, Played, Remedied
from watchdog.core.scenarios.scenario import Expected
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import key_text

__all__ = ["remedy_differences"]


def remedy_differences(played: Played) -> Iterator[Difference]:
    """Yield what is not as expected."""
    left = list(played.remedied)
    for expected in played.scenario.expects:
        if expected.remedy:
            right = next((one for one in left if _fits(played, expected, one)), None)
            if right is not None:
                left.remove(right)
            else:
                yield Difference(expected.line, expected.rule, _said(expected), _instead(played, expected), expected.at_s)
    for one in left:
        rule = one.attempt.rule
        ignored = any(fnmatchcase(rule, pattern) for pattern in played.scenario.ignore)
        if not ignored or any(expected.rule == rule for expected in played.scenario.expects):
            at = format_duration(one.at_s)
            todo = f'if it is right, add [[scenario.expect]] at = "{at}", rule = "{rule}", remedy = "{one.attempt.remedy}"'
            yield Difference(played.scenario.line, rule, "nothing more", _shown(one), one.at_s, todo)


def _fits(played: Played, expected: Expected, one: Remedied) -> bool:
    at = expected.at_s is None or played.scenario.at_look(expected.at_s) == one.at_s
    same = (expected.rule, expected.remedy) == (one.attempt.rule, one.attempt.remedy)
    return at and same and all(one.key.get(column) == value for column, value in expected.key.items())


def _said(expected: Expected) -> str:
    key = f" ({key_text(expected.key)})" if expected.key else ""
    return f"{expected.remedy} by {expected.rule}{key}"


def _instead(played: Played, expected: Expected) -> str:
    """Return what was done instead, or what the last incident says of its remedy then."""
    others = [one for one in played.remedied if one.attempt.rule == expected.rule]
    if others:
        return "it " + ", ".join(f"at {format_duration(one.at_s)}" for one in others)
    until = played.until_s if expected.at_s is None else played.scenario.at_look(expected.at_s)
    lived = [one.incident for one in played.lived if one.incident.rule == expected.rule and one.at_s <= until]
    if not lived:
        return f"no incident of {expected.rule}"
    rule = played.rule(expected.rule)
    none = "a rule without a remedy" if rule is None or rule.remedy is None else f"it {lived[-1].state}"
    return lived[-1].remedy or none


def _shown(one: Remedied) -> str:
    return f"{one.attempt.remedy} by {one.attempt.rule} on {', '.join(one.attempt.workers)}"
