"""Targets: their status, their tables as the last cycle saw them, their figures over time.

In: a call. Out: documents. A target that was never looked at has no figures, and says so.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from watchdog.core.incidents.payload import iso
from watchdog.status.documents.history import MOST_STEPS, HistoryAsked, HistoryDocument, TooMuchError, history_document
from watchdog.status.documents.status import RowDocument, StatusDocument, status_document, table_document
from watchdog.status.gathering import gathered
from watchdog.tables import TABLES
from watchdog.tables.history.kept import KEPT
from watchdog.web.api.decoding import Duration, Text, chosen, seconds
from watchdog.web.api.route import Call
from watchdog.web.refusals import RefusedError

__all__ = ["HistoryQuery", "OneTableDocument", "StatusQuery", "TargetsDocument", "history", "status", "table", "targets"]

OF_TARGETS = tuple(name for name, one in TABLES.items() if not one.own)
NEVER = "not seen yet"
DAY_S = 86400.0
LONGEST_WINDOW_S = 31 * DAY_S
FINEST_S, BUCKET_S = 10.0, 300.0
"""The shortest step where single looks are kept, and where buckets are."""
STEPS = 100
"""So many steps are answered unless their length is asked for."""


class StatusQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`target`: only these targets."""

    target: list[Text] = []


class TargetSummary(Struct, frozen=True, kw_only=True):
    """One target. `seen_at`: its last look (null: never); `overdue`: whether its cycles do not finish; `tables`: those that can be read."""

    target: str
    seen_at: str | None
    age_s: float | None
    overdue: bool
    tables: Sequence[str]
    open_incidents: int


class TargetsDocument(Struct, frozen=True, kw_only=True):
    """The configured targets."""

    version: Literal[1] = 1
    targets: Sequence[TargetSummary]


class OneTableDocument(Struct, frozen=True, kw_only=True):
    """One table as the last cycle saw it.

    `unread`: why nothing of it could be read; `partial`: why rows may be missing; `idle`: column -> why nothing fills it.
    """

    version: Literal[1] = 1
    target: str
    table: str
    seen_at: str | None
    age_s: float | None
    rows: Sequence[RowDocument]
    unread: str | None
    partial: str | None
    idle: Mapping[str, str]


class HistoryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of one table. Long windows of many rows need a `key` or a longer `step`."""

    table: Annotated[Text, Meta(description=f"One of {', '.join(KEPT)}.", extra_json_schema={"enum": list(KEPT)})]
    window: Duration = "24h"
    step: Annotated[Duration | None, Meta(description=f"How long one part is; at most {MOST_STEPS} of them. Unset: chosen.")] = None
    series: Annotated[list[Text], Meta(description="Only these figures; unset: all.")] = []
    key: Annotated[list[Text], Meta(description="Only rows with this value in their key.")] = []


def status(call: Call) -> StatusDocument:
    """The same as `watchdog status --json`."""
    site, query = call.site, call.query
    names = chosen(query.target, site.targets, "target", "query parameter target")
    return status_document(gathered(site.store, site.settings, names, site.days, call.now, site.store.last_looks()))


def targets(call: Call) -> TargetsDocument:
    """The list."""
    site = call.site
    looks, open_, overdue = site.store.last_looks(), site.store.incidents(), set(site.overdue())
    found = []
    for name in site.targets:
        look = looks.get(name)
        found.append(
            TargetSummary(
                target=name,
                seen_at=None if look is None else iso(look.at),
                age_s=None if look is None else _age_s(call.now, look.at),
                overdue=name in overdue,
                tables=[] if look is None else [table for table in OF_TARGETS if table in look.tables],
                open_incidents=sum(incident.target == name for incident in open_),
            )
        )
    return TargetsDocument(targets=found)


def table(call: Call) -> OneTableDocument:
    """One table."""
    (target,) = chosen([call.path["target"]], call.site.targets, "target", "path")
    (name,) = chosen([call.path["table"]], OF_TARGETS, "table", "path")
    look = call.site.store.last_looks().get(target)
    if look is None or name not in look.tables:
        why = NEVER if look is None else "the last look did not read it: nothing that is configured needs it"
        return OneTableDocument(target=target, table=name, seen_at=None, age_s=None, rows=[], unread=why, partial=None, idle={})
    read = table_document(look.tables[name].reading())
    return OneTableDocument(
        target=target,
        table=name,
        seen_at=iso(look.at),
        age_s=_age_s(call.now, look.at),
        rows=read.rows,
        unread=read.unread,
        partial=read.partial,
        idle=read.idle,
    )


def history(call: Call) -> HistoryDocument:
    """Figures over time."""
    query: HistoryQuery = call.query
    (target,) = chosen([call.path["target"]], call.site.targets, "target", "path")
    (name,) = chosen([query.table], tuple(KEPT), "table with a history", "query parameter table", 400)
    kept = KEPT[name]
    series = chosen(query.series, tuple(one.name for one in kept.series), "series", "query parameter series", 400)
    window_s = seconds(query.window, "query parameter window", LONGEST_WINDOW_S)
    step_s = seconds(query.step, "query parameter step") if query.step else _step_s(window_s)
    shortest_s = max(FINEST_S if window_s <= call.site.settings.history_raw else BUCKET_S, window_s / MOST_STEPS)
    if step_s < shortest_s:
        expected = f"expected at least {shortest_s:g} seconds for this window"
        raise RefusedError(400, f"{expected}, found {step_s:g}", "query parameter step")
    asked = HistoryAsked(target, kept, call.now - window_s, call.now, step_s, series, tuple(query.key))
    slices = call.site.store.history(target, asked.since, asked.until, (name,), finest=step_s < BUCKET_S)
    try:
        return history_document(slices, asked)
    except TooMuchError as error:
        raise RefusedError(400, str(error), "query") from None


def _step_s(window_s: float) -> float:
    """A round length of time that makes about a hundred steps."""
    rounded = (BUCKET_S, 900.0, 3600.0, 4 * 3600.0, DAY_S)
    return next(step for step in rounded if window_s / step <= STEPS * 3)


def _age_s(now: float, at: float) -> float:
    return round(max(now - at, 0.0), 3)
