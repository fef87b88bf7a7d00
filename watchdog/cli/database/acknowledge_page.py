"""What `watchdog ack`, `unack` and `close` have written, for people.

In: the incidents. Out: pages.
"""

from collections.abc import Sequence

from watchdog.cli.output.page import Block, Line
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.text.wording import key_text

__all__ = ["acknowledged_page", "closed_page", "taken_back_page"]


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


def _named(incident: Incident) -> str:
    key = f" ({key_text(incident.key)})" if incident.key else ""
    return f"{incident.id}: {incident.severity.value}, {incident.rule}{key} in {incident.target}"
