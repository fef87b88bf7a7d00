"""The plan: everything that a cycle writes, as one value; and what it is decided from: the situation, and what a cycle loads."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from watchdog.core.incidents.explain.explained import Made
from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.core.incidents.messages import FIRE, Message, Notified
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING, Flapping
from watchdog.core.incidents.quiet.shared_servers import NO_TWINS, Twins
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.remedies.attempt import Attempt
from watchdog.core.incidents.routing import NO_ROUTES, Recipient, Routing
from watchdog.core.model.rows import Reading, Sample
from watchdog.core.model.target import Target

__all__ = ["Loaded", "Plan", "Situation"]


class Situation(Struct, frozen=True):
    """The context of a decision."""

    target: Target
    now: float
    recipients: tuple[Recipient, ...] = ()
    routing: Routing = NO_ROUTES
    service: str = "watchdog"
    readings: Mapping[str, Reading] = field(default_factory=dict)
    keep_samples_s: float = 900.0
    loaded_rules: frozenset[str] = frozenset()
    """Names of all loaded rules, including those that do not cover this target: a disabled rule is not a removed one."""
    flapping: Flapping = NEVER_FLAPPING
    servers: Mapping[str, str] = field(default_factory=dict)
    """Source -> what identifies its server, so that targets which share one share its incidents."""
    remedies: frozenset[str] = frozenset()
    """The remedies that are allowed."""
    decisions: bool = False
    """Whether the plan says what was decided about every receiver. It costs about as much as the decisions themselves."""


class Loaded(Struct, frozen=True):
    """What the database holds for one target when a cycle begins to decide.

    `notified`: (incident id, receiver) -> what it was notified of, for open incidents and for ended ones whose end is still to be sent.
    `waiting`: messages that were never sent and may still be merged or withdrawn, oldest first.
    `unsettled`: incidents that fired and ended while a receiver that was notified of them has not been notified of the end.
    """

    open: tuple[Incident, ...] = ()
    unsettled: tuple[Incident, ...] = ()
    notified: Mapping[tuple[str, str], Notified] = field(default_factory=dict)
    waiting: tuple[Message, ...] = ()
    previous_cycle_at: float | None = None
    off: frozenset[str] = frozenset()
    """Receivers that are switched off: nothing is sent there until somebody fixes them."""
    silences: tuple[Silence, ...] = ()
    """Those that have not ended long ago."""
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """Id of an open incident -> the acknowledgement that holds."""
    deploys: tuple[Deploy, ...] = ()
    """Those that have not ended long ago."""
    said_at: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(receiver, group id) -> when the last message about that group was created, for those of the last hour."""
    fired: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Fingerprint -> when its ended incidents fired, within the time that counts for flapping, for those of which there were several."""
    twins: Twins = NO_TWINS
    """Incidents of other targets about servers that this target uses, too: open ones, and those that have ended just now."""
    twins_causes: Mapping[str, tuple[Incident, ...]] = field(default_factory=dict)
    """Target -> its open incidents that may explain the twins there."""
    attempts: tuple[Attempt, ...] = ()
    """Attempts at remedies on any target: those that count for `at_most`, and those that are not settled."""
    last_message: int = 0
    """Number of the last message created. It is part of the next ids, because the clock may be set back."""

    def hearing(self) -> Callable[[str, str], bool]:
        """Return a function of an incident's id and a receiver: whether the receiver believes that it fires, or a message that says so
        waits, or the receiver refused one.
        """
        waits = {(notice.incident, message.receiver) for message in self.waiting for notice in message.notices if notice.event in FIRE}

        def heard(incident: str, receiver: str) -> bool:
            notified = self.notified.get((incident, receiver))
            told = notified is not None and (notified.event in FIRE or notified.refused is not None)
            return told or (incident, receiver) in waits

        return heard


class Plan(Struct, frozen=True):
    """What one cycle writes, in one transaction. Nothing is sent that is not in it."""

    target: str
    at: float
    incidents: tuple[Incident, ...] = ()
    """New and changed incidents."""
    transitions: tuple[Transition, ...] = ()
    messages: tuple[Message, ...] = ()
    """New messages."""
    withdrawn: tuple[str, ...] = ()
    """Ids of waiting messages that are replaced or cancelled."""
    overtaken: tuple[str, ...] = ()
    """Ids of incidents whose acknowledgement is taken back, because they got worse."""
    memories: Mapping[str, object] = field(default_factory=dict)
    """Table -> its memory."""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """Table -> the sample of this cycle, for windowed columns."""
    keep_samples_s: float = 900.0
    """Older samples of this target may be deleted."""
    attempts: tuple[Attempt, ...] = ()
    """Remedies to begin, and those of which is known now whether they helped."""
    decisions: tuple[Made, ...] = ()
    """Every decision about every receiver, if they are logged. They are not stored."""

    @property
    def changes_nothing(self) -> bool:
        """Whether incidents, messages and remedies stay as they are: cycles of other targets need nothing of what it writes."""
        return not (self.incidents or self.transitions or self.messages or self.withdrawn or self.overtaken or self.attempts)
