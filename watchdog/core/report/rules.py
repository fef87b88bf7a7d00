"""Which loaded rules notified nobody, and for how long nobody could have judged them.

In: the rules with their targets, when each target and each table was read, what was told. Out: `QuietRule` values: those that could not be
judged for the longest time first, then by name.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from watchdog.core.report.report import QuietRule, Span, ToldRule
from watchdog.core.report.spans import covered, seconds_of, uncovered

__all__ = ["LoadedRule", "RuleOnTarget", "TargetSeen", "quiet_rules"]


class TargetSeen(Struct, frozen=True):
    """When a target was looked at, and when each of its tables was read, as far as history keeps them. `least_gap_s`: what is no gap.

    `blind`: rule -> when it had lost its verdicts, by the incidents of the rule Blind.
    """

    seen: tuple[Span, ...]
    read: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    blind: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    least_gap_s: float = 0.0

    def unjudged_s(self, rule: str, tables: Iterable[str], window: Span) -> float:
        """For how long this rule on these tables could not be judged."""
        lacking = [*uncovered(self.seen, window, self.least_gap_s), *self.blind.get(rule, ())]
        for table in tables:
            if table in self.read:
                lacking += uncovered(self.read[table], window, self.least_gap_s)
        return seconds_of(covered(lacking))


class RuleOnTarget(Struct, frozen=True):
    """A rule where it applies. `idle`: why it can never have a verdict there."""

    target: str
    tables: frozenset[str] = frozenset()
    idle: str = ""


class LoadedRule(Struct, frozen=True):
    """A loaded rule, and where it applies."""

    name: str
    on: tuple[RuleOnTarget, ...] = ()
    trial: bool = False


def quiet_rules(
    rules: Iterable[LoadedRule], told: Iterable[ToldRule], fired: Mapping[str, int], seen: Mapping[str, TargetSeen], window: Span
) -> tuple[QuietRule, ...]:
    """Return the rules that notified nobody. `fired`: rule -> how many of its incidents fired. A target not in `seen` has no gaps."""
    loud = {one.rule for one in told}
    found = [_quiet(rule, fired.get(rule.name, 0), seen, window) for rule in rules if rule.name not in loud]
    return tuple(sorted(found, key=lambda one: (bool(one.idle), -one.unjudged_s, one.rule)))


def _quiet(rule: LoadedRule, fired: int, seen: Mapping[str, TargetSeen], window: Span) -> QuietRule:
    judged = [place for place in rule.on if not place.idle]
    if not judged:
        return QuietRule(rule.name, idle=_idle(rule.on), trial=rule.trial, fired=fired)
    lost = [(_unjudged_s(rule, place, seen, window), place.target) for place in judged]
    unjudged_s, target = max(lost, key=lambda one: one[0])
    return QuietRule(rule.name, trial=rule.trial, unjudged_s=unjudged_s, target=target if unjudged_s else "", fired=fired)


def _unjudged_s(rule: LoadedRule, place: RuleOnTarget, seen: Mapping[str, TargetSeen], window: Span) -> float:
    target = seen.get(place.target)
    return 0.0 if target is None else target.unjudged_s(rule.name, place.tables, window)


def _idle(places: Sequence[RuleOnTarget]) -> str:
    return next((place.idle for place in places), "it applies to no target")
