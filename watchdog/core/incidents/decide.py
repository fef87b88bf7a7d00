"""Make one decision: turn the rules' judgements and the stored state into a plan of what to write and whom to notify.

Input: judgements, what the database holds for the target, the target's readings, the current time. Output: a `Plan`. Nothing else is done
here.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, nextafter

from msgspec.structs import replace

from watchdog.core.incidents.explain.decisions import decisions_made
from watchdog.core.incidents.explain.explained import Made
from watchdog.core.incidents.lifecycle import FIRING, Ended, Incident, State, Transition, begin, end, step, watched_seconds
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.plan import Loaded, Plan, Situation
from watchdog.core.incidents.quiet.acknowledgements import overtaken
from watchdog.core.incidents.quiet.announcements import Announced
from watchdog.core.incidents.quiet.inhibition import Cause, holds_back
from watchdog.core.incidents.quiet.reasons import Elsewhere, Quiet
from watchdog.core.incidents.quiet.shared_servers import Twins, server_of
from watchdog.core.incidents.quiet.silences import is_announcement
from watchdog.core.incidents.remedies.due import Circumstances
from watchdog.core.incidents.remedies.treat import treat
from watchdog.core.incidents.routing import Recipient
from watchdog.core.incidents.wanted import JudgedIncident, about_receiver, held_back
from watchdog.core.judging.findings import BREACH, Finding, Judgement, Verdict
from watchdog.core.judging.links import link_of
from watchdog.core.judging.texts import resolved_text, texts_of
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Key
from watchdog.core.model.target import SELF
from watchdog.core.rules.rule import Rule

__all__ = ["Situation", "decide", "end_target"]

NOTED_AFTER = 0.05
"""Fraction of `forget_after` that must pass before `seen_at` of an incident is updated again."""


def decide(situation: Situation, judgements: Sequence[Judgement], loaded: Loaded, seen: Seen) -> Plan:
    """Return the plan of one cycle for one target. Unchanged incidents are passed on as the same object and are not part of the plan."""
    target, now = situation.target, situation.now
    watched_s = watched_seconds(now, loaded.previous_cycle_at, target.interval_s)
    rules = {judgement.rule.name: judgement.rule for judgement in judgements}
    twins = loaded.twins
    judged: list[JudgedIncident] = []
    causes: list[Cause] = []
    remediable: dict[str, Finding] = {}
    transitions: list[Transition] = []
    itself = target.name == SELF
    asked: Sequence[Announced] = (*loaded.silences, *loaded.deploys)
    announced = {one.id: one for one in asked} if itself else {}
    for moved, finding, made in _moved(situation, judgements, loaded, watched_s):
        incident = _in_turn(moved, now, twins) if moved.server else moved
        rule = finding.rule if finding is not None else rules.get(incident.rule)
        about = about_receiver(incident, finding.rule.reads) if itself and finding is not None else ""
        announces = announced.get(incident.key.get("id", "")) if itself and is_announcement(incident) else None
        verdict = finding.verdict if finding is not None else Verdict.NONE
        judged.append(JudgedIncident(incident, verdict, about, announces, twins.targets(incident) if incident.server else ()))
        if finding is not None and finding.rule.remedy is not None:
            remediable[incident.id] = finding
        if incident.inhibits and rule is not None and holds_back(incident, rule.for_s, now, target.interval_s, rule.keep_firing_for_s):
            causes.append(Cause(incident, about))
        transitions += made
    before = {i.id: i for i in loaded.open}
    judged += [JudgedIncident(i, Verdict.NONE, targets=twins.targets(i)) for i in loaded.unsettled]
    quiet = Quiet(
        causes,
        loaded.silences,
        now,
        acknowledged=loaded.acknowledged,
        deploys=loaded.deploys,
        twins=twins,
        elsewhere=Elsewhere(loaded.twins_causes, loaded.silences, now, deploys=loaded.deploys),
        heard=loaded.hearing(),
    )
    judged = [_let_go(one, before.get(one.incident.id), situation, quiet) for one in judged] if _next_in_line(situation) else judged
    at_hand = situation.remedies, situation.readings, quiet, loaded.deploys, loaded.attempts
    treated = treat(judged, remediable, Circumstances(target.name, now, target.interval_s, *at_hand))
    judged = [replace(one, incident=treated.of(one.incident)) for one in judged] if treated.incidents else judged
    messages, withdrawn = decide_notifications(
        judged,
        loaded,
        situation.recipients,
        target.name,
        now,
        situation.service,
        quiet=quiet,
        routing=situation.routing,
    )
    return Plan(
        target=target.name,
        at=now,
        incidents=_changed(judged, before, loaded.unsettled),
        transitions=(*transitions, *treated.transitions),
        messages=messages,
        withdrawn=withdrawn,
        attempts=(*treated.begun, *treated.settled),
        overtaken=overtaken(loaded.acknowledged, (one.incident for one in judged)),
        memories=seen.memories,
        samples=seen.samples,
        keep_samples_s=situation.keep_samples_s,
        decisions=_decisions(situation, judged, loaded, messages, quiet) if situation.decisions else (),
    )


def _next_in_line(situation: Situation) -> bool:
    """Whether anybody is notified of what has burned for some time only: then it matters since when it could be told."""
    return situation.routing.has_later or any(recipient.terms.after_s for recipient in situation.recipients)


def _let_go(one: JudgedIncident, before: Incident | None, situation: Situation, quiet: Quiet) -> JudgedIncident:
    """Note whether an incident is held back from everybody as it fires, and when that is over: `after` counts from then on."""
    incident = one.incident
    fires_now = before is None or before.fired_at is None
    if incident.state is not State.FIRING or one.verdict is not Verdict.BREACH or not (fires_now or incident.held_back):
        return one
    held = held_back(one, situation.recipients, situation.now, routing=situation.routing, quiet=quiet)
    if held is incident.held_back:
        return one
    return replace(one, incident=replace(incident, held_back=held, let_go_at=0.0 if held else situation.now))


def _decisions(
    situation: Situation, judged: Sequence[JudgedIncident], loaded: Loaded, messages: Sequence[Message], quiet: Quiet
) -> tuple[Made, ...]:
    return tuple(decisions_made(judged, loaded, situation.recipients, messages, situation.now, quiet=quiet, routing=situation.routing))


def end_target(target: str, loaded: Loaded, recipients: tuple[Recipient, ...], now: float, service: str) -> Plan:
    """Return the plan for a target that is no longer configured.

    All its open incidents end as `target removed`, and every receiver that was notified of them is notified of the end.
    """
    ended = [end(incident, Ended.TARGET_REMOVED, now) for incident in loaded.open]
    judged = [JudgedIncident(incident, Verdict.NONE) for incident, _ in ended] + [JudgedIncident(i, Verdict.NONE) for i in loaded.unsettled]
    messages, withdrawn = decide_notifications(judged, loaded, recipients, target, now, service)
    made = tuple(move for _, moved in ended for move in moved)
    return Plan(target, now, tuple(incident for incident, _ in ended), made, messages, withdrawn)


def _changed(judged: Iterable[JudgedIncident], before: Mapping[str, Incident], unsettled: Iterable[Incident]) -> tuple[Incident, ...]:
    """Return the incidents that must be written. Most unchanged incidents are the same object, which saves the comparison."""
    others = [one.incident for one in judged if one.incident is not before.get(one.incident.id)]
    over = {incident.id for incident in unsettled}
    return tuple([one for one in others if one.id not in over and one != before.get(one.id)])


Moved = tuple[Incident, Finding | None, list[Transition]]


def _moved(situation: Situation, judgements: Sequence[Judgement], loaded: Loaded, watched_s: float) -> Iterable[Moved]:
    """Yield every open incident after its verdict, and every new one."""
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
        yield _one(situation, loaded, _about_server(incident, judgement.rule, situation), judgement, found.get(key), watched_s)
    for name, (_, found) in by_rule.items():
        for key, finding in found.items():
            if finding.verdict is Verdict.BREACH and key not in taken[name]:
                texts = texts_of(finding, situation.target.name, finding.severity, situation.target.app)
                link = link_of(finding, situation.target.link, situation.readings)
                incident, first = begin(finding, situation.target.name, situation.now, texts, link, trial=_on_trial(situation, finding))
                incident = _about_server(incident, finding.rule, situation)
                stepped, made = step(incident, finding, 0.0, situation.now, situation.flapping, loaded.fired.get(incident.fingerprint, ()))
                yield stepped, finding, [first, *made]


def _about_server(incident: Incident, rule: Rule, situation: Situation) -> Incident:
    """Note which server it is about; the configuration may have changed since it began."""
    server = server_of(rule.reads, incident.key, situation.servers)
    return incident if server == incident.server else replace(incident, server=server)


def _in_turn(incident: Incident, now: float, twins: Twins) -> Incident:
    """Let an incident of a server that fires in this cycle come after its twins that are known to fire: they have been told already.

    A cycle whose poll took long may have begun before theirs.
    """
    if incident.fired_at != now or twins.last_fired(incident) < now:
        return incident
    return replace(incident, fired_at=nextafter(twins.last_fired(incident), inf))


def _why_gone(situation: Situation, incident: Incident, judgement: Judgement | None) -> Ended:
    if judgement is not None:
        return Ended.RULE_CHANGED
    return Ended.NOT_COVERED if incident.rule in situation.loaded_rules else Ended.RULE_REMOVED


def _one(
    situation: Situation, loaded: Loaded, incident: Incident, judgement: Judgement, finding: Finding | None, watched_s: float
) -> Moved:
    """Apply this cycle's verdict to one open incident. Without a verdict the incident stays as it is, and remembers that there was none."""
    if finding is None or judgement.unknown or judgement.idle or judgement.failed:
        verdict = Verdict.UNKNOWN if judgement.unknown else Verdict.NONE
        return _judged(incident, verdict, trial=incident.trial, deploy=incident.deploy), finding, []
    if _lasts(incident, finding, situation):
        return incident, finding, []
    return _step_by_step(situation, loaded, incident, finding, watched_s)


