"""Incidents: the list in pages, one of them, and what people say of it.

In: a call. Out: documents; what is written is obeyed at the next cycle.
"""

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.deploys import deploy_before
from watchdog.status.documents.answered import (
    AcknowledgedDocument,
    ClosedDocument,
    acknowledged_document,
    closed_document,
    taken_back_document,
)
from watchdog.status.documents.incidents import IncidentsDocument, OneIncidentDocument, incident_document, incidents_document
from watchdog.status.documents.why import WhyDocument, why_document
from watchdog.status.quiet import reasons_of
from watchdog.status.why.case import Answer
from watchdog.status.why.incident import case_of
from watchdog.web.api.author import author_of
from watchdog.web.api.decoding import Author, Text
from watchdog.web.api.route import Call
from watchdog.web.refusals import RefusedError

__all__ = [
    "AcknowledgeBody",
    "CloseBody",
    "IncidentsPageDocument",
    "IncidentsQuery",
    "acknowledge",
    "close",
    "incident",
    "incidents",
    "take_back",
    "why",
]

ENDED = frozenset({State.RESOLVED, State.DROPPED})


class IncidentsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which incidents. Several values of one parameter are alternatives."""

    all: Annotated[bool, Meta(description="Those that have ended, too.")] = False
    target: list[Text] = []
    rule: list[Text] = []
    state: list[State] = []
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: Annotated[Text | None, Meta(description="`next` of the page before.")] = None


class IncidentsPageDocument(IncidentsDocument, frozen=True, kw_only=True):
    """Incidents, the newest first. `next`: the cursor of the page that follows; null: this is the last one.

    `watched`: whether a daemon runs on the database (null: unknown); `last_looks`: when it last looked at each target.
    """

    next: str | None


class AcknowledgeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`comment`: what is known."""

    comment: Text = ""
    author: Author = ""


class CloseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`reason`: everybody who is notified of the end reads it."""

    reason: Annotated[Text, Meta(min_length=1)]
    author: Author = ""


def incidents(call: Call) -> IncidentsPageDocument:
    """One page of the list."""
    store, query = call.site.store, call.query
    ended = query.all or bool(ENDED & set(query.state))
    known = store.incidents(0.0 if ended else None)
    wanted = sorted((one for one in known if _wanted(one, query)), key=lambda one: one.id, reverse=True)
    page = wanted[: query.limit]
    quiet = reasons_of(known, store, call.site.settings, call.now)
    shown = incidents_document(page, str(store.path), store.watched(), quiet, store.acknowledged())
    return IncidentsPageDocument(**asdict(shown), next=page[-1].id if len(wanted) > len(page) else None)


def incident(call: Call) -> OneIncidentDocument:
    """The same as `watchdog incidents show ID --format json`."""
    store = call.site.store
    shown = store.show(call.path["id"])
    reason = reasons_of(store.incidents(), store, call.site.settings, call.now).get(shown.incident.id)
    return incident_document(shown, str(store.path), store.watched(), reason, deploy_before(shown.incident, store.deploys()))


def why(call: Call) -> WhyDocument:
    """The same as `watchdog why --no-look`, of this incident alone."""
    store = call.site.store
    one = store.show(call.path["id"]).incident
    case = case_of(one, store, call.site.today, call.now, iso)
    return why_document(Answer(one.rule, call.now, None, () if case is None else (case,), database=str(store.path)))


def acknowledge(call: Call) -> AcknowledgedDocument:
    """The same as `watchdog ack`."""
    body: AcknowledgeBody = call.body
    given = call.site.store.acknowledge([call.path["id"]], body.comment.strip(), author_of(call.person, body.author), call.now)
    return acknowledged_document(given)


def take_back(call: Call) -> AcknowledgedDocument:
    """The same as `watchdog unack`."""
    return taken_back_document(call.site.store.take_back_acknowledgements([call.path["id"]], author_of(call.person), call.now))


def close(call: Call) -> ClosedDocument:
    """The same as `watchdog close`."""
    body: CloseBody = call.body
    because = " ".join(body.reason.split())
    if not because:
        raise RefusedError(400, 'expected a reason, such as "the worker was retired", found nothing', "body reason")
    return closed_document(call.site.store.close_incidents([call.path["id"]], because, author_of(call.person, body.author), call.now))


def _wanted(one: Incident, query: IncidentsQuery) -> bool:
    return (
        (not query.target or one.target in query.target)
        and (not query.rule or one.rule in query.rule)
        and (not query.state or one.state in query.state)
        and (query.cursor is None or one.id < query.cursor)
    )
