"""Rules, findings, incidents, notices and messages, one value each with sane defaults; a test changes what it is about."""

from typing import Any

from msgspec.structs import replace

from tests.builders.answers import NOW
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.messages import Event, Message, Notice, Notified
from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.model.identity import fingerprint
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule


def a_rule(name: str = "QueueBacklogHigh", **changes: Any) -> Rule:
    rule = Rule(
        name=name,
        table="queues",
        when="length > 50",
        key=("name",),
        summary="{{ name }} holds {{ length }} messages",
        columns=("length",),
        reads={"queues": frozenset({"length"})},
        identity="queues",
    )
    return replace(rule, **changes)


def a_finding(
    verdict: Verdict = Verdict.BREACH, rule: Rule | None = None, key: tuple[str, ...] = ("indexing",), length: float = 60.0, **changes: Any
) -> Finding:
    rule = rule or a_rule()
    cells: dict[str, Cell] = {**dict(zip(rule.key, key, strict=True)), "length": length}
    finding = Finding(rule=rule, key=key, verdict=verdict, severity=rule.severity, values={"length": length}, cells=cells)
    return replace(finding, **changes)


def an_absent(verdict: Verdict, rule: Rule | None = None, key: tuple[str, ...] = ("indexing",)) -> Finding:
    """The verdict on a key without a row."""
    rule = rule or a_rule()
    return Finding(rule=rule, key=key, verdict=verdict, severity=rule.severity, cells=dict(zip(rule.key, key, strict=True)))


def an_incident(state: State = State.FIRING, **changes: Any) -> Incident:
    print_ = fingerprint("QueueBacklogHigh", "prod", {"name": "indexing"})
    incident = Incident(
        id="01INCIDENT",
        fingerprint=print_,
        rule="QueueBacklogHigh",
        identity="queues",
        target="prod",
        key={"name": "indexing"},
        state=state,
        severity=Severity.WARNING,
        started_at=NOW - 100,
        fired_at=None if state in (State.PENDING, State.DROPPED) else NOW - 60,
        values={"length": 60.0},
        seen_at=NOW,
        summary="indexing holds 60 messages",
        verdict=(Verdict.CLEAR if state is State.RECOVERING else Verdict.BREACH).value,
    )
    return replace(incident, **changes)


def a_notice(incident: Incident | None = None, event: Event = Event.FIRST, **changes: Any) -> Notice:
    incident = incident or an_incident()
    notice = Notice(
        incident=incident.id,
        fingerprint=incident.fingerprint,
        event=event,
        rule=incident.rule,
        target=incident.target,
        severity=incident.severity,
        state="resolved" if event is Event.RESOLVED else "firing",
        key=incident.key,
        started_at=incident.started_at,
        fired_at=incident.fired_at,
        sequence=1,
    )
    return replace(notice, **changes)


def a_message(*notices: Notice, receiver: str = "ops", **changes: Any) -> Message:
    message = Message("01MESSAGE", receiver, "prod", NOW - 50, notices or (a_notice(),), group_id="g")
    return replace(message, **changes)


def a_told(event: Event | None = Event.FIRST, incident: str = "01INCIDENT", receiver: str = "ops", **changes: Any) -> Notified:
    told = Notified(incident, receiver, event, Severity.WARNING, 1, NOW - 50, group_id="g")
    return replace(told, **changes)
