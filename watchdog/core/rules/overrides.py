"""Tune rules by configuration: `[[override]]` for all targets, for one target, or for some keys; the last match wins.

Input: rules as written, overrides in order, a target's name. Output: for each rule the tuned rule, and its variants for keys that are tuned
differently. `check_overrides` checks the overrides before.
"""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.rows import Param, Table
from watchdog.core.model.target import matches
from watchdog.core.rules.entry import OF_A_BREACH, TEMPLATES
from watchdog.core.rules.faults import Fault, found
from watchdog.core.rules.fields import as_param, label_faults
from watchdog.core.rules.overlaps import combinations_that_meet
from watchdog.core.rules.remedy import remedy_faults, remedy_of
from watchdog.core.rules.rule import Override, Rule
from watchdog.core.rules.templates import EXTRA_NAMES, check_template, names_read
from watchdog.core.sql.conditions import ConditionError, check_condition, check_query
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["KeyFits", "Tuned", "applies_to", "check_overrides", "override_fault", "rule_for_key", "tune"]

KeyFits = Callable[[Mapping[str, str]], bool]
"""Whether a key (column -> value) is matched."""

_SETS = ("enabled", "trial", "for_s", "keep_firing_for_s", "window_s", "severity", "deploy", *TEMPLATES)
_MOST_VARIANTS = 500


class Tuned(Struct, frozen=True):
    """A rule as tuned for one target. At most one variant matches a key and fully replaces `rule`, which applies to all other keys."""

    rule: Rule
    variants: tuple[tuple[Rule, KeyFits], ...] = ()

    @property
    def copies(self) -> tuple[Rule, ...]:
        """The rule and all its variants."""
        return self.rule, *(copy for copy, _ in self.variants)


def tune(rules: tuple[Rule, ...], overrides: tuple[Override, ...], target_name: str) -> tuple[Tuned, ...]:
    """Return every rule whose `targets` match, as tuned for this target. A disabled rule is included, with `enabled` false."""
    return tuple(_tuned(rule, overrides, target_name) for rule in rules if matches(target_name, rule.targets))


def rule_for_key(tuned: Tuned, key: Mapping[str, str]) -> Rule:
    """Return the rule that applies to one key."""
    return next((rule for rule, fits in tuned.variants if fits(key)), tuned.rule)


def applies_to(override: Override, rule: Rule) -> bool:
    """Whether an override matches this rule: by its name, a former name, or a glob."""
    return any(fnmatchcase(name, override.rule) for name in (rule.name, *rule.formerly))


def _tuned(rule: Rule, overrides: tuple[Override, ...], target_name: str) -> Tuned:
    """Create a variant for every combination of overrides by key that may overlap: it applies where exactly these match."""
    meant = [o for o in overrides if fnmatchcase(target_name, o.target or "*") and _touches(o, rule)]
    by_key = [override for override in meant if override.match]
    fitting = _fitting(by_key)
    variants = []
    for positions in combinations_that_meet([override.match for override in by_key]):
        chosen = [by_key[position] for position in positions]
        holds = _applied(rule, [o for o in meant if not o.match or any(o is one for one in chosen)])
        variants.append((holds, _fits_exactly(positions, fitting)))
    return Tuned(_applied(rule, [o for o in meant if not o.match]), tuple(variants))


def _touches(override: Override, rule: Rule) -> bool:
    return applies_to(override, rule) and set(override.match) <= set(rule.key)


def _fitting(by_key: list[Override]) -> Callable[[Mapping[str, str]], tuple[int, ...]]:
    """Return a function from a key to the positions of the overrides that match it. Cached, because keys recur every cycle."""
    columns = sorted({column for override in by_key for column in override.match})

    @lru_cache(maxsize=10_000)
    def fitting(values: tuple[str, ...]) -> tuple[int, ...]:
        key = dict(zip(columns, values, strict=True))
        return tuple(n for n, o in enumerate(by_key) if all(matches(key[column], patterns) for column, patterns in o.match.items()))

    return lambda key: fitting(tuple(key.get(column, "") for column in columns))


def _fits_exactly(positions: tuple[int, ...], fitting: Callable[[Mapping[str, str]], tuple[int, ...]]) -> KeyFits:
    return lambda key: fitting(key) == positions


def _applied(rule: Rule, overrides: list[Override]) -> Rule:
    """Apply overrides to a rule, in order."""
    for override in overrides:
        params = {name: _tuned_param(rule.params[name], value) for name, value in override.params.items() if name in rule.params}
        changed = {name: value for name in _SETS if (value := getattr(override, name)) is not None}
        rule = replace(
            rule,
            params={**rule.params, **{name: value for name, value in params.items() if value is not None}},
            labels={**rule.labels, **override.labels},
            remedy=remedy_of(rule.remedy, override.remedy) if override.remedy.anything else rule.remedy,
            **changed,
        )
        if not changed.keys().isdisjoint(OF_A_BREACH):
            rule = replace(rule, columns=_columns(rule))
    return rule


def _columns(rule: Rule) -> tuple[str, ...]:
    """Return the values to show, including those that a new text reads."""
    read = {name for text in OF_A_BREACH for name in names_read(getattr(rule, text))}
    return (*rule.columns, *sorted(read - {*rule.columns, *rule.key, *rule.params, *EXTRA_NAMES}))


