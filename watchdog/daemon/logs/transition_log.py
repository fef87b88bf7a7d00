"""The transition log: one line per transition of an incident, an event in the past tense with its fields."""

import structlog

from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.core.text.durations import format_duration
from watchdog.daemon.cycle import Done

__all__ = ["log_transitions"]

log = structlog.get_logger()

EVENTS = {
    ("", "pending"): "incident_began",
    ("recovering", "firing"): "incident_fired_again",
}
"""(before, after) -> event, for transitions that the state entered does not fully describe."""
SAME_STATE = {True: "incident_escalated", False: "incident_remedied"}
"""Whether it is an escalation -> event, for what keeps the state; else a remedy did something."""
ENTERED = {"firing": "incident_fired", "recovering": "incident_recovering", "resolved": "incident_resolved", "dropped": "incident_dropped"}


def log_transitions(done: Done) -> None:
    """Log every transition of a committed cycle."""
    named = {incident.id: incident for incident in done.plan.incidents}
    for move in done.plan.transitions:
        if move.incident in named:
            _log(move, named[move.incident])


def _log(move: Transition, incident: Incident) -> None:
    if move.before == move.after:
        event = SAME_STATE[move.reason.startswith("escalated ")]
    else:
        event = EVENTS.get((move.before, move.after)) or ENTERED[move.after]
    fields = {f"key_{name}": value for name, value in incident.key.items()}
    if not incident.open:
        fields["lasted"] = format_duration(round(max(move.at - incident.started_at, 0.0)))
    if event == "incident_fired":
        fields["summary"] = incident.summary
    log.info(
        event,
        target=incident.target,
        rule=incident.rule,
        severity=incident.severity.value,
        reason=move.reason,
        incident=incident.id,
        **fields,
    )
