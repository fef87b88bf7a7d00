"""What happened in a scenario beside what was expected: the differences, each with its line and what to do.

Every expectation takes the message that fits it best, and no message fits two. What no expectation takes is unexpected.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.messages import Event, Notice
from watchdog.core.scenarios.played import Difference, Lived, Played, Told
from watchdog.core.scenarios.reading.entry import NO_INCIDENT
from watchdog.core.scenarios.reasons import held_back, why_not_judged, why_not_told
from watchdog.core.scenarios.remedied import remedy_differences
from watchdog.core.scenarios.scenario import Expected
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import key_text

__all__ = ["Difference", "differences"]


def differences(played: Played) -> tuple[Difference, ...]:
    """Return everything that is not as expected, by line."""
    left = list(played.told)
    found: list[Difference] = []
    found += _messages(played, [one for one in played.scenario.expects if one.message], left)
    found += (difference for one in played.scenario.expects if one.state for difference in _state(played, one))
    found += remedy_differences(played)
    found += _quiet(played)
    found += _unexpected_messages(played, left)
    found += _unexpected_incidents(played)
    return tuple(sorted(found, key=lambda one: one.line))


# --- messages -----------------------------------------------------------------------------------------------------------


def _messages(played: Played, expects: Sequence[Expected], left: list[Told]) -> Iterator[Difference]:
    """Yield what is wrong with expected messages. Those that are taken are removed from `left`."""
    missed = []
    for expected in expects:  # first all that are right, so that no wrong one takes their message
        right = next((told for told in left if _is_about(expected, told.notice) and not _wrong(played, expected, told)), None)
        if right is None:
            missed.append(expected)
        else:
            left.remove(right)
    for expected in missed:
        near = min(
            (told for told in left if _is_about(expected, told.notice)),
            key=lambda told: abs(told.at_s - (expected.at_s or 0.0)),
            default=None,
        )
        if near is None:
            instead, todo = why_not_told(played, expected)
            yield Difference(expected.line, expected.rule, _said(expected), instead, expected.at_s, todo)
        else:
            left.remove(near)
            for what, instead, todo in _wrong(played, expected, near):
                yield Difference(expected.line, expected.rule, what, instead, near.at_s, todo)


def _is_about(expected: Expected, notice: Notice) -> bool:
    return (notice.rule, notice.event) == (expected.rule, expected.message) and fits(expected.key, notice.key)


def fits(selected: Mapping[str, str], key: Mapping[str, str]) -> bool:
    """Whether a key has these values."""
    return all(key.get(column) == value for column, value in selected.items())


def _wrong(played: Played, expected: Expected, told: Told) -> list[tuple[str, str, str]]:
    """Return (expected, found, what to do) for everything that is wrong with a message."""
    wrong = []
    notice = told.notice
    if expected.at_s is not None and played.scenario.at_look(expected.at_s) != told.at_s:
        at = format_duration(told.at_s)
        wrong.append(
            (f"{_said(expected)} at {format_duration(expected.at_s)}", f"it at {at}", f'write at = "{at}", or look at the rule\'s `for`')
        )
    if expected.severity is not None and expected.severity is not notice.severity:
        wrong.append(
            (f"severity {expected.severity}", f"{notice.severity}", f'write severity = "{notice.severity}", or look at `escalate`')
        )
    text = "\n".join((notice.summary, notice.description, notice.runbook))
    wrong += [(f'a text with "{part}"', f'"{notice.summary}"', "") for part in expected.text if part not in text]
    for label, value in expected.labels.items():
        if notice.labels.get(label) != value:
            wrong.append((f'the label {label} = "{value}"', f'"{notice.labels[label]}"' if label in notice.labels else "no such label", ""))
    return wrong


def _said(expected: Expected) -> str:
    """Return `the message "first" of QueueBacklogHigh (name=indexing)`."""
    key = f" ({key_text(expected.key)})" if expected.key else ""
    return f'the message "{expected.message}" of {expected.rule}{key}'


# --- states -------------------------------------------------------------------------------------------------------------


def _state(played: Played, expected: Expected) -> Iterator[Difference]:
    at_s = played.scenario.at_look(expected.at_s or 0.0)
    now = _incidents_at(played, expected, at_s)
    open_now = [one for one in now if one.incident.open]
    what = f"{expected.rule}{f' ({key_text(expected.key)})' if expected.key else ''} to be {expected.state}"
    if expected.state == NO_INCIDENT:
        if open_now:
            yield Difference(expected.line, expected.rule, f"no open incident of {expected.rule}", _shown(open_now[-1]), at_s)
        return
    in_state = [one for one in now if one.incident.state.value == expected.state]
    if not in_state:
        instead, todo = (_shown(now[-1]), "") if now else why_not_judged(played, expected)
        yield Difference(expected.line, expected.rule, what, instead, at_s, todo)
        return
    incident = in_state[-1].incident
    if expected.severity is not None and incident.severity is not expected.severity:
        yield Difference(expected.line, expected.rule, f"severity {expected.severity}", f"{incident.severity}", at_s)
    for label, value in expected.labels.items():
        if incident.labels.get(label) != value:
            there = f'"{incident.labels[label]}"' if label in incident.labels else "no such label"
            yield Difference(expected.line, expected.rule, f'the label {label} = "{value}"', there, at_s)


def _incidents_at(played: Played, expected: Expected, at_s: float) -> list[Lived]:
    """Return the incidents that the expectation is about, as they were at a time, the newest last."""
    latest: dict[str, Lived] = {}
    for lived in played.lived:
        if lived.at_s <= at_s and lived.incident.rule == expected.rule and fits(expected.key, lived.incident.key):
            latest[lived.incident.id] = lived
    return list(latest.values())


def _shown(lived: Lived) -> str:
    incident = lived.incident
    key = f" ({key_text(incident.key)})" if incident.key else ""
    return f"{incident.rule}{key} {incident.state} since {format_duration(lived.since_s)}"


# --- what nobody expected -----------------------------------------------------------------------------------------------


def _quiet(played: Played) -> Iterator[Difference]:
    """Yield rules that should be quiet, and either fired or had nothing to be quiet about."""
    for rule, line in played.scenario.quiet.items():
        told = next((told for told in played.told if told.notice.rule == rule), None)
        if told is not None:
            yield Difference(line, rule, f"{rule} to be quiet", _message(told.notice), told.at_s)
        elif rule not in played.covered:
            instead, todo = why_not_judged(played, Expected(line, rule))
            yield Difference(line, rule, f"{rule} to judge a row", instead, None, todo)


def _unexpected_messages(played: Played, left: Sequence[Told]) -> Iterator[Difference]:
    for told in left:
        if told.notice.rule not in played.scenario.quiet and not _ignored(played, told.notice.rule):
            yield Difference(
                played.scenario.line,
                told.notice.rule,
                "nothing more",
                _message(told.notice),
                told.at_s,
                f"if it is right, add {_as_toml(told)}",
            )


def _unexpected_incidents(played: Played) -> Iterator[Difference]:
    """Yield incidents that fire and were never told, because another explains them, if nothing expects them."""
    told = {one.notice.incident for one in played.told}
    seen: set[str] = set()
    for lived in played.lived:
        incident = lived.incident
        expected = any(one.rule == incident.rule and fits(one.key, incident.key) for one in played.scenario.expects)
        if incident.state is State.FIRING and incident.id not in told | seen and not expected and not _ignored(played, incident.rule):
            seen.add(incident.id)
            todo = (
                f'if it is right, add [[scenario.expect]] at = "{format_duration(lived.at_s)}", rule = "{incident.rule}", state = "firing"'
            )
            yield Difference(
                played.scenario.line, incident.rule, "nothing more", f"{_shown(lived)}, {held_back(played, lived)}", lived.at_s, todo
            )


def _ignored(played: Played, rule: str) -> bool:
    """Whether what a rule does is not looked at: it is ignored, and nothing is expected of it."""
    return any(fnmatchcase(rule, pattern) for pattern in played.scenario.ignore) and all(
        one.rule != rule for one in played.scenario.expects
    )


def _message(notice: Notice) -> str:
    key = f" ({key_text(notice.key)})" if notice.key else ""
    return f'the message "{notice.event}" of {notice.rule}{key}, {notice.severity}: {notice.summary}'


def _as_toml(told: Told) -> str:
    event = "" if told.notice.event is Event.FIRST else f', message = "{told.notice.event}"'
    return f'[[scenario.expect]] at = "{format_duration(told.at_s)}", rule = "{told.notice.rule}"{event}'