def _tuned_param(written: Param, tuned: Param) -> Param | None:
    """Convert a tuned value to the type of the rule's own param, a duration to seconds; None if the types differ."""
    value = tuned if isinstance(written, str) else as_param(tuned)
    return value if type(value) is type(written) else None


# --- faults of overrides ------------------------------------------------------------------------------------------------


def check_overrides(
    overrides: tuple[Override, ...], rules: tuple[Rule, ...], tables: Mapping[str, Table]
) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Return faults and warnings of every override, in order.

    A missing rule is a fault, because what should be tuned or silenced is not.
    """
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for override in overrides:
        meant = [rule for rule in rules if applies_to(override, rule)]
        faults += [override_fault(override, what) for what in dict.fromkeys(_faults(override, meant, rules, tables))]
        warnings += [override_fault(override, what) for what in _oddities(override, meant)]
    for rule in rules:
        by_key = [override for override in overrides if override.match and _touches(override, rule)]
        if sum(1 for _ in islice(combinations_that_meet([o.match for o in by_key]), _MOST_VARIANTS)) == _MOST_VARIANTS:
            what = f"too many overrides of {rule.name} may fit one key together; use narrower patterns in match"
            faults.append(override_fault(by_key[-1], what))
    return tuple(faults), tuple(warnings)


def override_fault(override: Override, what: str) -> Fault:
    """Return a fault of an override, at its line."""
    file, _, line = override.where_from.rpartition(":")
    known = bool(file) and line.isdigit()
    return Fault(file if known else override.where_from, int(line) if known else 0, None, f'override of "{override.rule}": {what}')


def _oddities(override: Override, meant: list[Rule]) -> Iterator[str]:
    for rule in meant:
        if override.rule in rule.formerly:
            yield f"this rule is called {rule.name} now"
    if (
        not override.params
        and not override.labels
        and not override.remedy.anything
        and all(getattr(override, name) is None for name in _SETS)
    ):
        yield "it sets nothing; write what to change, such as params, for, severity or enabled"


def _faults(override: Override, meant: list[Rule], rules: tuple[Rule, ...], tables: Mapping[str, Table]) -> Iterator[str]:
    if override.window_s is not None and override.window_s <= 0:
        yield "window: must be longer than 0"
    if not meant:
        yield f"there is no such rule{did_you_mean(override.rule, [rule.name for rule in rules]) or '; `watchdog rules list` has them'}"
        return
    for param, value in override.params.items():
        yield from _param_faults(param, value, meant)
        yield from (f"params.{param}: {fault}" for rule in meant for fault in _sense_faults(param, value, rule, tables))
    for column in override.match:
        if not any(column in rule.key for rule in meant):
            yield f"match.{column}: {_keys_of(meant)}"
    for rule in meant:
        yield from (f"labels.{label}: {why}" for label, why in label_faults(override.labels, rule.key).items())
        yield from _text_faults(override, rule, tables)
        params = {**rule.params, **{name: value for name, value in override.params.items() if name in rule.params}}
        found = remedy_faults(override.remedy, rule.remedy, rule.table, tables, params) if override.remedy.anything else ()
        yield from (f"{key}: {what}" for key, what in found)


def _param_faults(param: str, value: Param, meant: list[Rule]) -> Iterator[str]:
    having = [rule for rule in meant if param in rule.params]
    if not having:
        known = sorted({name for rule in meant for name in rule.params})
        there = f"; there are {', '.join(known)}" if known else "; it has none"
        yield f"params.{param}: no such param in {_names(meant)}{did_you_mean(param, known) or there}"
    for rule in having:
        if _tuned_param(rule.params[param], value) is None:
            expected = {float: "a number or a duration", str: "a text", bool: "true or false"}[type(rule.params[param])]
            yield f"params.{param}: expected {expected}, as in {rule.name}, found {found(value)}"


def _sense_faults(param: str, value: Param, rule: Rule, tables: Mapping[str, Table]) -> Iterator[str]:
    """Yield faults that the rule's own conditions raise for this text: it may have to be a pattern, or one of a column's values."""
    if not (isinstance(value, str) and isinstance(rule.params.get(param), str)):
        return
    params = {**rule.params, param: value}
    try:
        if rule.query is not None:
            check_query(tables, rule.query, rule.key, params)
        elif rule.table is not None and rule.table in tables:
            for text in filter(None, (rule.where, rule.when, rule.clear, *(entry.when for entry in rule.escalate))):
                check_condition(tables, rule.table, text, params)
    except ConditionError as error:
        yield from error.faults


def _keys_of(meant: list[Rule]) -> str:
    keys = sorted({column for rule in meant for column in rule.key})
    if not keys:
        return f"{_names(meant)} has no key: it judges the target as a whole; leave match out"
    return f"no key column of {_names(meant)}; match can name {', '.join(keys)}"


def _names(meant: list[Rule]) -> str:
    return meant[0].name if len(meant) == 1 else f"any of the {len(meant)} rules meant"


def _text_faults(override: Override, rule: Rule, tables: Mapping[str, Table]) -> Iterator[str]:
    table = tables.get(rule.table or "")
    columns = [c.name for c in table.columns] if table else [*rule.key, *rule.columns]
    for name in TEMPLATES:
        text = getattr(override, name)
        if text is not None:
            check = check_template(text, (*columns, *rule.params, *EXTRA_NAMES), rule.table or "the query's output")
            yield from (f"{name}: {fault}" for fault in check.faults)
