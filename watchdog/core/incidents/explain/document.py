"""Decisions and reasons as JSON values, the same in every command and in the log of decisions.

In: an `Explained`, a `Reason`. Out: plain mappings.
"""

from typing import Any

from watchdog.core.incidents.explain.explained import Explained, Made
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.reasons import Reason

__all__ = ["decision_document", "explained_document", "reason_document"]


def decision_document(made: Made, at: float) -> dict[str, Any]:
    """One line of the log of decisions."""
    incident = made.incident
    return {
        "at": iso(at),
        "target": incident.target,
        "rule": incident.rule,
        "key": dict(incident.key),
        "incident": incident.id,
        "fingerprint": incident.fingerprint,
        "state": incident.state.value,
        "verdict": made.verdict,
        "receiver": made.receiver,
        **explained_document(made.explained),
    }


def explained_document(made: Explained) -> dict[str, Any]:
    """What is said, or why nothing, until when, and what then."""
    return {
        "said": made.said.value if made.said is not None else None,
        "why": made.why,
        "reason": reason_document(made.reason),
        "until": None if made.until is None else iso(made.until),
        "next": made.next.value if made.next is not None else None,
    }


def reason_document(reason: Reason | None) -> dict[str, Any] | None:
    """The reason as JSON values."""
    if reason is None:
        return None
    if reason.trial:
        return {"trial": True}
    if reason.window is not None:
        ends_at = reason.window.ends_at(reason.at)
        return {"mute": reason.window.name, "until": None if ends_at is None else iso(ends_at)}
    if reason.deploy is not None:
        return {"deploy": reason.deploy.id, "version": reason.deploy.version, "until": iso(reason.deploy.ends_at)}
    if reason.silence is not None:
        return {"silence": reason.silence.id, "until": iso(reason.silence.ends_at), "comment": reason.silence.comment}
    if reason.acknowledged is not None:
        return {"acknowledged_at": iso(reason.acknowledged.at), "by": reason.acknowledged.author, "comment": reason.acknowledged.comment}
    if reason.same_as is not None:
        return {"incident": reason.same_as.id, "rule": reason.same_as.rule, "target": reason.same_as.target}
    return None if reason.cause is None else {"incident": reason.cause.id, "rule": reason.cause.rule, "key": dict(reason.cause.key)}