def _lasts(incident: Incident, finding: Finding, situation: Situation) -> bool:
    """Whether a breach leaves a firing incident as it is. Nearly always it does, and then none of the steps below has an effect."""
    rule, target = finding.rule, situation.target
    return (
        finding.verdict is BREACH
        and incident.state is FIRING
        and incident.verdict == BREACH
        and incident.values == finding.values
        and incident.summary != ""
        and finding.severity.rank <= incident.severity.rank
        and incident.trial is (target.trial or rule.trial)
        and incident.deploy is rule.deploy
        and incident.inhibits == rule.inhibits
        and incident.labels == rule.labels
        and abs(situation.now - incident.seen_at) <= target.forget_after_s * NOTED_AFTER
        and incident.link == link_of(finding, target.link, situation.readings)
    )


def _step_by_step(situation: Situation, loaded: Loaded, incident: Incident, finding: Finding, watched_s: float) -> Moved:
    incident = _judged(incident, finding.verdict, trial=_on_trial(situation, finding), deploy=finding.rule.deploy)
    if not _absent(finding):
        incident = _seen(incident, situation)
    elif _forgotten(situation, incident, finding):
        ended, made = end(incident, Ended.FORGOTTEN, situation.now)
        return ended, finding, made
    if finding.verdict is BREACH:
        incident = _described(incident, finding, situation)
    stepped, made = step(incident, finding, watched_s, situation.now, situation.flapping, loaded.fired.get(incident.fingerprint, ()))
    if stepped.state is State.RESOLVED and stepped.ended is Ended.RECOVERED:
        now_true = resolved_text(finding, situation.target.name, stepped.severity, stepped.summary, situation.target.app)
        stepped = replace(stepped, summary=now_true)
    return stepped, finding, made


