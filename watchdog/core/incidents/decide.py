"""One decision: what the rules found, and what is remembered, become the plan of what to write and whom to tell.

In: judgements, what the database holds of the target, its readings, now. Out: a `Plan`. Nothing else happens here.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition, begin, changed, end, step, watched_seconds
from watchdog.core.incidents.notify import JudgedIncident, Recipient, about_receiver, decide_notifications
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.judging.links import link_of
from watchdog.core.judging.texts import resolved_text, texts_of
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Key, Reading
from watchdog.core.model.target import Target

__all__ = ["Situation", "decide", "end_target"]

NOTED_AFTER = 0.05
"""How much of `forget_after` may pass before it is noted again that an incident's row is there."""


class Situation(Struct, frozen=True):
    """What a decision is made in."""

    target: Target
    now: float
    recipients: tuple[Recipient, ...] = ()
    service: str = "watchdog"
    readings: Mapping[str, Reading] = field(default_factory=dict)
    keep_samples_s: float = 900.0
    loaded_rules: frozenset[str] = frozenset()
    """The names of all rules, those included that are not asked of this target: one that is switched off is not removed."""


def decide(situation: Situation, judgements: Sequence[Judgement], loaded: Loaded, seen: Seen) -> Plan:
    """The plan of one cycle for one target. What did not change is passed on as the same object, and is not in it."""
    watched_s = watched_seconds(situation.now, loaded.previous_cycle_at, situation.target.interval_s)
    judged: list[JudgedIncident] = []
    transitions: list[Transition] = []
    for incident, finding, made in _moved(situation, judgements, loaded, watched_s):
        verdict = finding.verdict if finding is not None else Verdict.NONE
        judged.append(JudgedIncident(incident, verdict, about_receiver(incident, finding.rule.reads if finding is not None else ())))
        transitions += made
    before = {i.id: i for i in loaded.open}
    judged += [JudgedIncident(i, Verdict.NONE) for i in loaded.unsettled]
    messages, withdrawn = decide_notifications(
        judged, loaded, situation.recipients, situation.target.name, situation.now, situation.service
    )
    unsettled = {i.id for i in loaded.unsettled}
    return Plan(
        target=situation.target.name,
        at=situation.now,
        incidents=tuple(s.incident for s in judged if s.incident.id not in unsettled and _is_new(s.incident, before.get(s.incident.id))),
        transitions=tuple(transitions),
        messages=messages,
        withdrawn=withdrawn,
        memories=seen.memories,
        samples=seen.samples,
        keep_samples_s=situation.keep_samples_s,
    )


def end_target(target: str, loaded: Loaded, recipients: tuple[Recipient, ...], now: float, service: str) -> Plan:
    """The plan for a target that is no longer configured: all it had open ends as `target removed`, and whoever was told hears it."""
    ended = [end(incident, Ended.TARGET_REMOVED, now) for incident in loaded.open]
    judged = [JudgedIncident(incident, Verdict.NONE) for incident, _ in ended] + [JudgedIncident(i, Verdict.NONE) for i in loaded.unsettled]
    messages, withdrawn = decide_notifications(judged, loaded, recipients, target, now, service)
    made = tuple(move for _, moved in ended for move in moved)
    return Plan(target, now, tuple(incident for incident, _ in ended), made, messages, withdrawn)


def _is_new(incident: Incident, before: Incident | None) -> bool:
    """Whether it is to be written. What did not change is mostly the very same object, which costs no comparison."""
    return incident is not before and incident != before


Moved = tuple[Incident, Finding | None, list[Transition]]


