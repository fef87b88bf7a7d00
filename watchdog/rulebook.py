"""Rule files from disk, checked against the tables and tuned by the configuration: the rules in force for each target.

In: a loaded configuration, or files alone. Out: a rulebook with every fault and warning; the composition root refuses faults.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchdog.core.rows import Table
from watchdog.core.rule_files import read_rules
from watchdog.core.rules import Override, Rule
from watchdog.core.target import SELF
from watchdog.core.tuning import Tuned, check_overrides, tune
from watchdog.shipped import shipped_folder, shipped_rule_files

__all__ = ["RuleBook", "read_rule_book", "rules_for"]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All loaded rules, in file order, with what is wrong (faults) and what is odd (warnings), as sentences with file and line."""

    rules: tuple[Rule, ...] = ()
    overrides: tuple[Override, ...] = ()
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_rule_book(
    files: Iterable[Path], tables: Mapping[str, Table], overrides: tuple[Override, ...] = (), *, shipped: bool = True
) -> RuleBook:
    """Read the shipped pack, unless left out, and these files; check everything at once."""
    files = tuple(files)
    texts = _shipped_beside(files) if shipped else {}
    unreadable = []
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
            unreadable.append(f"{file}: expected a rule file that can be read, found: {why}")
    rules, faults, warnings = read_rules(texts, tables)
    override_faults, override_warnings = check_overrides(overrides, rules, tables)
    return RuleBook(
        rules,
        overrides,
        tuple(unreadable) + tuple(str(f) for f in (*faults, *override_faults)),
        tuple(str(w) for w in (*warnings, *override_warnings)),
    )


def _shipped_beside(files: tuple[Path, ...]) -> dict[str, str]:
    """The shipped pack, without those of its files that are named by the user too: they count once."""
    named = {file.resolve() for file in files}
    folder = shipped_folder()
    return {name: text for name, text in shipped_rule_files(folder).items() if (folder / Path(name).name).resolve() not in named}


def rules_for(book: RuleBook, target: str, tables: Mapping[str, Table]) -> tuple[Tuned, ...]:
    """The rules asked of one target, as tuned for it: enabled, meant for it, and on tables that have rows there."""
    tuned = tune(book.rules, book.overrides, target)
    asked = (t for t in tuned if any(rule.covers(target) for rule in (t.rule, *(copy for copy, _ in t.variants))))
    return tuple(t for t in asked if _has_rows(t.rule, target, tables))


def own_rules(book: RuleBook, tables: Mapping[str, Table]) -> tuple[Rule, ...]:
    """Rules on watchdog's own tables."""
    return tuple(rule for rule in book.rules if _own(rule, tables))


def _has_rows(rule: Rule, target: str, tables: Mapping[str, Table]) -> bool:
    return _own(rule, tables) == (target == SELF)


def _own(rule: Rule, tables: Mapping[str, Table]) -> bool:
    """A rule that reads one of watchdog's own tables is asked of the target `watchdog`."""
    return any(tables[name].own for name in {*rule.reads, rule.table or ""} if name in tables)
