"""A report as a value: what is shown by `watchdog report` and sent as a digest.

Times are epoch seconds. A figure that nobody could count is None, never 0. Lists hold the first of an order that is said with them; beside
each stands how many there are in all.
"""

from collections.abc import Mapping

from msgspec import Struct

__all__ = [
    "Act", "BurnedIncident", "FailingTask", "QuietRule", "Report", "SlowTask", "Span", "TargetReport", "ToldRule", "WaitingQueue",
]  # fmt: skip


class Span(Struct, frozen=True):
    """A time, from `since` to `until`."""

    since: float
    until: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(self.until - self.since, 0.0)


class SlowTask(Struct, frozen=True):
    """How long a task took, as far as its runs were heard or listed by Flower (`listed`: how many)."""

    name: str
    p95_s: float
    average_s: float
    listed: int
    succeeded: int


class FailingTask(Struct, frozen=True):
    """How often a task failed, of how many runs that ended."""

    name: str
    failed: int
    finished: int


class WaitingQueue(Struct, frozen=True):
    """The worst of a queue: the greatest age of the message served next (None: nobody could read it), and the most that waited."""

    name: str
    waited_s: float | None
    length: float | None


class TargetReport(Struct, frozen=True):
    """One target. Tasks are None if nobody could count them.

    `watched_s`: for how long anything of it was seen; `gaps`: the longest times in which nothing was, oldest first, of `gaps_in_all`.
    `uncounted_s`, `queues_unread_s`: for how much of the watched time tasks were not counted, and queues not read.
    """

    name: str
    watched_s: float = 0.0
    gaps: tuple[Span, ...] = ()
    gaps_in_all: int = 0
    uncounted_s: float = 0.0
    queues_unread_s: float = 0.0
    succeeded: int | None = None
    failed: int | None = None
    retried: int | None = None
    average_s: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    slow: tuple[SlowTask, ...] = ()
    failing: tuple[FailingTask, ...] = ()
    queues: tuple[WaitingQueue, ...] = ()
    queues_in_all: int = 0

    @property
    def processed(self) -> int | None:
        """Tasks that ended, well or not."""
        return None if self.succeeded is None or self.failed is None else self.succeeded + self.failed


class Act(Struct, frozen=True):
    """What somebody did about an incident: `acknowledged`, `closed` or `silenced`."""

    what: str
    at: float
    by: str = ""
    comment: str = ""


class BurnedIncident(Struct, frozen=True):
    """An incident that fired within the time of the report. `burned_s`: how long it has fired altogether, up to the report's end."""

    id: str
    rule: str
    target: str
    severity: str
    key: Mapping[str, str]
    summary: str
    fired_at: float
    burned_s: float
    burning: bool = False
    """Whether it fires at the report's end."""
    ended_at: float | None = None
    ended: str = ""
    """How it ended; empty while it has not."""
    acts: tuple[Act, ...] = ()
    trial: bool = False


class ToldRule(Struct, frozen=True):
    """How often receivers were notified by a rule, and of how many incidents."""

    rule: str
    notifications: int
    incidents: int


class QuietRule(Struct, frozen=True):
    """A loaded rule that notified nobody.

    `idle`: why it can have no verdict on any target, by configuration alone. `unjudged_s`: for how long it could not be judged on `target`,
    where that took longest. `fired`: how many incidents of it fired, and stayed quiet.
    """

    rule: str
    idle: str = ""
    trial: bool = False
    unjudged_s: float = 0.0
    target: str = ""
    fired: int = 0


class Report(Struct, frozen=True):
    """The report. `zone`, `utc_offset_s`: the clock by which its times are shown. `kept_s`: how far back history reaches at most."""

    since: float
    until: float
    targets: tuple[TargetReport, ...] = ()
    incidents: tuple[BurnedIncident, ...] = ()
    """The worst first: what still fires, then the more severe, then the longer."""
    incidents_in_all: int = 0
    burning: int = 0
    """How many still fire at its end."""
    unattended: int = 0
    """How many nobody acted on."""
    told: tuple[ToldRule, ...] = ()
    told_in_all: int = 0
    quiet: tuple[QuietRule, ...] = ()
    quiet_in_all: int = 0
    rules: int = 0
    """How many rules are loaded."""
    kept_s: float = 0.0
    zone: str = "UTC"
    utc_offset_s: float = 0.0
