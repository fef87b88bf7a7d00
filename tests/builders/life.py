"""The life of incidents for one receiver: cycles that see them, with a store and a clock, and what is delivered after each."""

from collections.abc import Sequence

from tests.builders.outbox import T0, plan
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Quiet
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.incidents.wanted import JudgedIncident
from watchdog.core.judging.findings import Verdict
from watchdog.daemon.delivery import Delivery
from watchdog.receivers.base import Receiver
from watchdog.receivers.pace import Pace
from watchdog.store import Store

__all__ = ["Life"]


class Life:
    """A store, a receiver and a clock: cycles that see incidents, and what is delivered after each."""

    def __init__(self, store: Store, to: Receiver, terms: Terms = Terms()) -> None:  # noqa: B008 - frozen
        self.store, self.to, self.now, self.terms = store, to, T0, terms
        self.acknowledged: dict[str, Acknowledgement] = {}
        self.delivery = Delivery(store, [to], clock=lambda: self.now, pace=Pace(lambda: self.now))

    def acknowledge(self, incident: Incident) -> None:
        """Somebody works on it from now on."""
        self.acknowledged[incident.id] = Acknowledgement(incident.id, self.now, incident.severity)

    def cycle(self, incidents: Sequence[Incident], after_s: float = 120.0) -> int:
        """The number of attempts that followed."""
        self.now += after_s
        with self.store.cycle() as transaction:
            loaded = transaction.load("prod")
            judged = [JudgedIncident(one, Verdict.BREACH if one.open else Verdict.CLEAR) for one in incidents]
            recipients = [Recipient(self.to.name, self.to.human, self.to.settings, terms=self.terms, tell_acknowledgements=True)]
            quiet = Quiet((), (), self.now, acknowledged=self.acknowledged)
            messages, withdrawn = decide_notifications(judged, loaded, recipients, "prod", self.now, "watchdog", quiet=quiet)
            transaction.commit(plan(*messages, incidents=incidents, withdrawn=withdrawn, at=self.now))
        return self.deliver()

    def deliver(self, after_s: float = 0.0) -> int:
        """Send what is due. Returns the number of attempts."""
        self.now += after_s
        return self.delivery.drain_once(self.to.name)
