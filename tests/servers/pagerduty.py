"""A look-alike of PagerDuty's Events API v2: enforces its documented limits, answers in its words, and keeps its alerts.

Limits and answers as in PagerDuty's api-schema (reference/events-v2) and developer documentation. `alerts` maps each dedup key to one alert
after the other: an event for a key whose alert is resolved opens a new one, as there.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.servers.receiver import Answer, RecordingReceiver, Request

__all__ = ["KEY", "Alert", "PagerDuty"]

KEY = "R0123456789abcdef0123456789abcdE"
LARGEST = 512 * 1024
SEVERITIES = ("critical", "error", "warning", "info")


@dataclass
class Alert:
    """One alert: what opened it, the events that joined it, and whether it is resolved."""

    dedup_key: str
    events: list[dict[str, Any]] = field(default_factory=list)
    state: str = "triggered"


class PagerDuty(RecordingReceiver):
    """Answers 202 for what PagerDuty takes, 400 with `errors` for what it does not, 429 beyond `most` events."""

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self.alerts: dict[str, list[Alert]] = {}
        self.most = most
        self.taken = 0

    @property
    def open(self) -> list[Alert]:
        return [alert for alerts in self.alerts.values() for alert in alerts if alert.state != "resolved"]

    def take(self, request: Request) -> Answer:
        """PagerDuty's answer, unless a test programmed another."""
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if self.most is not None and self.taken >= self.most:
            return Answer(429, {"retry-after": "7"})
        try:
            event = json.loads(request.body)
        except ValueError:
            return _refusal("Unable to parse JSON")
        faults = list(_faults(event, len(request.body)))
        if faults:
            return _refusal(*faults)
        self.taken += 1
        key = event.get("dedup_key") or f"made-{self.taken}"
        self._happen(key, event)
        said = {"status": "success", "message": "Event processed", "dedup_key": key}
        return Answer(202, {"content-type": "application/json"}, json.dumps(said).encode())

    def _happen(self, key: str, event: dict[str, Any]) -> None:
        alerts = self.alerts.setdefault(key, [])
        known = alerts[-1] if alerts and alerts[-1].state != "resolved" else None
        if event["event_action"] == "trigger":
            if known is None:
                known = Alert(key)
                alerts.append(known)
            known.events.append(event)
        elif known is not None:  # an event for an alert that is not open is ignored
            known.events.append(event)
            known.state = {"resolve": "resolved", "acknowledge": "acknowledged"}[event["event_action"]]


def _refusal(*errors: str) -> Answer:
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}
    return Answer(400, {"content-type": "application/json"}, json.dumps(said).encode())


def _faults(event: Any, size: int) -> Any:  # noqa: PLR0912, C901 - a list of rules
    if not isinstance(event, dict):
        yield "Event object is invalid"
        return
    if size > LARGEST:
        yield "Event is larger than 512 KB"
    if len(str(event.get("routing_key", ""))) != 32:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    elif event["routing_key"] != KEY:
        yield "Invalid routing key"
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is missing or invalid"
    if action != "trigger" and not event.get("dedup_key"):
        yield "'dedup_key' is missing or blank"
    if len(event.get("dedup_key", "")) > 255:
        yield "'dedup_key' is longer than 255 characters"
    for link in event.get("links", []):
        if not str(link.get("href", "")).startswith(("http://", "https://")):
            yield "'links' must have a href"
    if action == "trigger":
        payload = event.get("payload")
        if not isinstance(payload, dict):
            yield "'payload' is missing"
            return
        for name in ("summary", "source"):
            if not str(payload.get(name, "")).strip():
                yield f"'payload.{name}' is missing or blank"
        if len(payload.get("summary", "")) > 1024:
            yield "'payload.summary' is longer than 1024 characters"
        if payload.get("severity") not in SEVERITIES:
            yield "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
        try:
            datetime.fromisoformat(payload.get("timestamp", "2026-11-22T09:15:00Z"))
        except ValueError:
            yield "'payload.timestamp' is invalid"
