"""The input of one run of `watchdog check`: the configuration with the flags applied, and the expectations.

In: the flags. Out: the rules and expectations in force, or a refusal with every fault of all of them.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.core.judging.expectations import Expectation
    from watchdog.core.model.target import Target, TargetsMeant

__all__ = ["RuleChoice", "chosen_rules", "never_answered", "read_expectations", "refuse_silence"]


class RuleChoice(Struct, frozen=True):
    """`--only`, `--skip` and `--set` as typed."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    over_time: bool = False
    """Whether there is more than one look, so that a rule's times can be set."""


def read_expectations(texts: Iterable[str]) -> "tuple[tuple[Expectation, ...], tuple[str, ...]]":
    """Each `--expect`, checked against the schema; and every fault of all of them."""
    from watchdog.core.judging.expectations import read_expectation  # noqa: PLC0415
    from watchdog.core.sql.conditions import ConditionError  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    read: list[Expectation] = []
    faults: list[str] = []
    for text in dict.fromkeys(texts):
        try:
            read.append(read_expectation(TABLES, text))
        except ConditionError as error:
            faults += error.faults
    return tuple(read), tuple(faults)


def never_answered(expectations: Iterable["Expectation"], names: Iterable[str]) -> "Callable[[TargetsMeant], list[str]]":
    """A function that reports, once the targets are known, expectations that none of the named targets (or of all) can ever answer."""

    def faults(meant: "TargetsMeant") -> list[str]:
        from watchdog.core.judging.unanswerable import Unanswerable  # noqa: PLC0415
        from watchdog.tables import TABLES  # noqa: PLC0415

        unanswerable, targets = Unanswerable(TABLES, meant.to_set), _as_polled(meant.named(tuple(names)))
        found = ((expectation.text, unanswerable.why(expectation.reads, targets, "leave it out")) for expectation in expectations)
        return [f'--expect "{text}": it can never be answered {why}' for text, why in found if why]

    return faults


def _as_polled(targets: "Iterable[Target]") -> "tuple[Target, ...]":
    """The targets without the events of their workers, which only a daemon listens to."""
    from watchdog.sources import EVENTS  # noqa: PLC0415

    return tuple(replace(target, sources=target.sources - {EVENTS}, hears_tasks=False, hears_beside_flower=False) for target in targets)


def chosen_rules(conf: "Configured", choice: RuleChoice) -> "tuple[Configured, tuple[str, ...]]":
    """The configuration with the choice applied, as the last overrides; and every fault of the choice."""
    from watchdog.core.rules.flags import rule_flags  # noqa: PLC0415
    from watchdog.core.rules.overrides import check_overrides  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    flags = rule_flags(choice.only, choice.skip, choice.sets, conf.book.rules, over_time=choice.over_time)
    faults, _ = check_overrides(flags.overrides, conf.book.rules, TABLES)
    book = replace(conf.book, overrides=(*conf.book.overrides, *flags.overrides))
    return replace(conf, book=book), (*flags.faults, *map(str, faults))


def refuse_silence(conf: "Configured", targets: Iterable[str], choice: RuleChoice) -> None:
    """Refuse a run that has nothing to judge, by the flags or the configuration: its answer would be "fine" although nothing was asked."""
    from watchdog.config.rulebook import rules_for  # noqa: PLC0415
    from watchdog.config.sections.targets import meant_by  # noqa: PLC0415
    from watchdog.core.judging.idleness import idle_by_configuration  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    names = tuple(targets)
    asked = {name: [tuned.rule for tuned in rules_for(conf.book, name, TABLES)] for name in names}
    who = "--only and --skip leave" if choice.only or choice.skip else "the configuration leaves"
    if not any(asked.values()):
        raise Refused(f"{who} no rule to judge here, and nothing is expected; `watchdog rules list` shows which hold")
    idle: dict[str, str] = {}
    for target in _as_polled(meant_by(conf.loaded).named(names)):
        reasons = idle_by_configuration(TABLES, target, asked[target.name])
        if any(rule.name not in reasons for rule in asked[target.name]):
            return
        idle |= reasons
    listed = "; ".join(f"{rule} ({why})" for rule, why in idle.items())
    raise Refused(f"{who} no rule that can have a verdict here, and nothing is expected: {listed}")
