"""Incidents for people: the list, and one with its history and messages.

In: what the store returns, the database's path, now (epoch seconds). Out: pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from watchdog.cli.output.page import Block, ByMedium, Entries, Entry, Grid, Ink, Line, Piece
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import counted, key_text
from watchdog.status.documents.incidents import NOBODY_KNOWS, NOBODY_QUIET
from watchdog.status.incident_facts import (
    duration_text,
    facts,
    flapping_text,
    known_until,
    lasts_text,
    state_ink,
    unseen_text,
    worst_first,
)
from watchdog.status.quiet_wording import (
    acknowledged_text,
    held_back_by,
    quiet_line,
)

if TYPE_CHECKING:
    from watchdog.store import IncidentShown, MessageShown, Watched

__all__ = ["incident_page", "incidents_page", "short_ids", "unwatched"]

SHORTEST_ID = 12
"""The first ten characters of an id are a time in milliseconds, which incidents of one cycle share."""


def incidents_page(
    incidents: Sequence[Incident],
    database: str,
    now: float,
    watched: "Watched",
    quiet: Mapping[str, Reason] = NOBODY_QUIET,
    known: Mapping[str, Acknowledgement] = NOBODY_KNOWS,
) -> list[Block]:
    """The list: to a pipe a table, oldest first; on a terminal one entry each, open and most severe first, with short ids."""
    page: list[Block] = [*unwatched(watched, {incident.target for incident in incidents if incident.open}, now)]
    now = known_until(watched, now)
    if incidents:
        ids = short_ids([incident.id for incident in incidents])
        ordered = sorted(incidents, key=worst_first)
        entries = tuple(_entry(one, ids[one.id], now, quiet.get(one.id), known.get(one.id)) for one in ordered)
        headers = ("id", "severity", "state", "rule", "target", "key", "began", "lasts", "now", "held back by", "summary")
        grid = Grid(headers, tuple(_row(one, now, quiet.get(one.id), known.get(one.id)) for one in incidents))
        page.append(ByMedium((grid,), (Entries(entries),)))
    open_ = sum(1 for incident in incidents if incident.open)
    return [*page, Line.of(Ink(f"{open_} open, {counted(len(incidents), 'incident')} listed · database {database}", "faint"))]


def unwatched(watched: "Watched", targets: set[str], now: float) -> list[Line]:
    """A first line that warns if no daemon is running: incidents shown as open may have ended long ago."""
    if watched.now is not False or not targets:
        return []
    last = [watched.last[target] for target in sorted(targets) if target in watched.last]
    seen = f"; what is open was last seen {iso(max(last))}, {format_duration(max(round(now - max(last)), 0))} ago" if last else ""
    return [Line.of(Ink(f"Nothing is being watched: no `watchdog run` uses this database{seen}", "bad"))]


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Id -> its shortest prefix that is unique in the list; `incidents show` accepts it."""
    ordered = sorted(set(ids))
    shared = [_shared(one, other) for one, other in pairwise(ordered)]
    longest = zip(ordered, [0, *shared], [*shared, 0], strict=True)
    return {whole: whole[: max(before + 1, after + 1, SHORTEST_ID)] for whole, before, after in longest}


def _shared(one: str, other: str) -> int:
    """The length of the common prefix."""
    return next((nth for nth, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _entry(incident: Incident, short: str, now: float, reason: Reason | None, known: Acknowledgement | None) -> Entry:
    what = Ink(f"{short} · {incident.rule} · {incident.target}{f' · {key_text(incident.key)}' if incident.key else ''}", "faint")
    when = Ink(f"began {iso(incident.started_at)}, {lasts_text(incident, now)}{flapping_text(incident)}", "faint")
    severity = Ink(incident.severity.value, incident.severity.value)
    unseen = (Ink(unseen_text(incident), "odd"),) if unseen_text(incident) else ()
    why_quiet = [Ink(text, "faint") for text in (quiet_line(reason), acknowledged_text(known)) if text]
    return Entry((severity, state_ink(incident), incident.summary or incident.rule), (what, when, *unseen, *why_quiet))


def _row(incident: Incident, now: float, reason: Reason | None, known: Acknowledgement | None) -> tuple[Piece, ...]:
    return (
        incident.id,
        Ink(incident.severity.value, incident.severity.value),
        state_ink(incident),
        incident.rule,
        incident.target,
        key_text(incident.key),
        iso(incident.started_at),
        duration_text(incident, now),
        unseen_text(incident),
        "; ".join(filter(None, (held_back_by(reason), acknowledged_text(known)))),
        incident.summary,
    )


def incident_page(
    shown: "IncidentShown", database: str, now: float, watched: "Watched", reason: Reason | None = None, after: str | None = None
) -> list[Block]:
    """One incident with its history and messages. `after`: the deploy that it began after."""
    incident = shown.incident
    warning = unwatched(watched, {incident.target} if incident.open else set(), now)
    now = known_until(watched, now)
    page: list[Block] = [
        *warning,
        Line.of(Ink(incident.severity.value, incident.severity.value), "  ", Ink(incident.summary or incident.rule, "strong")),
        *(Line.of(Ink(label.ljust(13), "faint"), piece, indent=2) for label, piece in facts(shown, now, reason, after)),
        *_texts(incident),
    ]
    if shown.transitions:
        rows = tuple((iso(move.at), move.before or "-", move.after, move.reason) for move in shown.transitions)
        page += [Line(), Line.of("History:"), Grid(("at", "was", "became", "because"), rows)]
    if shown.acknowledgements:
        page += [Line(), Line.of("Acknowledged:"), Grid(_KNOWN, tuple(map(_acknowledgement, shown.acknowledgements)))]
    page += [Line(), Line.of("Messages:" if shown.messages else "Nobody was notified.")]
    if shown.messages:
        page.append(Grid(("receiver", "event", "state", "attempts", "delivered", "last error"), tuple(map(_message, shown.messages))))
    return [*page, Line(), Line.of(Ink(f"database {database}", "faint"))]


_KNOWN = ("at", "by", "severity", "until", "because", "comment")


def _acknowledgement(one: Acknowledgement) -> tuple[Piece, ...]:
    return iso(one.at), one.author or "-", one.severity.value, "-" if one.until is None else iso(one.until), one.why or "-", one.comment


def _texts(incident: Incident) -> Iterator[Line]:
    for label, text in (("description", incident.description), ("runbook", incident.runbook)):
        if text.strip():
            yield Line.of(Ink(label, "faint"), indent=2)
            yield from (Line.of(line.strip(), indent=4) for line in text.strip().splitlines())


def _message(message: "MessageShown") -> tuple[Piece, ...]:
    style = {"delivered": "good", "dead": "bad"}.get(message.state, "odd")
    delivered = "" if message.delivered_at is None else iso(message.delivered_at)
    return message.receiver, message.event.value, Ink(message.state, style), str(message.attempts), delivered, message.last_error or ""
