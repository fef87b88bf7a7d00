"""What the database knows: incidents and who was told, now or at an earlier time, explained for each receiver.

In: an open store, recipients and routes of today's configuration. Out: cases.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.core.incidents.explain.as_it_was import Sent, acknowledged_then, as_it_was, last_moment, notified_then
from watchdog.core.incidents.explain.decisions import Explainer
from watchdog.core.incidents.explain.explained import GROUP, Explained
from watchdog.core.incidents.explain.sentences import EVENTS, Needs, Teller, state_sentence
from watchdog.core.incidents.lifecycle import Incident, State, Transition
from watchdog.core.incidents.messages import FIRE
from watchdog.core.incidents.notify import held_for_group
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.announcements import Announced
from watchdog.core.incidents.quiet.inhibition import Cause, holds_back
from watchdog.core.incidents.quiet.reasons import Elsewhere, Quiet, Reason, causes_by_target
from watchdog.core.incidents.quiet.shared_servers import Twins
from watchdog.core.incidents.quiet.silences import is_announcement
from watchdog.core.incidents.routing import Recipient
from watchdog.core.incidents.wanted import JudgedIncident, about_receiver
from watchdog.core.judging.findings import Verdict
from watchdog.status.why.case import Case, Told
from watchdog.status.why.today import Today

if TYPE_CHECKING:
    from watchdog.store import IncidentShown, Store

__all__ = ["MOST_CASES", "NEVER", "Stored"]

MOST_CASES = 5
"""Most rows that are explained at once."""
NEVER = "The database holds no incident of it: watchdog never saw it in breach, or longer ago than `retention`."


class Stored:
    """The database, read for one answer."""

    def __init__(self, store: "Store", today: Today, clock: Callable[[float], str]) -> None:
        self._store, self._today, self._clock = store, today, clock
        self._loaded: dict[str, Loaded] = {}
        self._were_open: dict[tuple[str, float], list[tuple[Incident, tuple[Transition, ...]]]] = {}
        self._off_since: Mapping[str, float] | None = None

    def open_incidents(self, target: str) -> tuple[Incident, ...]:
        """The incidents of a target that are open now."""
        return self._now(target).open

    def open_now(self, incident: Incident, now: float, verdict: str) -> Case:
        """An open incident: what each receiver is told now."""
        loaded = self._now(incident.target)
        asked: Sequence[Announced] = (*loaded.silences, *loaded.deploys)
        judged = [self._judged(one, asked) for one in loaded.open]
        causes = self._causes(judged, now)
        quiet = Quiet(
            causes,
            loaded.silences,
            now,
            acknowledged=loaded.acknowledged,
            deploys=loaded.deploys,
            twins=loaded.twins,
            elsewhere=Elsewhere(loaded.twins_causes, loaded.silences, now, deploys=loaded.deploys),
            heard=loaded.hearing(),
        )
        mine = next(one for one in judged if one.incident.id == incident.id)
        sent = _sent(self._store.show(incident.id))
        waiting = {message.receiver for message in loaded.waiting for notice in message.notices if notice.incident == incident.id}
        told = []
        for recipient in self._today.recipients:
            notified = loaded.notified.get((incident.id, recipient.name))
            explainer = Explainer(recipient, now, self._today.routing, quiet, again=recipient.name not in loaded.off)
            made = explainer.explain(mine, notified)
            if made.said is not None and recipient.name not in waiting:
                held = held_for_group(judged, loaded, recipient, now, quiet=quiet, routing=self._today.routing).get(incident.id)
                made = explainer.explain(mine, notified, held)
            said = self._told(incident, made, recipient, sent, now)
            off = "; this receiver is switched off, `watchdog outbox` says why" if recipient.name in loaded.off else ""
            told.append(replace(said, sentence=f"{said.sentence}{off}"))
        state = state_sentence(incident, self._needs(incident), now, self._clock)
        return Case(incident.target, incident.key, now, verdict, incident=incident, state=state, told=tuple(told))

    def at(self, rule: str, targets: Sequence[str], wanted: Callable[[Incident], bool], at: float) -> tuple[list[Case], tuple[str, ...]]:
        """The incidents of a rule that were open at a time; else the nearest one, and a note that says so."""
        found = [
            (was, transitions) for target in targets for was, transitions in self._open_then(target, at) if was.rule == rule and wanted(was)
        ]
        if found:
            named = [Case(was.target, was.key, at, "", incident=was) for was, _ in found[MOST_CASES:]]
            return [*(self._then(was, transitions, at) for was, transitions in found[:MOST_CASES]), *named], ()
        near = self._nearest(rule, targets, wanted, at)
        if near is None:
            return [], (NEVER,)
        shown = self._store.show(near.id)
        moment = last_moment(shown.transitions, at)
        when = "began after that" if near.started_at > at else "was over by then"
        said = f"Nothing was open at {self._clock(at)}. The nearest one {when}; this is how it was at {self._clock(moment)}."
        return [self._then(near, shown.transitions, moment)], (said,)

    def last(self, rule: str, targets: Sequence[str], wanted: Callable[[Incident], bool], now: float) -> Case | None:
        """The last incident of a rule that is over, as it was when it last fired; None if there is none."""
        ended = [one for one in self._store.incidents_of(rule) if one.target in targets and wanted(one) and not one.open]
        if not ended:
            return None
        last = max(ended, key=lambda one: (one.resolved_at or one.started_at, one.id))
        transitions = self._store.show(last.id).transitions
        return self._then(last, transitions, last_moment(transitions, now))

    def _nearest(self, rule: str, targets: Sequence[str], wanted: Callable[[Incident], bool], at: float) -> Incident | None:
        mine = [one for one in self._store.incidents_of(rule) if one.target in targets and wanted(one)]
        return min(mine, key=lambda one: min(abs(one.started_at - at), abs((one.resolved_at or one.started_at) - at)), default=None)

    def _then(self, incident: Incident, transitions: Sequence[Transition], at: float) -> Case:
        """One incident at an earlier time."""
        shown, target = self._store.show(incident.id), incident.target
        incident = shown.incident
        was = as_it_was(incident, transitions, at) or incident
        silences, deploys = self._store.silences(), self._store.deploys()
        asked: Sequence[Announced] = (*silences, *deploys)
        causes = self._causes([self._judged(one, asked) for one, _ in self._open_then(target, at)], at)
        sharing = [one for name in self._today.servers if was.server and name != target for one, _ in self._open_then(name, at)]

        def quiet(*, seen: bool) -> Quiet:
            """The reasons of that time, if what explains it could be seen, or if it could not."""
            return Quiet(
                causes if seen else [replace(one, incident=_unseen(one.incident)) for one in causes],
                silences,
                at,
                acknowledged=acknowledged_then(shown.acknowledgements, at),
                deploys=deploys,
                twins=Twins(sharing if seen else map(_unseen, sharing)),
                elsewhere=Elsewhere(causes_by_target(sharing), silences, at, deploys=deploys),
                heard=lambda number, receiver: self._heard_then(number, receiver, at),
            )

        sent, mine, either = _sent(shown), self._judged(was, asked), (quiet(seen=True), quiet(seen=False))
        told = [self._told_then(mine, recipient, sent, at, either) for recipient in self._today.recipients]
        state = state_sentence(was, self._needs(was), at, self._clock)
        after = f"After that, it {state_sentence(incident, self._needs(incident), at, self._clock)}" if not incident.open else ""
        verdict = {State.RECOVERING: "clear then"}.get(was.state, "in breach then")
        return Case(target, was.key, at, verdict, incident=was, state=state, told=tuple(told), notes=tuple(filter(None, (after,))))

    def _open_then(self, target: str, at: float) -> list[tuple[Incident, tuple[Transition, ...]]]:
        """The incidents of a target that were open, as they were, with their transitions."""
        found = self._were_open.get((target, at))
        if found is None:
            stored = self._store.open_then(target, at)
            found = [(was, moves) for one, moves in stored if (was := as_it_was(one, moves, at)) is not None]
            self._were_open[target, at] = found
        return found

    def _heard_then(self, incident: str, receiver: str, at: float) -> bool:
        """Whether a receiver had been notified of an incident, or refused to be."""
        notified = notified_then(_sent(self._store.show(incident)), incident, receiver, at)
        return notified is not None and (notified.event in FIRE or notified.refused is not None)

    def _told_then(self, one: JudgedIncident, recipient: Recipient, sent: Sequence[Sent], at: float, either: tuple[Quiet, Quiet]) -> Told:
        """What a receiver was told then. A message that was made a little later, without a reason to wait, waited for its group.

        `either`: the reasons if what explains it could be seen then, and if it could not, which is not kept.
        """
        notified = notified_then(sent, one.incident.id, recipient.name, at)
        off = self._off_then(recipient.name, at)
        made, unseen = (Explainer(recipient, at, self._today.routing, quiet, again=not off).explain(one, notified) for quiet in either)
        following = next((each for each in sent if each.receiver == recipient.name and each.created_at > at), None)
        if made.said is not None and following is not None:
            made = Explained(why=GROUP, until=following.created_at, next=made.said)
        told = self._told(one.incident, made, recipient, sent, at)
        if made.said is not None:
            told = replace(told, sentence=f"{EVENTS[made.said]} was due then, if it could be seen, and no message of it is kept")
        elif made.why not in ("known", unseen.why) and (cause := _cause_of(made.reason)):
            told = replace(told, sentence=f"{told.sentence}; unless nobody could see {cause} then, of which this receiver never heard")
        return replace(told, sentence=f"{told.sentence}; this receiver was switched off") if off else told

    def _off_then(self, receiver: str, at: float) -> bool:
        """Whether it is known that a receiver was switched off: since before that time, and until now."""
        if self._off_since is None:
            self._off_since = {one.receiver: one.at for one in self._store.outbox_shown().off}
        return self._off_since.get(receiver, at) < at

    def _told(self, incident: Incident, made: Explained, recipient: Recipient, sent: Sequence[Sent], at: float) -> Told:
        mine = [one for one in sent if one.receiver == recipient.name]
        before = tuple(one for one in mine if one.created_at <= at)
        teller = Teller(incident, self._today.routing, self._needs(incident), self._clock)
        sentence = teller.sentence(made, recipient)
        on_its_way = bool(before) and before[-1].state in ("waiting", "sending")
        if on_its_way and (made.said is not None or made.why == "known"):
            sentence = f"{EVENTS[before[-1].event]} is in the outbox, and not delivered yet"
        return Told(recipient.name, made, sentence, teller.next(made), before, tuple(mine[len(before) :]))

    def _now(self, target: str) -> Loaded:
        if target not in self._loaded:
            self._loaded[target] = self._store.loaded(target, self._today.servers.get(target, ()))
        return self._loaded[target]

    def _judged(self, incident: Incident, asked: Sequence[Announced]) -> JudgedIncident:
        rule = self._today.rule_of(incident.target, incident.rule, incident.key)
        verdict = Verdict(incident.verdict) if incident.verdict else Verdict.BREACH if incident.breaching else Verdict.CLEAR
        announces = next((one for one in asked if one.id == incident.key.get("id")), None) if is_announcement(incident) else None
        return JudgedIncident(incident, verdict, about_receiver(incident, rule.reads if rule is not None else ()), announces)

    def _causes(self, judged: Sequence[JudgedIncident], now: float) -> list[Cause]:
        return [Cause(one.incident, one.about) for one in judged if self._holds_back(one.incident, now)]

    def _holds_back(self, incident: Incident, now: float) -> bool:
        rule = self._today.rule_of(incident.target, incident.rule, incident.key)
        for_s, keep_firing_for_s = (0.0, inf) if rule is None else (rule.for_s, rule.keep_firing_for_s)
        return holds_back(incident, for_s, now, self._today.intervals.get(incident.target, 0.0), keep_firing_for_s)

    def _needs(self, incident: Incident) -> Needs:
        rule = self._today.rule_of(incident.target, incident.rule, incident.key)
        if rule is None:
            return Needs()
        return Needs(rule.for_s, self._today.flapping.quiet_needed_s(rule, flapping=incident.flapping))


def _unseen(incident: Incident) -> Incident:
    return replace(incident, verdict=Verdict.UNKNOWN.value)


def _cause_of(reason: Reason | None) -> str:
    """What is told instead; empty if it is quiet for something else."""
    if reason is None:
        return ""
    return reason.cause.rule if reason.cause is not None else f"that of {reason.same_as.target}" if reason.same_as is not None else ""


def _sent(shown: "IncidentShown") -> tuple[Sent, ...]:
    names = Sent.__struct_fields__
    return tuple(Sent(**{name: getattr(message, name) for name in names}) for message in shown.messages)
