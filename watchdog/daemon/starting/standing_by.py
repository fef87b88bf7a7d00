"""What a daemon does while another one works on the database that they share: it says for whom it stands by, and ends when it is asked to.

In: what the lease says, again and again. Out: whether to wait on; lines of the log, and systemd's STATUS. It imports little: a daemon may
stand by for months, in a process that has loaded neither settings nor rules (`daemon/starting/begun_anew.py`).
"""

import time
from collections.abc import Callable

import structlog

from watchdog.daemon.sd_notify import Notifier
from watchdog.daemon.starting.early_signals import asked_to_end, note_signals
from watchdog.store.sql import StandBy

__all__ = ["StandingBy"]

log = structlog.get_logger()

OVERDUE_S = 60.0
"""Looking at the lease takes half a second, and some ten with a database that is silent."""


class StandingBy:
    """One wait for the lease. `prepare` is called as it begins."""

    def __init__(self, systemd: Notifier, prepare: Callable[[], None], stopwatch: Callable[[], float] = time.monotonic) -> None:
        self._systemd, self._prepare, self._stopwatch = systemd, prepare, stopwatch
        self._began = self._looked = 0.0
        self.seen: StandBy | None = None
        """Why the lease cannot be had, as it was last seen; None: this daemon does not stand by."""
        self.holder = ""
        """Who had it when that was last known."""

    @property
    def asked_to_end(self) -> bool:
        """Whether somebody ends it."""
        return asked_to_end()

    def wait(self, seen: StandBy) -> bool:
        """Note what is seen, and wait on unless somebody ends it."""
        self._looked = self._stopwatch()
        if self.seen is None:
            self._began = self._looked
            self._prepare()
        if self.seen is None or (self.seen.holder, self.seen.older) != (seen.holder, seen.older):
            log.info("standing_by", holder=seen.holder or "unknown", reason=seen.reason)
            self._systemd.say("READY=1", f"STATUS={seen.sentence}" + ("" if seen.holder else f": {seen.reason}"))
        self.seen, self.holder = seen, seen.holder or self.holder
        self._systemd.say("WATCHDOG=1")
        return not self.asked_to_end

    def took_over(self) -> None:
        """This daemon has the lease. Signals are noted, until it acts on them."""
        note_signals()
        if self.seen is not None:
            log.info("took_over", after=self.holder or "unknown", stood_by_s=round(self._stopwatch() - self._began, 1))
            self._systemd.say(f"STATUS=takes over from {self.holder}" if self.holder else "STATUS=takes over")
        self.seen = None

    def stuck_s(self) -> float:
        """For how long it has not looked at the lease, where that is too long."""
        since = self._stopwatch() - self._looked
        return since if since > OVERDUE_S else 0.0
