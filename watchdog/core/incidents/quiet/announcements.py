"""Announcements: receivers with `tell_silences` are told of the start and the end of each silence and deploy that affects them.

Each is a row of the table `silences` of the target `watchdog`, on which the shipped rule Silenced makes an incident; so it is sent once,
and survives restarts, like everything else.

Input: silences and deploys, the open incidents, the current time. Output: rows; and for a receiver, whether one of them affects it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.matchers import Matcher, labels_of, match
from watchdog.core.incidents.quiet.silences import Silence, is_announcement
from watchdog.core.model.self_seen import SilenceSeen
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import matches

__all__ = ["Announced", "SilencesSeen", "affects"]

Announced = Silence | Deploy
SEEN_FOR_S = 3600.0
"""How long after its end a silence is still seen, so that its end can say what is left of it."""


class SilencesSeen:
    """What is seen of silences and deploys from cycle to cycle.

    What one hides is counted twice: when it is first seen, and when its end is. There may be a thousand, and ten thousand incidents.
    """

    def __init__(self) -> None:
        self._counted: Mapping[tuple[str, bool], int] = {}

    def seen(self, asked: Iterable[Announced], now: float, open_incidents: Callable[[], Sequence[Incident]]) -> tuple[SilenceSeen, ...]:
        """Return those that apply now or ended within the hour. `open_incidents`: asked for only if something is to be counted."""
        near = [(one, one.covers(now)) for one in asked if one.starts_at <= now < one.ends_at + SEEN_FOR_S]
        new = [(one, active) for one, active in near if (one.id, active) not in self._counted]
        incidents = _Open(open_incidents() if new else ())
        counted = {**self._counted, **{(one.id, active): incidents.hidden_by(one) for one, active in new}}
        self._counted = {(one.id, active): counted[one.id, active] for one, active in near}
        return tuple(_seen(one, active=active, hides=self._counted[one.id, active]) for one, active in near)


def affects(asked: Announced, min_severity: Severity, matchers: tuple[Matcher, ...]) -> bool:
    """Whether something may be hidden from a receiver of what has this severity and what these matchers select.

    No, if no severity fits both, or if one names a label that the other excludes; more cannot be known without the incidents to come.
    """
    both = (*matchers, *(asked.matchers if isinstance(asked, Silence) else ()))
    severities = [one for one in Severity if one.at_least(min_severity) and _accepted(both, "severity", one.value)]
    named = {(matcher.label, matcher.value) for matcher in both if matcher.operator == "="}
    excluded = isinstance(asked, Deploy) and any(label == "target" and not matches(value, asked.targets) for label, value in named)
    return bool(severities) and not excluded and all(_accepted(both, label, value) for label, value in named)


def _accepted(matchers: Iterable[Matcher], label: str, value: str) -> bool:
    return all(matcher.holds({label: value}) for matcher in matchers if matcher.label == label)


class _Open:
    """The open incidents, by label and value: a silence that names a value is compared with those that have it."""

    def __init__(self, incidents: Sequence[Incident]) -> None:
        self._incidents = incidents
        self._all = [labels_of(one) for one in incidents if one.open and not is_announcement(one)]
        self._by_value: dict[tuple[str, str], list[Mapping[str, str]]] = {}
        for labels in self._all:
            for item in labels.items():
                self._by_value.setdefault(item, []).append(labels)

    def hidden_by(self, asked: Announced) -> int:
        """How many it hides."""
        if isinstance(asked, Deploy):
            return sum(1 for one in self._incidents if asked.hides(one))
        named = [self._by_value.get((one.label, one.value), []) for one in asked.matchers if one.operator == "=" and one.value]
        return sum(1 for labels in min(named, key=len, default=self._all) if match(asked.matchers, labels))


def _seen(asked: Announced, *, active: bool, hides: int) -> SilenceSeen:
    if isinstance(asked, Silence):
        what, comment, version = ", ".join(map(str, asked.matchers)), asked.comment, ""
    else:
        what, comment, version = f"deploy {asked.version} of {', '.join(asked.targets)}", "", asked.version
    return SilenceSeen(asked.id, active, what, asked.starts_at, asked.ends_at, hides, comment, asked.author, version)
