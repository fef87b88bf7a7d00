"""Polling without a daemon: one concurrent poll of all targets, judged; nothing is sent and no database is opened.

What a poll saw is kept only for the next polls of the same run, so that rules that compare two polls work.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf

from msgspec import Struct

from watchdog.core.judging.check_result import CheckResult, Idle, TargetChecked, check_target
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.expectations import Answer, Expectation
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.judging.judge import OpenKeys, demand_of, judge_all, windows_of
from watchdog.core.judging.parts import RowLook
from watchdog.core.model.demand import Demand
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, Seen, read_tables
from watchdog.core.model.rows import Key, Reading, Table
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.net.background import in_background
from watchdog.polling.poller import Poller
from watchdog.polling.time_limit import Outstanding, PollDeadline

__all__ = ["Checker", "Looked"]

MOST_EXPLAINED = 20
"""Most rows whose conditions are taken apart: those in breach first."""


class Looked(Struct, frozen=True):
    """One rule on one target now: why it has no verdict at all, or its rows, those in breach first. The first of them have their parts."""

    judgement: Judgement
    rows: tuple[RowLook, ...] = ()


class Checker:
    """Polls all targets, as often as it is called."""

    def __init__(  # noqa: PLR0913 - the parts of a poll
        self,
        pollers: Sequence[Poller],
        tables: Mapping[str, Table],
        rules: Mapping[str, tuple[Tuned, ...]],
        never_asked: tuple[Rule, ...],
        evaluator: Callable[[], Evaluator],
        clock: Callable[[], float],
        expectations: tuple[Expectation, ...] = (),
        *,
        deadline: PollDeadline | None = None,
    ) -> None:
        self._deadline = deadline
        self._pollers, self._tables, self._rules, self._clock = pollers, tables, rules, clock
        self._expectations = expectations
        self._never_asked = tuple(Idle(r.name, SELF, "check is about clusters; only `watchdog run` monitors itself") for r in never_asked)
        self._evaluators = {poller.target.name: evaluator() for poller in pollers}
        self._past = {poller.target.name: Past() for poller in pollers}

    def check(self, fail_on: Severity, progress: Callable[[str], None] = lambda _: None) -> CheckResult:
        """Poll all targets at once; judge once the last has answered or the time is over."""
        now = self._clock()
        if self._deadline is not None:
            self._deadline.begin()
        outstanding = Outstanding(progress)
        looks = [(poller, in_background(partial(self._looked, poller, now, outstanding), poller.target.name)) for poller in self._pollers]
        checked = []
        for poller, look in looks:
            look.wait(inf)
            checked.append(self._judged(poller.target.name, look.result()))
        asked = {t.rule.name for tuned in self._rules.values() for t in tuned}
        return CheckResult(now, len(asked), tuple(checked), fail_on, self._never_asked)

    def _looked(self, poller: Poller, now: float, outstanding: Outstanding) -> Seen:
        name = poller.target.name
        demand = demand_of(self._rules[name], *(expectation.reads for expectation in self._expectations))
        try:
            return self._look(poller, now, demand, partial(outstanding.say, name))
        finally:
            outstanding.done(name)

    def _judged(self, target: str, seen: Seen) -> TargetChecked:
        judgements = judge_all(self._evaluators[target], self._rules[target], seen)
        usual = seen.windows[DEFAULT_WINDOW_S]
        configured = next(poller.target for poller in self._pollers if poller.target.name == target)
        return check_target(
            target, judgements, usual, self._answers(target, usual), configured.app, configured.link, trial=configured.trial
        )

    def readings(
        self, target: str, reads: Mapping[str, frozenset[str]], progress: Callable[[str], None] = lambda _: None
    ) -> tuple[Mapping[str, Reading], Evaluator]:
        """One poll of one target, loaded into its evaluator, for `watchdog query`; `reads`: table -> columns that the query reads."""
        poller = next(a for a in self._pollers if a.target.name == target)
        readings = self._look(poller, self._clock(), Demand(reads), progress).windows[DEFAULT_WINDOW_S]
        evaluator = self._evaluators[target]
        evaluator.load(readings)
        return readings, evaluator

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets that it polls."""
        return tuple(poller.target.name for poller in self._pollers)

    def look_at(
        self,
        target: str,
        rule: str,
        past: Past,
        open_keys: OpenKeys,
        wanted: Callable[[Rule, Key], bool],
        progress: Callable[[str], None] = lambda _: None,
    ) -> Looked:
        """One poll of one target, judged by one rule on every row that is `wanted`. `past`: what a daemon remembers of the target."""
        poller = next(a for a in self._pollers if a.target.name == target)
        tuned = next(one for one in self._rules[target] if one.rule.name == rule)
        demand, windows, now = demand_of([tuned]), windows_of([tuned]), self._clock()
        replies = poller.ask(past, now, progress, demand=demand)
        seen = read_tables(self._tables, poller.target, past, replies, now, windows, demand=demand)
        evaluator = self._evaluators[target]
        (judgement,) = judge_all(evaluator, [tuned], seen, lambda one: {**_every_key(one, seen), **open_keys(one)})
        found = [one for one in judgement.findings if wanted(one.rule, one.key)]
        found.sort(key=lambda one: _MOST_URGENT_FIRST.index(one.verdict))
        rows = [RowLook(one) for one in found]
        for window_s in sorted({one.rule.window_s for one in found[:MOST_EXPLAINED]}):
            evaluator.load(seen.windows[window_s], tuned.copies)
            evaluator.judge(tuned.rule, tuned.variants, {})  # loads the rows into SQLite
            for nth, one in enumerate(found[:MOST_EXPLAINED]):
                if one.rule.window_s == window_s:
                    rows[nth] = RowLook(one, evaluator.parts(one.rule, one.key))
        return Looked(judgement, tuple(rows))

    def close(self) -> None:
        """Close the sources' sockets, and free what judging took; a running poll asks nothing more."""
        for poller in self._pollers:
            poller.stop()
            poller.close()
        for evaluator in self._evaluators.values():
            evaluator.close()

    def _answers(self, target: str, readings: Mapping[str, Reading]) -> list[Answer]:
        """The answer to each expectation, in its default window."""
        evaluator = self._evaluators[target]
        if self._expectations:
            evaluator.load(readings)
        return [evaluator.answer(expectation, target) for expectation in self._expectations]

    def _look(self, poller: Poller, now: float, demand: Demand, progress: Callable[[str], None]) -> Seen:
        name = poller.target.name
        windows = windows_of(self._rules[name])
        replies = poller.ask(self._past[name], now, progress, demand=demand)
        seen = read_tables(self._tables, poller.target, self._past[name], replies, now, windows, demand=demand)
        self._past[name] = self._past[name].plus(seen, max(windows))
        return seen


_MOST_URGENT_FIRST = (Verdict.BREACH, Verdict.UNKNOWN, Verdict.CLEAR, Verdict.NOT_COVERED, Verdict.NONE)


def _every_key(rule: Rule, seen: Seen) -> dict[Key, bool]:
    """Every row as if it had a pending incident, which changes no verdict, but has the clear ones reported, too."""
    readings = (of_window.get(rule.table or "") for of_window in seen.windows.values())
    return {row.key(rule.key): False for reading in readings if reading is not None for row in reading.rows}
