"""Why nobody is notified of an incident that fires: every reason to be quiet, in one order.

1. Its rule or its target is on trial.
2. Its target is being deployed (`deploys`).
3. Another incident explains it (`inhibition`).
4. Another target that shares the server has the same incident, and is told (`shared_servers`).
5. A person silenced it (`silences`).
6. A person acknowledged it (`acknowledgements`).
7. The recipient is muted at this hour (`windows`).

Reasons are no states: they are worked out anew in each cycle, from the open incidents and what people asked for. The end of an incident is
never kept from those who were notified of its beginning.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy, deploy_of
from watchdog.core.incidents.quiet.inhibition import Cause, Inhibitions
from watchdog.core.incidents.quiet.shared_servers import NO_TWINS, Twins
from watchdog.core.incidents.quiet.silences import Silence, silenced_by
from watchdog.core.incidents.quiet.windows import Window, window_of
from watchdog.core.judging.findings import Verdict
from watchdog.core.text.durations import format_duration

__all__ = ["NOT_QUIET", "WORDS", "Elsewhere", "Quiet", "Reason", "causes_by_target", "quiet_reasons"]


WORDS = ("trial", "deploy", "inhibited", "shared", "silenced", "acknowledged", "muted")
"""A word for each reason, in their order. They never change."""
MOST_CAUSES = 3
NO_ACKNOWLEDGEMENTS: Mapping[str, Acknowledgement] = {}


class Reason(Struct, frozen=True):
    """Why an incident is quiet, and when that was worked out; exactly one of the others is set."""

    trial: bool = False
    deploy: Deploy | None = None
    cause: Incident | None = None
    """The incident that explains it."""
    same_as: Incident | None = None
    """The incident of another target that is told in its stead."""
    silence: Silence | None = None
    acknowledged: Acknowledgement | None = None
    window: Window | None = None
    """The window that mutes the recipient."""
    at: float = 0.0

    @property
    def word(self) -> str:
        """One of `WORDS`."""
        set_ = (self.trial, self.deploy, self.cause, self.same_as, self.silence, self.acknowledged, self.window)
        return next(word for word, one in zip(WORDS, set_, strict=True) if one)

    @property
    def until(self) -> float | None:
        """When it ends by itself; None if that depends on something else."""
        ends = self.deploy or self.silence
        if ends is not None:
            return ends.ends_at
        return self.window.ends_at(self.at) if self.window is not None else None


class Quiet:
    """The reasons to be quiet on one target now."""

    def __init__(  # noqa: PLR0913 - every reason has its own origin
        self,
        causes: Iterable[Cause],
        silences: Sequence[Silence],
        now: float,
        *,
        acknowledged: Mapping[str, Acknowledgement] = NO_ACKNOWLEDGEMENTS,
        deploys: Sequence[Deploy] = (),
        twins: Twins = NO_TWINS,
        elsewhere: "Elsewhere | None" = None,
        heard: Callable[[str, str], bool] = lambda *_: True,
    ) -> None:
        """`twins`: incidents of other targets about the same servers. `elsewhere`: the reasons there, for these.

        `heard`: whether a receiver was notified of an incident (its id, the receiver's name).
        """
        self._twins, self._elsewhere, self._heard = twins, elsewhere, heard
        self.now = now
        asked: Sequence[Silence | Deploy] = (*silences, *deploys)
        self._ended = [one for one in asked if one.ends_at <= now]
        self._inhibitions = Inhibitions(cause for cause in causes if not cause.incident.trial)
        self._silenced = silenced_by(tuple([silence for silence in silences if silence.covers(now)]))
        self._deploys = [deploy for deploy in deploys if deploy.covers(now)]
        self._acknowledged = acknowledged

    def reason(
        self, incident: Incident, hears_of: Callable[[Cause], bool] = lambda _: True, muted_by: Window | None = None
    ) -> Reason | None:
        """Return why a recipient is not notified of an open incident; None if it may be.

        `hears_of`: which causes it may be notified of. `muted_by`: the window that mutes it now.
        """
        if incident.trial:
            return Reason(trial=True)
        if deploy := deploy_of(incident, self._deploys):
            return Reason(deploy=deploy)
        if cause := self._inhibitions.cause_of(incident, hears_of):
            return Reason(cause=cause)
        if twin := self._told_as(incident, hears_of):
            return Reason(same_as=twin)
        if silence := self.silence(incident):
            return Reason(silence=silence)
        if acknowledged := self.acknowledgement(incident):
            return Reason(acknowledged=acknowledged)
        return Reason(window=muted_by, at=self.now) if muted_by is not None else None

    def silence(self, incident: Incident) -> Silence | None:
        """Return the silence that hides an incident now; None if none does."""
        return self._silenced.by(incident)

    def acknowledgement(self, incident: Incident) -> Acknowledgement | None:
        """Return who works on an incident; None if nobody does, or it has got worse since."""
        given = self._acknowledged.get(incident.id)
        return given if given is not None and given.holds_for(incident) else None

    def _told_as(self, incident: Incident, hears_of: Callable[[Cause], bool]) -> Incident | None:
        """Return the twin that the recipient is told of instead."""
        for twin in self._twins.before(incident):
            if hears_of(Cause(twin)) and _told(twin, self._elsewhere, hears_of):
                return twin
        return None

    def untold(self, cause: Incident, receiver: str) -> bool:
        """Whether a receiver never heard of an open incident that fired, and cannot be told of it now, because nobody sees it."""
        unseen = cause.fired_at is not None and cause.verdict in (Verdict.UNKNOWN, Verdict.NONE)
        return unseen and not self._heard(cause.id, receiver)

    def hidden_until(self, incident: Incident) -> float:
        """Return when the last silence or deploy ended that hid an incident since it fired; 0 if none did."""
        since = incident.fired_at or incident.started_at
        return max((one.ends_at for one in self._ended if since < one.ends_at and one.hides(incident)), default=0.0)

    def because(self, incident: Incident) -> tuple[str, ...]:
        """Return what explains an incident, in words, whether or not it is kept quiet for it: `BrokerUnreachable redis for 4m`."""
        causes = [cause for cause in self._inhibitions.explained_by(incident) if cause.fired_at is not None]
        return tuple(_in_words(cause, self.now) for cause in causes[:MOST_CAUSES])


def _in_words(cause: Incident, now: float) -> str:
    lasts = format_duration(round(max(now - cause.started_at, 0.0)))
    return " ".join([cause.rule, *([", ".join(cause.key.values())] if cause.key else []), f"for {lasts}"])


NOT_QUIET = Quiet((), (), 0.0)


class Elsewhere:
    """The reasons to be quiet on each target, each worked out once it is asked for: of a thousand that share a server, mostly one is."""

    def __init__(
        self,
        causes: Mapping[str, Iterable[Incident]],
        silences: Sequence[Silence],
        now: float,
        *,
        acknowledged: Mapping[str, Acknowledgement] = NO_ACKNOWLEDGEMENTS,
        deploys: Sequence[Deploy] = (),
    ) -> None:
        """`causes`: target -> its open incidents that may explain others there."""
        self._causes = causes
        self._silences, self._now, self._acknowledged, self._deploys = silences, now, acknowledged, deploys
        self._known: dict[str, Quiet] = {}

    def of(self, target: str) -> Quiet:
        """Return the reasons of one target alone, without those that it shares."""
        if target not in self._known:
            causes = map(Cause, self._causes.get(target, ()))
            self._known[target] = Quiet(causes, self._silences, self._now, acknowledged=self._acknowledged, deploys=self._deploys)
        return self._known[target]


def _told(twin: Incident, elsewhere: Elsewhere | None, hears_of: Callable[[Cause], bool] = lambda _: True) -> bool:
    """Whether an incident of another target may be told in the stead of its twins. An acknowledged one counts: somebody knows."""
    there = (elsewhere.of(twin.target) if elsewhere is not None else NOT_QUIET).reason(twin, hears_of)
    return there is None or there.acknowledged is not None


def quiet_reasons(
    incidents: Iterable[Incident],
    silences: Sequence[Silence],
    now: float,
    *,
    acknowledged: Mapping[str, Acknowledgement] = NO_ACKNOWLEDGEMENTS,
    deploys: Sequence[Deploy] = (),
    windows: Iterable[Window] = (),
) -> dict[str, Reason]:
    """Return the id of each open incident that is quiet -> why, for all open incidents of all targets.

    `windows`: those that mute every receiver.
    """
    muted_by = window_of(now, windows)
    open_ = [incident for incident in incidents if incident.open]
    causes = causes_by_target(open_)
    elsewhere = Elsewhere(causes, silences, now, acknowledged=acknowledged, deploys=deploys)
    twins = Twins(one for one in open_ if one.server and _told(one, elsewhere))  # only these: each is asked about once, not by each twin
    there = {
        target: Quiet(map(Cause, its), silences, now, acknowledged=acknowledged, deploys=deploys, twins=twins, elsewhere=elsewhere)
        for target, its in causes.items()
    }
    found = {incident.id: there[incident.target].reason(incident, muted_by=muted_by) for incident in open_}
    return {number: reason for number, reason in found.items() if reason is not None}


def causes_by_target(incidents: Iterable[Incident]) -> dict[str, list[Incident]]:
    """Return each target of these incidents -> those that are open and may explain others there."""
    of_target: dict[str, list[Incident]] = {}
    for incident in incidents:
        causes = of_target.setdefault(incident.target, [])
        if incident.inhibits and incident.open:
            causes.append(incident)
    return of_target
