"""Severities: four words that compare by rank."""

from enum import StrEnum

__all__ = ["Severity"]


class Severity(StrEnum):
    """info < warning < error < critical."""

    rank: int
    """0 for info to 3 for critical."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)  # as many as are milder; asked for each open incident in each cycle

    def at_least(self, other: "Severity") -> bool:
        """Whether this is at least as severe as `other`."""
        return self.rank >= other.rank


def worst(severities: "list[Severity]", default: Severity = Severity.INFO) -> Severity:
    """Return the highest severity; `default` if there are none."""
    return max(severities, key=lambda s: s.rank, default=default)
