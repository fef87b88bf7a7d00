"""What rules say of one cycle's rows, before anything remembered is taken into account."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.model.rows import Cell, Key
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

__all__ = ["BREACH", "Finding", "Judgement", "Verdict"]


class Verdict(StrEnum):
    """What a rule says of one row now. `none`: no verdict (idle column, failed rule); like unknown, it causes no transition."""

    BREACH = "breach"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    NOT_COVERED = "not covered"
    NONE = "none"


BREACH = Verdict.BREACH
"""For what is asked of every open incident in every cycle: CPython 3.11 takes ten times as long for `Verdict.BREACH`."""


class Finding(Struct, frozen=True, gc=False):
    """One rule's verdict on one key. `rule` is the rule as tuned for this target and key."""

    rule: Rule
    key: Key
    verdict: Verdict
    severity: Severity = Severity.WARNING
    values: Mapping[str, Cell] = field(default_factory=dict)
    """`rule.columns` -> current cell."""
    cells: Mapping[str, Cell] = field(default_factory=dict)
    """The whole row, for templates."""
    reason: str = ""
    """Why the verdict is unknown."""
    still: bool = True
    """Whether `when_still` of the rule's remedy holds; what reads a gap does not."""


class Judgement(Struct, frozen=True):
    """One rule's result for one target: all findings that are not clear, and one for every key with an open incident.

    At most one of these is set, and then there are no findings: `unknown` (a table it reads was not read), `idle` (a column it reads has no
    value here), `failed` (it raised). All open incidents of the rule then stay as they are.
    """

    rule: Rule
    findings: tuple[Finding, ...] = ()
    unknown: str | None = None
    idle: str | None = None
    failed: str | None = None
    took_ms: float = 0.0
