"""Rule files from disk, checked against the tables and tuned by the configuration: the rules in force for each target.

In: a loaded configuration, or files alone. Out: a rulebook with every fault and warning; the composition root refuses faults. A rule
written by the user that no target can ever answer is a fault; shipped rules are made for any target, and are idle on some.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from watchdog.config.shipped import app_rule_files, doctor_rule_files, shipped_folder, shipped_rule_files
from watchdog.core.judging.unanswerable import Unanswerable
from watchdog.core.model.rows import Table
from watchdog.core.model.target import SELF, Target
from watchdog.core.rules.files import Fault, read_rules
from watchdog.core.rules.overrides import Tuned, check_overrides, override_fault, tune
from watchdog.core.rules.remedy import REMEDIES
from watchdog.core.rules.rule import Override, Rule

__all__ = [
    "RuleBook",
    "app_rules",
    "never_judged",
    "own_rules",
    "read_once",
    "read_rule_book",
    "remedies_not_allowed",
    "rules_for",
    "rules_that_fit",
    "with_doctor_rules",
]

SAID_OF_EACH_TASK = frozenset({"NoTimeLimit", "VisibilityTimeoutTooShort", "KillerTaskComesBack", "FailureIsDropped"})
"""Rules of the doctor about a whole worker, whose subject is known task by task where an app is examined."""


class RuleBook(Struct, frozen=True):
    """All loaded rules, in file order, with their faults and warnings, as sentences with file and line."""

    rules: tuple[Rule, ...] = ()
    overrides: tuple[Override, ...] = ()
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_rule_book(
    files: Iterable[Path], tables: Mapping[str, Table], overrides: tuple[Override, ...] = (), *, shipped: bool = True
) -> RuleBook:
    """Read these files and, unless left out, the shipped rules; check everything at once."""
    files = tuple(files)
    texts = _shipped_beside(files) if shipped else {}
    unreadable = []
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
            unreadable.append(f"{file}: expected a rule file that can be read, found: {why}")
    rules, faults, warnings = read_rules(texts, tables) if files else read_once(texts, tables)
    override_faults, override_warnings = check_overrides(overrides, rules, tables)
    return RuleBook(
        rules,
        overrides,
        tuple(unreadable) + tuple(str(f) for f in (*faults, *override_faults)),
        tuple(str(w) for w in (*warnings, *override_warnings)),
    )


def remedies_not_allowed(book: RuleBook, allowed: Collection[str]) -> tuple[str, ...]:
    """A fault for each rule and override that names a remedy which `[actions] allow` does not."""
    faults = [
        Fault(rule.file, rule.line, rule.name, _not_allowed(rule.remedy.name))
        for rule in book.rules
        if rule.enabled and rule.remedy is not None and rule.remedy.name not in allowed
    ]
    for override in book.overrides:
        name = override.remedy.remedy
        if name in REMEDIES and name not in allowed:
            faults.append(override_fault(override, f"remedy: {_not_allowed(name or '')}"))
    return tuple(map(str, faults))


def _not_allowed(remedy: str) -> str:
    return f'its remedy {remedy} is not allowed; write allow = ["{remedy}"] into [actions] of watchdog.toml, beside what is there'


def with_doctor_rules(book: RuleBook, tables: Mapping[str, Table]) -> tuple[RuleBook, frozenset[str]]:
    """The rules with those of `watchdog doctor`, and the names of these. A rule of the user's with the same name stands in its place."""
    taken = {rule.name for rule in book.rules}
    rules = tuple(rule for rule in read_once(doctor_rule_files(), tables)[0] if rule.name not in taken)
    return replace(book, rules=(*book.rules, *rules)), frozenset(rule.name for rule in rules)


def app_rules(tables: Mapping[str, Table], of_apps: Mapping[str, Table]) -> tuple[Rule, ...]:
    """The rules for an app without its cluster: its own, and those of the doctor about what a worker reports of its app's settings."""
    of_workers = read_once(doctor_rule_files(), tables)[0]
    shared = (rule for rule in of_workers if set(rule.reads) == {"conf"} and rule.name not in SAID_OF_EACH_TASK)
    return (*read_once(app_rule_files(), of_apps)[0], *shared)


def _shipped_beside(files: tuple[Path, ...]) -> dict[str, str]:
    """The shipped rules, without files that the user names too: they count once."""
    named = {file.resolve() for file in files}
    folder = shipped_folder()
    return {name: text for name, text in shipped_rule_files(folder).items() if (folder / Path(name).name).resolve() not in named}


_Read = tuple[tuple[Rule, ...], tuple[Fault, ...], tuple[Fault, ...]]


def read_once(texts: Mapping[str, str], tables: Mapping[str, Table]) -> _Read:
    """`read_rules` for files that come with watchdog: they seldom change, and each reload needs them again."""
    return _read(tuple(texts.items()), tuple(tables.items()))


@lru_cache(maxsize=4)
def _read(texts: tuple[tuple[str, str], ...], tables: tuple[tuple[str, Table], ...]) -> _Read:
    return read_rules(dict(texts), dict(tables))


def rules_for(book: RuleBook, target: str, tables: Mapping[str, Table]) -> tuple[Tuned, ...]:
    """The rules for one target, as tuned for it: enabled, applicable to it, and on tables that have rows there."""
    return tuple(t for t in rules_that_fit(book, target, tables) if any(rule.covers(target) for rule in t.copies))


def rules_that_fit(book: RuleBook, target: str, tables: Mapping[str, Table]) -> tuple[Tuned, ...]:
    """The same, with those that are switched off."""
    return tuple(t for t in tune(book.rules, book.overrides, target) if _has_rows(t.rule, target, tables))


def own_rules(book: RuleBook, tables: Mapping[str, Table]) -> tuple[Rule, ...]:
    """Rules on the self-monitoring tables."""
    return tuple(rule for rule in book.rules if _own(rule, tables))


def _has_rows(rule: Rule, target: str, tables: Mapping[str, Table]) -> bool:
    return _own(rule, tables) == (target == SELF)


def _own(rule: Rule, tables: Mapping[str, Table]) -> bool:
    """Whether a rule reads one of the self-monitoring tables, and so applies to the target `watchdog`."""
    return any(tables[name].own for name in {*rule.reads, rule.table or ""} if name in tables)


def never_judged(
    book: RuleBook, files: Iterable[Path], targets: Iterable[Target], to_set: Mapping[str, str], tables: Mapping[str, Table]
) -> tuple[str, ...]:
    """A fault for each rule of these files that can have a verdict on none of its targets.

    `to_set`: source -> how to configure it, in words. A copy of a shipped rule is treated like the shipped one.
    """
    names = {str(file) for file in files}
    if not any(rule.file in names for rule in book.rules):
        return ()
    asked: dict[str, list[tuple[Target, Tuned]]] = {rule.name: [] for rule in book.rules if rule.file in names}
    for target in targets:
        for tuned in rules_for(book, target.name, tables):
            asked.get(tuned.rule.name, []).append((target, tuned))
    unanswerable = Unanswerable(tables, to_set)
    wrong = [(rule, why) for rule in book.rules if (why := unanswerable.why_rule(rule, asked.get(rule.name, ())))]
    shipped = {(rule.name, rule.identity) for rule in read_once(shipped_rule_files(), tables)[0]} if wrong else set()
    mine = ((rule, why) for rule, why in wrong if (rule.name, rule.identity) not in shipped)
    return tuple(str(Fault(rule.file, rule.line, rule.name, f"it can never have a verdict {why}")) for rule, why in mine)
