"""Which incidents a receiver is notified of, and how often it is reminded of what still fires.

Input: an incident, what the receiver was last notified of, the current time. Output: yes or no.
"""

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Notified
from watchdog.core.incidents.quiet.matchers import Matcher, labels_of, match
from watchdog.core.model.severity import Severity

__all__ = ["Route"]

REPEAT_S = 3600.0
LONGEST_REPEAT_S = 86400.0


class Route(Struct, frozen=True):
    """What one receiver is for.

    `repeat_s`: time before the first reminder, 0 for none; None: an hour for critical incidents, none for others. Each further one comes
    after twice the time, a day at most, and there are at most `repeat_most`.
    """

    min_severity: Severity = Severity.INFO
    matchers: tuple[Matcher, ...] = ()
    repeat_s: float | None = None
    repeat_most: int = 10

    def takes(self, incident: Incident) -> bool:
        """Whether the receiver is notified of this incident. (Who was notified of it hears its end in any case.)"""
        return incident.severity.at_least(self.min_severity) and (not self.matchers or match(self.matchers, labels_of(incident)))

    def reminder_due(self, incident: Incident, notified: Notified, now: float) -> bool:
        """Whether an incident that fires is to be said again. Escalations count as reminders, too."""
        first_s = self.repeat_s if self.repeat_s is not None else REPEAT_S if incident.severity is Severity.CRITICAL else 0.0
        if first_s <= 0 or notified.sequence > self.repeat_most:
            return False
        wait_s = min(first_s * 2.0 ** (max(notified.sequence, 1) - 1), max(LONGEST_REPEAT_S, first_s))
        return now - notified.at >= wait_s
