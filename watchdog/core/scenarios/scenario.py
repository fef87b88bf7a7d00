"""Scenarios as values: rows over time, and what rules must make of them. `files` reads them from TOML, `runner` plays them."""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity

__all__ = ["EVERY_S", "TARGET", "Change", "Expected", "Gap", "Plain", "Ramp", "Scenario", "Selected", "Written"]

EVERY_S = 10.0
"""Seconds between two looks, if a scenario does not say otherwise: those of a daemon without configuration."""
TARGET = "prod"


class Ramp(Struct, frozen=True):
    """A number that grows or falls steadily: by `step` in every `per_s` seconds. `start` None: from the number that was there."""

    start: float | None
    step: float
    per_s: float


class Gap(Struct, frozen=True):
    """A cell without an answer, and why; `at_least`: what is proved all the same."""

    reason: str
    at_least: Cell = None


Plain = float | str | bool
Written = Plain | Ramp | Gap
"""A cell as a scenario writes it."""

Selected = Mapping[str, str]
"""Key columns -> values; a row without one of them is selected, too."""


class Change(Struct, frozen=True):
    """What changes at one time: rows that appear or get other cells, rows that go, tables that cannot be read (None: they can again)."""

    at_s: float
    rows: Mapping[str, tuple[Mapping[str, Written], ...]] = field(default_factory=dict)
    gone: Mapping[str, tuple[Selected, ...]] = field(default_factory=dict)
    unread: Mapping[str, str | None] = field(default_factory=dict)
    partial: Mapping[str, str | None] = field(default_factory=dict)


class Expected(Struct, frozen=True):
    """One expectation: a message (`message`: first, escalated, reminder or resolved), the state of an incident at a time (`state`), or an
    attempt at a remedy (`remedy`).
    """

    line: int
    rule: str
    message: str = ""
    state: str = ""
    remedy: str = ""
    at_s: float | None = None
    """When, in seconds from the start; None: at any time."""
    key: Selected = field(default_factory=dict)
    severity: Severity | None = None
    text: tuple[str, ...] = ()
    """What the message must contain."""
    labels: Mapping[str, str] = field(default_factory=dict)


class Scenario(Struct, frozen=True):
    """One scenario. Times are seconds from its start, where its first look is."""

    name: str
    file: str
    line: int
    changes: tuple[Change, ...] = ()
    expects: tuple[Expected, ...] = ()
    quiet: Mapping[str, int] = field(default_factory=dict)
    """Rules that must judge something here, and never fire -> line."""
    ignore: tuple[str, ...] = ()
    """Globs: what these rules do is not looked at, where nothing is expected of them."""
    switched_on: tuple[str, ...] = ()
    """Rules that are on here, although they are switched off."""
    usual: Mapping[str, Mapping[str, Written]] = field(default_factory=dict)
    """Table -> cells that each of its rows begins with."""
    target: str = TARGET
    every_s: float = EVERY_S
    until_s: float | None = None
    """None: as long as what it is about takes."""
    answers: str = ""
    """The file of recorded answers that it plays, in place of rows; beside the file of the scenario."""

    def at_look(self, at_s: float) -> float:
        """Return when the look at that time is, or the next one after it."""
        return -(-round(at_s * 1000) // round(self.every_s * 1000)) * self.every_s

    @property
    def rules(self) -> frozenset[str]:
        """The rules that it is about."""
        return frozenset({*self.quiet, *(expected.rule for expected in self.expects)})
