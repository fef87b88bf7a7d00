"""What `watchdog ack`, `unack` and `close` have written, for people and machines.

In: the incidents. Out: pages, and JSON documents.
"""

from collections.abc import Sequence
from typing import Any

from watchdog.cli.output.page import Block, Line
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.text.wording import key_text
from watchdog.status.quiet_wording import acknowledged_document as acknowledgement_values

__all__ = ["acknowledged_document", "acknowledged_page", "closed_document", "closed_page", "taken_back_document", "taken_back_page"]


def acknowledged_page(given: Sequence[tuple[Incident, Acknowledgement]]) -> list[Block]:
    """What was acknowledged, and what that means."""
    them = "it ends or gets" if len(given) == 1 else "they end or get"
    return [*(Line.of(f"acknowledged {_named(one)}") for one, _ in given), Line.of(f"Nobody is reminded until {them} worse.", indent=2)]


def taken_back_page(incidents: Sequence[Incident]) -> list[Block]:
    """What is not acknowledged any more."""
    return [
        *(Line.of(f"no longer acknowledged: {_named(one)}") for one in incidents),
        Line.of("What is due to be sent is sent with the next cycle that sees a breach.", indent=2),
    ]


def closed_page(incidents: Sequence[Incident], running: bool | None) -> list[Block]:  # noqa: FBT001 - `Watched.now`
    """What was closed, and who hears of it. `running`: whether a daemon runs."""
    told = "Everybody who was notified of the beginning is notified of the end with the next cycle"
    later = "; no `watchdog run` uses this database now" if running is False else ""
    return [*(Line.of(f"closed {_named(one)}") for one in incidents), Line.of(f"{told}{later}.", indent=2)]


def acknowledged_document(given: Sequence[tuple[Incident, Acknowledgement]]) -> dict[str, Any]:
    """What was acknowledged as JSON values."""
    listed = [{**_values(one), "acknowledged": acknowledgement_values(acknowledgement)} for one, acknowledgement in given]
    return {"version": 1, "incidents": listed}


def taken_back_document(incidents: Sequence[Incident]) -> dict[str, Any]:
    """What is not acknowledged any more as JSON values."""
    return {"version": 1, "incidents": [{**_values(one), "acknowledged": None} for one in incidents]}


def closed_document(incidents: Sequence[Incident]) -> dict[str, Any]:
    """What was closed as JSON values."""
    return {
        "version": 1,
        "incidents": [
            {
                **_values(one),
                "ended": None if one.ended is None else one.ended.value,
                "resolved_at": None if one.resolved_at is None else iso(one.resolved_at),
                "closed_by": one.closed_by or None,
                "closed_because": one.closed_because,
            }
            for one in incidents
        ],
    }


def _named(incident: Incident) -> str:
    key = f" ({key_text(incident.key)})" if incident.key else ""
    return f"{incident.id}: {incident.severity.value}, {incident.rule}{key} in {incident.target}"


def _values(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "rule": incident.rule,
        "target": incident.target,
        "key": dict(incident.key),
        "severity": incident.severity.value,
        "state": incident.state.value,
    }
