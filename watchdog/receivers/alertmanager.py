"""A mirror of what fires in an Alertmanager: each minute the whole firing set, and for five minutes what has ended since.

No message and no outbox: Alertmanager forgets an alert at its `endsAt` unless it is sent again, so the next look repairs what one missed.
An alert is its labels. They name neither an incident nor a watchdog, so that two watchdogs of one cluster are one to Alertmanager. When a
severity changes, the labels with the old one end in the same request. What people do in watchdog about an incident is an annotation: it is
no end, and labels with it would be another alert.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.outcome import Delivered, Outcome
from watchdog.core.incidents.quiet.reasons import NOT_QUIET, Quiet
from watchdog.core.text.phrasing import format_value, worth_showing
from watchdog.core.text.sanitize import sanitize
from watchdog.core.text.timestamps import iso
from watchdog.receivers.notice_text import is_url, limited

__all__ = ["ENDS_AFTER_S", "Alert", "Alertmanager", "Posts", "alert_of"]

ENDS_AFTER_S = 240.0
"""How long an alert lives without being sent again: three looks may fail."""
TOLD_ENDED_S = 300.0
"""How long an end is repeated."""
_LONGEST_LABEL, _LONGEST_ANNOTATION = 500, 4_000
_OWN = ("alertname", "severity", "target")
_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]", re.ASCII)

Labels = tuple[tuple[str, str], ...]


class Posts(Protocol):
    """One URL to post to (`HttpAttempt`)."""

    def post(self, body: bytes, headers: Mapping[str, str], now: float) -> Outcome:
        """One attempt, which ends with its timeout."""
        ...

    def close(self) -> None:
        """Close the socket."""
        ...


class Alert(Struct, frozen=True):
    """What Alertmanager is sent of one incident, apart from when it ends."""

    labels: Labels
    annotations: Mapping[str, str]
    starts_at: float
    link: str


class Alertmanager:
    """The mirror of one configuration in one Alertmanager. It remembers only what it sent in the last minutes. Not thread-safe."""

    def __init__(self, name: str, posts: Posts, headers: Mapping[str, str], selects: "Selects") -> None:
        self.name = name
        self._posts, self._headers, self._selects = posts, {**headers, "content-type": "application/json"}, selects
        self._firing: dict[Labels, Alert] = {}
        self._ended: dict[Labels, tuple[Alert, float]] = {}

    def look(self, incidents: Iterable[Incident], now: float, quiet: Quiet = NOT_QUIET) -> Outcome:
        """Send what of these fires at `now` (epoch seconds), and what ended lately. What is sent counts as known there."""
        body = msgspec.json.encode(self.document(incidents, now, quiet))
        return Delivered("nothing fires") if body == b"[]" else self._posts.post(body, self._headers, now)

    def document(self, incidents: Iterable[Incident], now: float, quiet: Quiet = NOT_QUIET) -> list[dict[str, Any]]:
        """What to send now, as JSON values."""
        firing: dict[Labels, Alert] = {}
        for incident in incidents:
            if incident.state in (State.FIRING, State.RECOVERING) and not incident.trial and self._selects(incident):
                alert = alert_of(incident, quiet)
                firing.setdefault(alert.labels, alert)
        ended = {labels: (alert, now) for labels, alert in self._firing.items() if labels not in firing}
        kept = {labels: one for labels, one in self._ended.items() if labels not in firing and 0 <= now - one[1] < TOLD_ENDED_S}
        self._firing, self._ended = firing, kept | ended
        over = (_as_json(alert, at) for alert, at in self._ended.values())
        return [*(_as_json(alert, now + ENDS_AFTER_S) for alert in firing.values()), *over]

    def close(self) -> None:
        """Close the connection."""
        self._posts.close()


class Selects(Protocol):
    """Whether an incident is mirrored."""

    def __call__(self, incident: Incident, /) -> bool:
        """Return whether it is."""
        ...


def alert_of(incident: Incident, quiet: Quiet = NOT_QUIET) -> Alert:
    """The alert: labels for rule, severity, target, the key, and the labels of the rule, in this order of precedence."""
    labels = {"alertname": incident.rule, "severity": incident.severity.value, "target": incident.target}
    for name, value in (*incident.key.items(), *incident.labels.items()):
        labels.setdefault(_label_name(name), value)
    shown = {name: text for name, value in labels.items() if (text := limited(value, _LONGEST_LABEL))}  # an empty label is none
    link = incident.link if is_url(incident.link) else ""
    return Alert(tuple(sorted(shown.items())), dict(_annotations(incident, quiet)), incident.fired_at or incident.started_at, link)


def _label_name(name: str) -> str:
    """A name that Alertmanager takes; a column called like one of our own labels is told apart."""
    taken = _NO_LABEL.sub("_", name)
    return f"key_{taken}" if taken in _OWN or taken[:1].isdigit() or taken.startswith("__") else taken


def _annotations(incident: Incident, quiet: Quiet) -> Iterator[tuple[str, str]]:
    for name, text in (("summary", incident.summary), ("description", incident.description)):
        if text:
            yield name, _lines(text)
    if is_url(incident.runbook.strip()):
        yield "runbook_url", incident.runbook.strip()
    elif incident.runbook:
        yield "runbook", _lines(incident.runbook)
    values = [f"{name}={'?' if cell is None else format_value(cell)}" for name, cell in worth_showing(incident.values).items()]
    if values:
        yield "values", limited(", ".join(values), _LONGEST_ANNOTATION)
    if given := quiet.acknowledgement(incident):
        yield "acknowledged", _said(f"since {iso(given.at)}", given.author, given.comment)
    if silence := quiet.silence(incident):
        yield "silenced", _said(f"until {iso(silence.ends_at)}", silence.author, silence.comment)


def _said(when: str, author: str, comment: str) -> str:
    by = f"{when} by {author}" if author else when
    return limited(f"{by}: {comment}" if comment else by, _LONGEST_LABEL)


def _lines(text: str) -> str:
    cut = text if len(text) <= _LONGEST_ANNOTATION else text[: _LONGEST_ANNOTATION - 1] + "…"
    return "\n".join(map(sanitize, cut.splitlines()))


def _as_json(alert: Alert, ends_at: float) -> dict[str, Any]:
    link = {"generatorURL": alert.link} if alert.link else {}
    times = {"startsAt": iso(min(alert.starts_at, ends_at)), "endsAt": iso(ends_at)}
    return {"labels": dict(alert.labels), "annotations": dict(alert.annotations), **times, **link}
