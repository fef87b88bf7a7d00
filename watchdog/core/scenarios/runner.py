"""Play scenarios: look by look, each judged and decided as a cycle of the daemon does it, with the time of the scenario.

In: the tables, the rules of each target as tuned for it, scenarios. Out: what happened in each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Judgement
from watchdog.core.judging.judge import judge_all, windows_of
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Reading, Table
from watchdog.core.model.target import Target
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.remedy import REMEDIES
from watchdog.core.scenarios.course import Course
from watchdog.core.scenarios.played import Played
from watchdog.core.scenarios.prepared import Concern, Prepared, concerns, prepared, says_enough
from watchdog.core.scenarios.recorded.playing import play_recording
from watchdog.core.scenarios.recorded.recording import Recording
from watchdog.core.scenarios.scenario import Scenario

__all__ = ["Runner"]

ROWS_TOGETHER = 2_000
"""About how many rows of all looks are asked about together."""


class Runner:
    """Plays scenarios, on the same tables in memory."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        rules_of: Callable[[str], Sequence[Tuned]],
        *,
        flapping: Flapping,
        stopwatch: Callable[[], float],
    ) -> None:
        """`rules_of` returns the rules of a target by its name, as tuned for it, with those that are switched off."""
        self._tables, self._flapping = tables, flapping
        self._rules_of, self._known_rules = rules_of, dict[tuple[str, tuple[str, ...]], tuple[Tuned, ...]]()
        self._evaluator = Evaluator(tables, stopwatch=stopwatch)

    def close(self) -> None:
        """Free the memory."""
        self._evaluator.close()

    def play_answers(self, scenario: Scenario, recording: Recording) -> Played:
        """Play a scenario of recorded answers."""
        return play_recording(scenario, recording, self._rules(scenario), self._tables, self._evaluator, self._flapping)

    def play(self, scenarios: Iterable[Scenario]) -> Iterator[Played]:
        """Play scenarios of rows one after the other, each from its first look to its last."""
        for together in self._together(scenarios):
            for one, concern in zip(together, concerns(together, self._evaluator), strict=True):
                yield self._play(one, concern)

    def _together(self, scenarios: Iterable[Scenario]) -> Iterator[list[Prepared]]:
        """Yield scenarios made ready, as many at once as have the same rules and not too many rows."""
        together: list[Prepared] = []
        rows = 0
        for scenario in scenarios:
            one = prepared(scenario, self._rules(scenario), self._tables)
            more = sum(len(reading.rows) for _, reading in one.different_readings())
            if together and (together[0].rules is not one.rules or rows + more > ROWS_TOGETHER):
                yield together
                together, rows = [], 0
            together.append(one)
            rows += more
        if together:
            yield together

    def _rules(self, scenario: Scenario) -> tuple[Tuned, ...]:
        kind = scenario.target, scenario.switched_on
        if kind not in self._known_rules:
            rules = tuple(self._rules_of(scenario.target))
            self._known_rules[kind] = tuple(_switched_on(one) if one.rule.name in scenario.switched_on else one for one in rules)
        return self._known_rules[kind]

    def _play(self, one: Prepared, concern: Concern) -> Played:
        target = Target(one.scenario.target, interval_s=one.scenario.every_s)
        course = Course(target, concern, self._evaluator, self._flapping, remedies=frozenset(REMEDIES))
        for number, readings in enumerate(one.looks):
            course.look(number * one.scenario.every_s, readings)
        unheard = one.scenario.rules - concern.covered - {lived.incident.rule for lived in course.lived}
        asked = [tuned for tuned in one.rules if tuned.rule.name in unheard and says_enough(tuned.rule, one.written)]
        without_verdict = _without_verdict(self._judged(asked, one.looks[-1]) if asked else ())
        answered = {tuned.rule.name for tuned in asked if tuned.rule.query is not None} - without_verdict.keys()
        return Played(
            one.scenario,
            one.until_s,
            tuple(course.told),
            tuple(course.lived),
            one.rules,
            one.written,
            without_verdict,
            concern.covered | answered,
            tuple(course.remedied),
        )

    def _judged(self, rules: Sequence[Tuned], readings: Mapping[str, Reading]) -> Sequence[Judgement]:
        return judge_all(self._evaluator, rules, Seen(dict.fromkeys(windows_of(rules), readings), {}, {}))


def _switched_on(tuned: Tuned) -> Tuned:
    return Tuned(replace(tuned.rule, enabled=True), tuned.variants)


def _without_verdict(judgements: Sequence[Judgement]) -> Mapping[str, str]:
    """Return rule -> why it has no verdict, at all or on some row; or why it failed."""
    reasons = {
        one.rule.name: one.failed or one.unknown or one.idle or next((finding.reason for finding in one.findings if finding.reason), "")
        for one in judgements
    }
    return {name: reason for name, reason in reasons.items() if reason}
