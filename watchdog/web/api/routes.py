"""Every route of the API, in one registry: Flask serves it, and `openapi.json` describes it."""

from flask import Blueprint, redirect, request, url_for
from werkzeug import Response

from watchdog.status.documents.answered import AcknowledgedDocument, ClosedDocument
from watchdog.status.documents.deploys import DeploysDocument, StartedDeployDocument
from watchdog.status.documents.history import HistoryDocument
from watchdog.status.documents.incidents import OneIncidentDocument
from watchdog.status.documents.silences import OneSilenceDocument, SilencesDocument
from watchdog.status.documents.status import StatusDocument
from watchdog.status.documents.why import WhyDocument
from watchdog.web.api import deploys, incidents, silences, targets
from watchdog.web.api.openapi import described
from watchdog.web.api.route import Call, Route, view_of

__all__ = ["BASE", "ROUTES", "api"]

BASE = "/api/v1"


def _openapi(call: Call) -> object:
    return described(ROUTES, f"{request.script_root}{BASE}", call.site.settings.http)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/status",
        "status",
        "Targets with their tables, 24 hours and incidents",
        targets.status,
        StatusDocument,
        query=targets.StatusQuery,
        refuses=(404,),
    ),
    Route("GET", "/targets", "targets", "The targets, and when they were last looked at", targets.targets, targets.TargetsDocument),
    Route(
        "GET",
        "/targets/<target>/tables/<table>",
        "table",
        "One table as the last cycle saw it",
        targets.table,
        targets.OneTableDocument,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/targets/<target>/history",
        "history",
        "Figures of one table over time",
        targets.history,
        HistoryDocument,
        query=targets.HistoryQuery,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/incidents",
        "incidents",
        "Incidents, the newest first, in pages",
        incidents.incidents,
        incidents.IncidentsPageDocument,
        query=incidents.IncidentsQuery,
    ),
    Route(
        "GET",
        "/incidents/<id>",
        "incident",
        "One incident with its history and messages",
        incidents.incident,
        OneIncidentDocument,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/incidents/<id>/why",
        "why",
        "How each receiver was notified of an incident, or why not",
        incidents.why,
        WhyDocument,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/incidents/<id>/ack",
        "acknowledge",
        "Say that you know of an incident: no more reminders",
        incidents.acknowledge,
        AcknowledgedDocument,
        body=incidents.AcknowledgeBody,
        refuses=(404, 409),
    ),
    Route(
        "DELETE",
        "/incidents/<id>/ack",
        "take_back",
        "Take an acknowledgement back",
        incidents.take_back,
        AcknowledgedDocument,
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/incidents/<id>/close",
        "close",
        "End an incident by hand that is not in breach any more",
        incidents.close,
        ClosedDocument,
        body=incidents.CloseBody,
        refuses=(404, 409),
    ),
    Route("GET", "/silences", "silences", "Silences", silences.silences, SilencesDocument, query=silences.SilencesQuery),
    Route(
        "POST",
        "/silences",
        "add_silence",
        "Silence incidents for a while",
        silences.add_silence,
        OneSilenceDocument,
        body=silences.SilenceBody,
        status=201,
    ),
    Route("DELETE", "/silences/<id>", "expire_silence", "End a silence now", silences.expire_silence, OneSilenceDocument, refuses=(404,)),
    Route("GET", "/deploys", "deploys", "The last deploys", deploys.deploys, DeploysDocument, query=deploys.DeploysQuery),
    Route(
        "POST",
        "/deploys",
        "start_deploy",
        "Begin a deploy",
        deploys.start_deploy,
        StartedDeployDocument,
        body=deploys.DeployBody,
        status=201,
    ),
    Route(
        "POST",
        "/deploys/end",
        "end_deploy",
        "End a deploy now",
        deploys.end_deploy,
        DeploysDocument,
        body=deploys.EndDeployBody,
        refuses=(404,),
    ),
    Route("GET", "/openapi.json", "openapi", "This description (OpenAPI 3.1)", _openapi, None),
)
"""Everything that the API answers."""

api = Blueprint("api", __name__)
for _route in ROUTES:
    api.add_url_rule(f"{BASE}{_route.path}", _route.name, view_of(_route), methods=[_route.method])


@api.get("/api")
@api.get("/api/")
@api.get("/api/v1/")
def start() -> Response:
    """Where somebody begins who knows the address alone."""
    return redirect(url_for("api.openapi"))
