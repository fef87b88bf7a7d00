"""Severities: four words that compare by rank."""

from enum import StrEnum

__all__ = ["Severity"]


class Severity(StrEnum):
    """info < warning < error < critical."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 3 for critical."""
        return _RANKS[self]

    def at_least(self, other: "Severity") -> bool:
        """Whether this is at least as severe as `other`."""
        return self.rank >= other.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def worst(severities: "list[Severity]", default: Severity = Severity.INFO) -> Severity:
    """Return the highest severity; `default` if there are none."""
    return max(severities, key=lambda s: s.rank, default=default)