def _judged(incident: Incident, verdict: Verdict, *, trial: bool, deploy: bool) -> Incident:
    """Note the last verdict and what its rule says of being quiet: the same object where all is as before, as for nearly all."""
    if incident.verdict == verdict and incident.trial is trial and incident.deploy is deploy:
        return incident
    return replace(incident, verdict=verdict.value, trial=trial, deploy=deploy)


def _on_trial(situation: Situation, finding: Finding) -> bool:
    return situation.target.trial or finding.rule.trial


def _absent(finding: Finding) -> bool:
    """Whether the finding has no row: its cells are then only those of the key."""
    return len(finding.cells) <= len(finding.rule.key) and set(finding.cells) <= set(finding.rule.key)


def _seen(incident: Incident, situation: Situation) -> Incident:
    """Note that the incident's row is present, but only now and then, so that an unchanged incident is not written every cycle."""
    passed = abs(situation.now - incident.seen_at)
    return replace(incident, seen_at=situation.now) if passed > situation.target.forget_after_s * NOTED_AFTER else incident


def _forgotten(situation: Situation, incident: Incident, finding: Finding) -> bool:
    """Whether the row, which is absent, is gone without having recovered.

    Either its table has forgotten it, or it has been absent for `forget_after` from a table that was only partially read.
    """
    readings = [r for name in finding.rule.reads if (r := situation.readings.get(name)) is not None]
    if finding.verdict in (Verdict.CLEAR, Verdict.UNKNOWN) and any(finding.key in r.forgotten for r in readings):
        return True
    cut = any(r.partial for r in readings) and not any(r.unread for r in readings)
    return finding.verdict is Verdict.UNKNOWN and cut and situation.now - incident.seen_at > situation.target.forget_after_s


def _described(incident: Incident, finding: Finding, situation: Situation) -> Incident:
    """Update the incident with what this breach shows. Texts are rendered again only if something changed."""
    rule = finding.rule
    link = link_of(finding, situation.target.link, situation.readings)
    as_declared = (incident.labels, incident.inhibits) == (rule.labels, rule.inhibits)
    same = as_declared and incident.values == finding.values and finding.severity.rank <= incident.severity.rank
    if same and incident.summary:
        return incident if incident.link == link else replace(incident, link=link)
    severity = max(incident.severity, finding.severity, key=lambda s: s.rank)
    texts = texts_of(finding, incident.target, severity, situation.target.app)
    return replace(
        incident,
        values=dict(finding.values),
        labels=dict(rule.labels),
        inhibits=rule.inhibits,
        summary=texts.summary,
        description=texts.description,
        runbook=texts.runbook,
        link=link,
    )
