"""Looking without a daemon: one look at every target, side by side, judged, nothing sent and no database opened.

What one look saw is kept for the next one of the same run only, so that rules that compare two looks come to life.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf

from watchdog.core.judging.check_result import CheckResult, Idle, TargetChecked, check_target
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.expectations import Answer, Expectation
from watchdog.core.judging.judge import demand_of, judge_all, windows_of
from watchdog.core.model.demand import Demand
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, Seen, read_tables
from watchdog.core.model.rows import Reading, Table
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.polling.poller import Asker
from watchdog.polling.time_limit import LookDeadline, Outstanding, in_background

__all__ = ["Checker"]


class Checker:
    """Looks, again and again if asked to."""

    def __init__(  # noqa: PLR0913 - what a look is made of
        self,
        askers: Sequence[Asker],
        tables: Mapping[str, Table],
        rules: Mapping[str, tuple[Tuned, ...]],
        never_asked: tuple[Rule, ...],
        evaluator: Callable[[], Evaluator],
        clock: Callable[[], float],
        expectations: tuple[Expectation, ...] = (),
        *,
        deadline: LookDeadline | None = None,
    ) -> None:
        self._deadline = deadline
        self._askers, self._tables, self._rules, self._clock = askers, tables, rules, clock
        self._expectations = expectations
        self._never_asked = tuple(Idle(r.name, SELF, "check looks at clusters; `watchdog run` watches itself") for r in never_asked)
        self._evaluators = {asker.target.name: evaluator() for asker in askers}
        self._past = {asker.target.name: Past() for asker in askers}

    def check(self, fail_on: Severity, progress: Callable[[str], None] = lambda _: None) -> CheckResult:
        """One look at every target, all of them at once, judged once the last has answered or the time is over."""
        now = self._clock()
        if self._deadline is not None:
            self._deadline.begin()
        outstanding = Outstanding(progress)
        looks = [(asker, in_background(partial(self._looked, asker, now, outstanding), asker.target.name)) for asker in self._askers]
        checked = []
        for asker, look in looks:
            look.wait(inf)
            checked.append(self._judged(asker.target.name, look.result()))
        asked = {t.rule.name for tuned in self._rules.values() for t in tuned}
        return CheckResult(now, len(asked), tuple(checked), fail_on, self._never_asked)

    def _looked(self, asker: Asker, now: float, outstanding: Outstanding) -> Seen:
        name = asker.target.name
        demand = demand_of(self._rules[name], *(expectation.reads for expectation in self._expectations))
        try:
            return self._look(asker, now, demand, partial(outstanding.say, name))
        finally:
            outstanding.done(name)

    def _judged(self, target: str, seen: Seen) -> TargetChecked:
        judgements = judge_all(self._evaluators[target], self._rules[target], seen)
        usual = seen.windows[DEFAULT_WINDOW_S]
        configured = next(asker.target for asker in self._askers if asker.target.name == target)
        return check_target(target, judgements, usual, self._answers(target, usual), configured.app, configured.link)

    def readings(
        self, target: str, reads: Mapping[str, frozenset[str]], progress: Callable[[str], None] = lambda _: None
    ) -> tuple[Mapping[str, Reading], Evaluator]:
        """One look at one target, loaded into its evaluator, for `watchdog query`; `reads`: table -> columns that the query reads."""
        asker = next(a for a in self._askers if a.target.name == target)
        readings = self._look(asker, self._clock(), Demand(reads), progress).windows[DEFAULT_WINDOW_S]
        evaluator = self._evaluators[target]
        evaluator.load(readings)
        return readings, evaluator

    def close(self) -> None:
        """Give back the sources' sockets; a look under way asks nothing more."""
        for asker in self._askers:
            asker.stop()
            asker.close()

    def _answers(self, target: str, readings: Mapping[str, Reading]) -> list[Answer]:
        """What the look says of each expectation, in its default window."""
        evaluator = self._evaluators[target]
        if self._expectations:
            evaluator.load(readings)
        return [evaluator.answer(expectation, target) for expectation in self._expectations]

    def _look(self, asker: Asker, now: float, demand: Demand, progress: Callable[[str], None]) -> Seen:
        name = asker.target.name
        windows = windows_of(self._rules[name])
        replies = asker.ask(self._past[name], now, progress, demand=demand)
        seen = read_tables(self._tables, asker.target, self._past[name], replies, now, windows, demand=demand)
        self._past[name] = self._past[name].plus(seen, max(windows))
        return seen
