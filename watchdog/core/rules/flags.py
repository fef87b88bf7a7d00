"""Select and tune rules for one run (`check`, `rules replay`: `--only`, `--skip`, `--set`), as overrides after those of the configuration.

Input: the flags as typed, all rules. Output: overrides, so that one mechanism tunes rules; and a sentence for each invalid flag.
"""

import math
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.rows import Param
from watchdog.core.model.severity import Severity
from watchdog.core.rules.overrides import applies_to
from watchdog.core.rules.rule import Override, Rule
from watchdog.core.text.durations import parse_duration
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["RuleFlags", "rule_flags"]

_SETTABLE = ("severity", "window")
"""What --set can change for every rule, besides its params."""

_TIMES = {"for": "for_s", "keep_firing_for": "keep_firing_for_s"}
"""What only something that goes on for a while can set, -> the field of an override."""
_ENABLED = "enabled"


class RuleFlags(Struct, frozen=True):
    """The result of the flags. `left`: the names of rules that they leave enabled, unless the configuration disables them."""

    overrides: tuple[Override, ...]
    faults: tuple[str, ...]
    left: tuple[str, ...]


def rule_flags(
    only: Iterable[str], skip: Iterable[str], sets: Iterable[str], rules: tuple[Rule, ...], *, over_time: bool = False
) -> RuleFlags:
    """Parse the flags. `only` and `skip`: names or globs; `sets`: `RULE.param=value`.

    Rules that are not in `only`, or are in `skip`, are disabled. `over_time`: whether there is more than one look, so that a rule's times
    mean something; then `enabled` may be set, too.
    """
    faults: list[str] = []
    wanted = [_named("--only", pattern, rules, faults) for pattern in only]
    unwanted = [_named("--skip", pattern, rules, faults) for pattern in skip]
    skipped = {rule.name for meant in unwanted for rule in meant}
    kept = {rule.name for meant in wanted for rule in meant} if wanted else {rule.name for rule in rules}
    left = tuple(rule.name for rule in rules if rule.name in kept - skipped)
    switched_off = [
        Override(rule.name, enabled=False, where_from="--skip" if rule.name in skipped else "--only")
        for rule in rules
        if rule.name not in left
    ]
    tuned = [override for text in sets for override in _set(text, rules, faults, over_time=over_time)]
    return RuleFlags((*switched_off, *tuned), tuple(faults), left)


def _named(place: str, pattern: str, rules: tuple[Rule, ...], faults: list[str]) -> list[Rule]:
    """Return the rules that a name or glob matches; a fault if there are none."""
    meant = [rule for rule in rules if applies_to(Override(pattern), rule)]
    if not meant:
        faults.append(f'{place} "{pattern}": there is no such rule{_hint(pattern, [rule.name for rule in rules])}')
    return meant


def _hint(pattern: str, names: list[str]) -> str:
    """Suggest a name, even if only a part of it was typed."""
    part = pattern.strip("*?").lower()
    having = [name for name in names if part and part in name.lower()]
    near = did_you_mean(pattern, names) or (f'; did you mean "{having[0]}"?' if having else "")
    return near or "; `watchdog rules list` lists them"


def _set(text: str, rules: tuple[Rule, ...], faults: list[str], *, over_time: bool) -> Iterator[Override]:
    """Yield an override for each rule that `RULE.param=value` matches and that has such a param."""
    place = f"--set {text}"
    name, equals, value = text.partition("=")
    pattern, dot, key = (part.strip() for part in name.partition("."))
    if not equals or not dot or not pattern or not key:
        faults.append(f'--set "{text}": expected RULE.param=value, such as QueueBacklogHigh.limit=500')
        return
    meant = _named("--set", pattern, rules, faults)
    having = [rule for rule in meant if key in rule.params]
    if having:
        yield from (Override(r.name, params={key: _as_kind_of(r.params[key], value)}, where_from=place) for r in having)
    elif meant and (override := _of_any_rule(key, value.strip(), place, meant, faults, over_time=over_time)):
        yield from (replace(override, rule=rule.name) for rule in meant)


def _of_any_rule(key: str, value: str, place: str, meant: list[Rule], faults: list[str], *, over_time: bool) -> Override | None:
    """Return an override for a key that every rule has; a fault if there is no such key, or the value is not valid."""
    if key == "severity" and value in set(Severity):
        return Override("", severity=Severity(value), where_from=place)
    if key == "severity":
        faults.append(f'{place}: expected info, warning, error or critical, found "{value}"{did_you_mean(value.lower(), set(Severity))}')
    elif key == "window" or (key in _TIMES and over_time):
        try:
            return replace(Override("", where_from=place), **{_TIMES.get(key, "window_s"): parse_duration(value)})
        except ValueError as error:
            faults.append(f"{place}: {error}")
    elif key == _ENABLED and over_time and value.lower() in ("true", "false"):
        return Override("", enabled=value.lower() == "true", where_from=place)
    elif key in _TIMES:
        faults.append(f"{place}: a check does not wait, so {key} does nothing here; --wait and --stable are what waits")
    else:
        always = (*_SETTABLE, *_TIMES, _ENABLED) if over_time else _SETTABLE
        known = sorted({*always, *(param for rule in meant for param in rule.params)})
        near = did_you_mean(key, known) or f"; it can set {', '.join(known)}"
        faults.append(f'{place}: no param "{key}" in {" or ".join(rule.name for rule in meant[:3])}{near}')
    return None


def _as_kind_of(written: Param, value: str) -> Param:
    """Convert the value to the type of the rule's own param, if possible; a duration stays a text."""
    if isinstance(written, str):
        return value
    word = value.strip().lower()
    if isinstance(written, bool):
        return word == "true" if word in ("true", "false") else value
    try:
        number = float(word)
    except ValueError:
        return value.strip()
    return number if math.isfinite(number) else value.strip()
