"""Who would be notified of an incident, when, and by which route: for people and machines.

In: an incident, the recipients, the routes. Out: a page, or a JSON document.
"""

from collections.abc import Sequence
from typing import Any

from watchdog.cli.output.page import Block, Grid, Line
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.matchers import labels_of
from watchdog.core.incidents.routing import Recipient, Routing, Terms, Way
from watchdog.core.text.durations import format_duration

__all__ = ["routes_document", "routes_page"]


def routes_page(incident: Incident, recipients: Sequence[Recipient], routing: Routing) -> list[Block]:
    """The labels, and a line for each receiver."""
    rows = [_answer(incident, recipient, routing) for recipient in recipients]
    cells = tuple((row["receiver"], row["when"], row["why"]) for row in rows)
    said = " ".join(f"{name}={value}" for name, value in _labels(incident).items())
    return [Line.of(said), Grid(("receiver", "notified", "why"), cells)]


def routes_document(incident: Incident, recipients: Sequence[Recipient], routing: Routing) -> dict[str, Any]:
    """The same as JSON values."""
    rows = [_answer(incident, recipient, routing) for recipient in recipients]
    return {"version": 1, "labels": _labels(incident), "receivers": rows}


def _labels(incident: Incident) -> dict[str, str]:
    labels = labels_of(incident)
    first = [name for name in ("rule", "severity", "target") if labels[name]]
    return {name: labels[name] for name in (*first, *(name for name in labels if name not in ("rule", "severity", "target")))}


def _answer(incident: Incident, recipient: Recipient, routing: Routing) -> dict[str, Any]:
    """When a recipient is notified, and why or why not."""
    terms = routing.terms(incident, recipient)
    ways = [way for way in routing.ways(labels_of(incident), incident.severity) if way.receiver == recipient.name]
    when = "never" if terms is None else _when(terms)
    return {"receiver": recipient.name, "notified": terms is not None, "when": when, "why": _why(incident, recipient, routing, ways)}


def _when(terms: Terms) -> str:
    waits = [f"if it still fires unacknowledged after {format_duration(terms.after_s)}"] if terms.after_s else ["at once"]
    waits += [f"grouped for {format_duration(terms.group_wait_s)}"] if terms.group_wait_s else []
    return ", ".join(waits)


def _why(incident: Incident, recipient: Recipient, routing: Routing, ways: Sequence[Way]) -> str:
    if not recipient.selects(incident):
        only = [f"min_severity {recipient.min_severity.value}"] if not incident.severity.at_least(recipient.min_severity) else []
        only += [f"match {', '.join(map(str, recipient.matchers))}"] if recipient.matchers else []
        return f"the receiver itself selects only {' and '.join(only)}"
    if not routing.routes:
        return "there are no routes: every receiver is notified"
    if not ways:
        return "no route leads to it"
    best = min(ways, key=lambda way: way.terms.rank).route
    selects = [str(matcher) for matcher in best.matchers] + ([f"min_severity {best.min_severity.value}"] if best.min_severity.rank else [])
    return f"{best.name}: {', '.join(selects) or 'everything'}"
