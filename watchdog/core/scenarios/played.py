"""What happened in a scenario, as a value: what was told, what became of incidents, what could not be judged; what is not as expected."""

from collections.abc import Mapping

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Notice
from watchdog.core.incidents.remedies.attempt import Attempt
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.core.scenarios.scenario import Scenario
from watchdog.core.text.durations import format_duration

__all__ = ["Difference", "Lived", "Played", "Remedied", "Told"]


class Told(Struct, frozen=True):
    """One notice, and when it was sent (seconds from the start), to whom, in which message."""

    at_s: float
    notice: Notice
    receiver: str = ""
    message: str = ""


class Lived(Struct, frozen=True):
    """An incident as it became at a time. `since_s`: when it came into this state."""

    at_s: float
    incident: Incident
    since_s: float


class Remedied(Struct, frozen=True):
    """One attempt at a remedy, and when it was begun. `key`: that of its incident."""

    at_s: float
    attempt: Attempt
    key: Mapping[str, str]


class Played(Struct, frozen=True):
    """What happened in a scenario, in order, until its last look."""

    scenario: Scenario
    until_s: float
    told: tuple[Told, ...]
    lived: tuple[Lived, ...]
    tuned: tuple[Tuned, ...]
    """The rules of its target."""
    written: Mapping[str, frozenset[str]]
    """Table -> the columns that the scenario says something of."""
    without_verdict: Mapping[str, str]
    """Of the rules that it is about and that have no incident, those without a verdict in the last look, at all or on some row -> why."""
    covered: frozenset[str]
    """Of the rules that must be quiet, those that had something to judge."""

    remedied: tuple[Remedied, ...] = ()

    def rule(self, name: str) -> Rule | None:
        """Return a rule of its target by its name."""
        return next((tuned.rule for tuned in self.tuned if tuned.rule.name == name), None)


class Difference(Struct, frozen=True):
    """One thing that is not as expected. `at_s`: when (None: at no time); `todo`: what to change, if that is known."""

    line: int
    rule: str
    expected: str
    found: str
    at_s: float | None = None
    todo: str = ""

    def __str__(self) -> str:
        when = "" if self.at_s is None else f"at {format_duration(self.at_s)}: "
        todo = f"; {self.todo}" if self.todo else ""
        return f"{when}expected {self.expected}, found {self.found}{todo}"
