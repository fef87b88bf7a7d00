"""A configuration and its rules, read and checked.

In: a loaded configuration. Out: a `Configured`, or every fault of its rules with file and line.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from watchdog.config.load import Loaded
from watchdog.config.rulebook import RuleBook, never_judged, read_rule_book, remedies_not_allowed
from watchdog.config.sections.targets import meant_by
from watchdog.config.settings import Settings
from watchdog.core.model.rows import Table
from watchdog.tables import TABLES

__all__ = ["Configured", "RulesError", "configured"]


class Configured(Struct, frozen=True):
    """A configuration and its rules, both without faults."""

    loaded: Loaded
    book: RuleBook

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings


class RulesError(Exception):
    """Rules or overrides that cannot be used: every fault, with file and line."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def configured(loaded: Loaded, tables: Mapping[str, Table] = TABLES, written_for: Iterable[Path] | None = None) -> Configured:
    """The rules of a configuration, read and checked. Raises RulesError.

    `written_for`: the rule files that were written for these targets; all of them by default.
    """
    book = read_rule_book(loaded.rule_files, tables, loaded.overrides, shipped=loaded.settings.shipped_rules)
    files, meant = loaded.rule_files if written_for is None else written_for, meant_by(loaded)
    faults = (*book.faults, *never_judged(book, files, meant.targets, meant.to_set, tables))
    faults += remedies_not_allowed(book, loaded.settings.actions.allow)
    if faults:
        raise RulesError(faults)
    return Configured(loaded, book)