def _moved(situation: Situation, judgements: Sequence[Judgement], loaded: Loaded, watched_s: float) -> Iterable[Moved]:
    """Every open incident after its verdict, and every new one."""
    by_rule = {j.rule.name: (j, {f.key: f for f in j.findings}) for j in judgements}
    taken: dict[str, set[Key]] = {name: set() for name in by_rule}
    for incident in loaded.open:
        judgement, found = by_rule.get(incident.rule, (None, {}))
        if judgement is None or judgement.rule.identity != incident.identity:
            ended, made = end(incident, _why_gone(situation, incident, judgement), situation.now)
            yield ended, None, made
            continue
        key = tuple(map(incident.key.__getitem__, judgement.rule.key))
        taken[incident.rule].add(key)
        yield _one(situation, incident, judgement, found.get(key), watched_s)
    for name, (_, found) in by_rule.items():
        for key, finding in found.items():
            if finding.verdict is Verdict.BREACH and key not in taken[name]:
                texts = texts_of(finding, situation.target.name, finding.severity, situation.target.app)
                link = link_of(finding, situation.target.link, situation.readings)
                incident, first = begin(finding, situation.target.name, situation.now, texts, link)
                stepped, made = step(incident, finding, 0.0, situation.now)
                yield stepped, finding, [first, *made]


def _why_gone(situation: Situation, incident: Incident, judgement: Judgement | None) -> Ended:
    if judgement is not None:
        return Ended.RULE_CHANGED
    return Ended.NOT_COVERED if incident.rule in situation.loaded_rules else Ended.RULE_REMOVED


def _one(situation: Situation, incident: Incident, judgement: Judgement, finding: Finding | None, watched_s: float) -> Moved:
    """One open incident after this cycle's verdict; without a verdict it stays as it is."""
    if finding is None or judgement.unknown or judgement.idle or judgement.failed:
        return incident, finding, []
    if _forgotten(situation, incident, finding):
        ended, made = end(incident, Ended.FORGOTTEN, situation.now)
        return ended, finding, made
    if not _absent(finding):
        incident = _seen(incident, situation)
    if finding.verdict is Verdict.BREACH:
        incident = _described(incident, finding, situation)
    stepped, made = step(incident, finding, watched_s, situation.now)
    if stepped.state is State.RESOLVED and stepped.ended is Ended.RECOVERED:
        now_true = resolved_text(finding, situation.target.name, stepped.severity, stepped.summary, situation.target.app)
        stepped = changed(stepped, summary=now_true)
    return stepped, finding, made


def _absent(finding: Finding) -> bool:
    """Whether there is no row for it: an absent key has its key cells alone."""
    return len(finding.cells) <= len(finding.rule.key) and set(finding.cells) <= set(finding.rule.key)


def _seen(incident: Incident, situation: Situation) -> Incident:
    """Its row is there. Noted now and then, so that an incident that does not change is not written each cycle."""
    passed = abs(situation.now - incident.seen_at)
    return changed(incident, seen_at=situation.now) if passed > situation.target.forget_after_s * NOTED_AFTER else incident


def _forgotten(situation: Situation, incident: Incident, finding: Finding) -> bool:
    """Its row is gone, and not because all is well: let go by its table, or absent from one read in part for `forget_after`."""
    if not _absent(finding):
        return False
    readings = [r for name in finding.rule.reads if (r := situation.readings.get(name)) is not None]
    if finding.verdict in (Verdict.CLEAR, Verdict.UNKNOWN) and any(finding.key in r.forgotten for r in readings):
        return True
    cut = any(r.partial for r in readings) and not any(r.unread for r in readings)
    return finding.verdict is Verdict.UNKNOWN and cut and situation.now - incident.seen_at > situation.target.forget_after_s


def _described(incident: Incident, finding: Finding, situation: Situation) -> Incident:
    """The incident with what this breach shows; texts are rendered anew only where the values or the severity changed."""
    rule = finding.rule
    link = link_of(finding, situation.target.link, situation.readings)
    same = incident.values == finding.values and incident.labels == rule.labels and finding.severity.rank <= incident.severity.rank
    if same and incident.summary:
        return incident if incident.link == link else changed(incident, link=link)
    severity = max(incident.severity, finding.severity, key=lambda s: s.rank)
    texts = texts_of(finding, incident.target, severity, situation.target.app)
    return changed(
        incident,
        values=dict(finding.values),
        labels=dict(rule.labels),
        inhibits=rule.inhibits,
        summary=texts.summary,
        description=texts.description,
        runbook=texts.runbook,
        link=link,
    )
