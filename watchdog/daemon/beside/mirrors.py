"""Keeps each Alertmanager that mirrors what fires up to date; a failure is logged once for each reason, and so is its end."""

from collections.abc import Callable, Iterable

import structlog

from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.quiet.reasons import Quiet
from watchdog.receivers.alertmanager import Alertmanager
from watchdog.store import Store, StoreError

__all__ = ["Mirrors"]

log = structlog.get_logger()


class Mirrors:
    """The Alertmanagers of one configuration."""

    def __init__(self, mirrors: Iterable[Alertmanager], store: Store, clock: Callable[[], float]) -> None:
        self.every, self._store, self._clock = tuple(mirrors), store, clock
        self._failing = dict.fromkeys((mirror.name for mirror in self.every), "")

    def send(self, mirror: Alertmanager) -> None:
        """Send what fires."""
        try:
            now = self._clock()
            quiet = Quiet((), self._store.silences(), now, acknowledged=self._store.acknowledged())
            outcome = mirror.look(self._store.incidents(), now, quiet)
            reason = "" if isinstance(outcome, Delivered) else outcome.reason
        except StoreError as error:
            reason = str(error)
        except Exception as error:
            log.debug("mirror_crashed", alertmanager=mirror.name, exc_info=True)
            reason = f"unexpected {type(error).__name__}; please report it, with the log at level debug"
        before, self._failing[mirror.name] = self._failing[mirror.name], reason
        if reason and reason != before:
            log.error("mirror_failed", alertmanager=mirror.name, reason=reason)
        elif before and not reason:
            log.info("mirror_recovered", alertmanager=mirror.name)

    def close(self) -> None:
        """Close their connections."""
        for mirror in self.every:
            mirror.close()
