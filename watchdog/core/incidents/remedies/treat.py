"""One look at the remedies of a target: what became of the attempts so far, and which are to begin.

Input: the incidents after this look's verdicts, the findings of those whose rule has a remedy, the attempts so far. Output: the incidents
with what is to be said of their remedies, new and settled attempts, and lines for the history of the incidents.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.remedies.attempt import BEGUN, Attempt, Helped
from watchdog.core.incidents.remedies.due import Circumstances, attempt_due
from watchdog.core.incidents.remedies.wording import attempt_text, remedy_text
from watchdog.core.incidents.wanted import JudgedIncident
from watchdog.core.judging.findings import Finding, Verdict

__all__ = ["Treated", "treat"]

NEVER_ENDED = "unknown"
"""The outcome of an attempt whose end nobody wrote down."""
LOOKS = 2
"""How many intervals an attempt is given before it counts as one that did not help, at least."""


class Treated(Struct, frozen=True):
    """`incidents`: id -> the incident, for those of which something else is to be said now."""

    incidents: Mapping[str, Incident] = {}
    begun: tuple[Attempt, ...] = ()
    settled: tuple[Attempt, ...] = ()
    transitions: tuple[Transition, ...] = ()

    def of(self, incident: Incident) -> Incident:
        """Return an incident as it is after this look."""
        return self.incidents.get(incident.id, incident)


def treat(judged: Sequence[JudgedIncident], findings: Mapping[str, Finding], now: Circumstances) -> Treated:
    """Settle attempts, and begin those that are due, one incident after the other."""
    if not findings and not now.attempts:
        return Treated()
    changed: dict[str, Incident] = {}
    begun: list[Attempt] = []
    settled: list[Attempt] = []
    transitions: list[Transition] = []
    mine = [one for one in now.attempts if one.target == now.target]
    of_incident: dict[str, list[Attempt]] = {}
    for one in mine:
        of_incident.setdefault(one.incident, []).append(one)
    for incident, verdict in ((one.incident, one.verdict) for one in judged):
        if incident.id not in of_incident and incident.id not in findings:
            continue
        attempts = of_incident.pop(incident.id, [])
        known = [_settled(one, incident, verdict, findings.get(incident.id), now) for one in attempts]
        news = [after for before, after in zip(attempts, known, strict=True) if after is not before]
        transitions += [_line(incident, one, now.now) for one in news]
        waits_for = ""
        if (due := _due(incident, verdict, findings.get(incident.id), known, now, begun)) is not None:
            if isinstance(due, Attempt):
                begun.append(due)
                known.append(due)
                transitions.append(_line(incident, due, now.now))
            else:
                waits_for = due
        settled += news
        told_at = now.now if any(one.helped is Helped.NO for one in news) else incident.remedy_news_at
        said = remedy_text(known, waits_for)
        if said != incident.remedy or told_at != incident.remedy_news_at:
            changed[incident.id] = replace(incident, remedy=said, remedy_news_at=told_at)
    orphans = [one for left in of_incident.values() for one in left if one.helped is Helped.OPEN]
    settled += [replace(one, helped=Helped.UNKNOWN) for one in orphans]
    return Treated(changed, tuple(begun), tuple(settled), tuple(transitions))


def _due(
    incident: Incident, verdict: Verdict, finding: Finding | None, known: Sequence[Attempt], now: Circumstances, begun: Sequence[Attempt]
) -> Attempt | str | None:
    """Return the attempt to begin, or what it waits for; None if there is nothing to wait for, or an attempt is still to be settled."""
    if finding is None or finding.rule.remedy is None or any(one.helped is Helped.OPEN for one in known):
        return None
    if incident.state is not State.FIRING or verdict is not Verdict.BREACH:
        return None
    if known and known[-1].helped is Helped.TRIAL and now.now < known[-1].at + _given_s(finding, now):
        return None
    return attempt_due(incident, finding, finding.rule.remedy, replace(now, attempts=(*now.attempts, *begun)))


def _settled(one: Attempt, incident: Incident, verdict: Verdict, finding: Finding | None, now: Circumstances) -> Attempt:
    """Return the attempt with whether it helped, if that is to be seen by now; else the same object."""
    if one.helped is not Helped.OPEN:
        return one
    if not incident.open:
        return replace(one, helped=Helped.YES if incident.ended is Ended.RECOVERED and one.over_at(now.now) is not None else Helped.UNKNOWN)
    over_at = one.over_at(now.now)
    if over_at is None:
        return one
    if verdict is Verdict.CLEAR and now.now > over_at:
        return replace(one, helped=Helped.YES)
    if verdict is not Verdict.BREACH or now.now < over_at + _given_s(finding, now):
        return one
    return replace(one, helped=Helped.NO, ended_at=over_at, outcome=NEVER_ENDED if one.outcome == BEGUN else one.outcome)


def _given_s(finding: Finding | None, now: Circumstances) -> float:
    """Return how long an attempt is given (seconds)."""
    remedy = finding.rule.remedy if finding is not None else None
    return max(LOOKS * now.interval_s, remedy.after_s if remedy is not None else 0.0)


def _line(incident: Incident, attempt: Attempt, at: float) -> Transition:
    return Transition(incident.id, at, incident.state, incident.state, attempt_text(attempt))
