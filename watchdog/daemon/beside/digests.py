"""Digests: at its time, each receiver that wants one gets a report, as a message of the outbox.

In: which receiver at which times, a function that makes a report, the clock. Out: digests that are queued with the memory of them in one
transaction, so that none comes twice, whatever restarts in between. A digest that would be too late is skipped, and that is logged. What
cannot be read or written now is tried again at the next look.
"""

from collections.abc import Callable, Mapping

import structlog

from watchdog.core.incidents.messages import Message
from watchdog.core.model.identity import message_id
from watchdog.core.model.target import SELF
from watchdog.core.report.report import Report, Span
from watchdog.core.report.schedule import Digested, DigestTimes, Due, due_now
from watchdog.core.text.durations import format_duration
from watchdog.core.text.timestamps import iso
from watchdog.store import Store, StoreError

__all__ = ["Digests", "MakeReport"]

log = structlog.get_logger()

MakeReport = Callable[[Span, DigestTimes], Report]
"""Makes the report of a time, by the clock of these times."""


class Digests:
    """The digests of one configuration. `times`: receiver -> when it gets one. Not thread-safe."""

    def __init__(self, store: Store, times: Mapping[str, DigestTimes], report: MakeReport, *, service: str) -> None:
        self._store, self._times, self._report, self._service = store, times, report, service
        self._tidied = False
        self._failed = ""

    def send_due(self, now: float) -> bool:
        """Queue the digests that are due. Returns whether there is anything to deliver. Errors are logged, once for each reason."""
        try:
            queued = self._send_due(now)
        except Exception as error:
            reason = str(error) if isinstance(error, StoreError) else f"unexpected {type(error).__name__}; please report it"
            if reason != self._failed:
                log.debug("digest_crashed", exc_info=True)
                log.error("digest_failed", reason=reason)  # noqa: TRY400 - the reason says everything
            self._failed = reason
            return False
        self._failed = ""
        return queued

    def _send_due(self, now: float) -> bool:
        if not self._tidied:
            self._store.forget_digests(self._times)
            self._tidied = True
        known = self._store.digested()
        due = {name: found for name, times in self._times.items() if (found := due_now(times, known.get(name), now)) is not None}
        made: dict[tuple[Span, str], Report] = {}
        for name, one in due.items():
            self._pass(name, one, made, now)
        return any(one.since is not None for one in due.values())

    def _pass(self, name: str, due: Due, made: dict[tuple[Span, str], Report], now: float) -> None:
        """Let one moment of one receiver pass. Receivers that want the same report share it."""
        times, message = self._times[name], None
        if due.since is not None:
            span = Span(due.since, due.due_at)
            of = span, str(times.zone)
            if of not in made:
                made[of] = self._report(span, times)
            message = Message(message_id(name, SELF, due.due_at, ["digest"]), name, SELF, now, (), service=self._service, digest=made[of])
        self._store.digest_passed(name, Digested(times.text, due.due_at), message, now)
        if message is not None:
            log.info("digest_queued", receiver=name, message=message.id, since=iso(due.since or 0.0), until=iso(due.due_at))
        elif due.late_s:
            log.warning("digest_skipped", receiver=name, due=iso(due.due_at), reason=f"it would be {format_duration(due.late_s)} late")
