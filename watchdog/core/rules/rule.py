"""Rules as values: a declared condition on one table, or a query, checked at load.

`files` creates them from TOML, `core/judging` applies them to rows, `core/incidents` tracks their breaches.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.model.rows import Param
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import matches
from watchdog.core.rules.remedy import Remedy, RemedyWritten

__all__ = ["Escalation", "Override", "Rule"]


class Escalation(Struct, frozen=True):
    """While `when` is true, the incident has at least this severity."""

    when: str
    severity: Severity


class Rule(Struct, frozen=True):
    """One rule. SQL texts are as the user wrote them; times are seconds.

    Either `table` and `when` are set, or `query` and `key`. For a rule on a table, `key` is the table's key.
    `columns` are those that `when`, `clear`, `escalate` and the templates read, in a stable order: an incident's values.
    """

    name: str
    table: str | None = None
    when: str | None = None
    query: str | None = None
    key: tuple[str, ...] = ()
    where: str | None = None
    clear: str | None = None
    escalate: tuple[Escalation, ...] = ()
    params: Mapping[str, Param] = field(default_factory=dict)
    for_s: float = 0.0
    keep_firing_for_s: float = 60.0
    window_s: float = 300.0
    severity: Severity = Severity.WARNING
    summary: str = ""
    description: str = ""
    runbook: str = ""
    resolved: str = ""
    """The text for a recovered incident, instead of the summary; empty: the summary, in the past tense."""
    labels: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ("*",)
    inhibits: tuple[str, ...] = ()
    enabled: bool = True
    deploy: bool = False
    """Whether a deploy of its target is a normal reason for it, so that its incidents are quiet meanwhile."""
    trial: bool = False
    """Whether it is on trial: judged and kept, and nobody is notified."""
    remedy: Remedy | None = None
    """What is done by itself while it fires."""
    formerly: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    columns: tuple[str, ...] = ()
    """Values shown: columns that `when`, `clear`, `escalate` and the templates read (for a query: its output columns)."""
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Table -> columns that decide: those of `when`, `where`, `clear` and `escalate`, or of the whole query."""
    identity: str = ""
    """Changes if `from`, `query` or `key` changes: an open incident then ends as `rule changed`."""

    def covers(self, target: str) -> bool:
        """Whether the rule applies to this target."""
        return self.enabled and matches(target, self.targets)


class Override(Struct, frozen=True):
    """One `[[override]]`: the rules, target and keys it tunes, and what it sets (None: unchanged)."""

    rule: str
    target: str | None = None
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key column -> globs, one of which must match; empty: every key."""
    params: Mapping[str, Param] = field(default_factory=dict)
    enabled: bool | None = None
    trial: bool | None = None
    for_s: float | None = None
    keep_firing_for_s: float | None = None
    window_s: float | None = None
    severity: Severity | None = None
    deploy: bool | None = None
    remedy: RemedyWritten = RemedyWritten()
    labels: Mapping[str, str] = field(default_factory=dict)
    summary: str | None = None
    description: str | None = None
    runbook: str | None = None
    resolved: str | None = None
    where_from: str = ""
    """File and line, for messages."""
