"""The routes of Alertmanager's API v2.

In: requests. Out: its JSON. Whoever may see the page may read; whoever may silence there may silence here (`web/access.py`). What is
written is obeyed at the next cycle.
"""

from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from msgspec.structs import replace

from watchdog.config.masking import MASKING
from watchdog.status.documents.text import json_text
from watchdog.web.alertmanager.alerts import alerts_document, groups_document
from watchdog.web.alertmanager.filters import alerts_asked, matchers_asked
from watchdog.web.alertmanager.posted import asked_silence, posted_silence
from watchdog.web.alertmanager.silences import silence_document, silences_document
from watchdog.web.alertmanager.status import receivers_document, status_document
from watchdog.web.api.author import author_from_client
from watchdog.web.api.decoding import LARGEST_BODY
from watchdog.web.refusals import ALERTMANAGER, RefusedError
from watchdog.web.site import current_site

__all__ = ["alertmanager"]

SINCE = "alertmanager_since"
NO_ALERTS = "watchdog takes no alerts: what fires here is what its rules find. Send this to an Alertmanager"

alertmanager = Blueprint("alertmanager", __name__, url_prefix=ALERTMANAGER)


@alertmanager.record
def _note_start(state: BlueprintSetupState) -> None:
    state.app.extensions[SINCE] = state.app.extensions["site"].clock()


@alertmanager.get("/alerts")
def alerts() -> Response:
    """What fires."""
    return _answer(alerts_document(current_site(), alerts_asked(request.args)))


@alertmanager.post("/alerts")
def take_alerts() -> Response:
    """Refused, with the reason where clients look for it."""
    raise RefusedError(400, NO_ALERTS)


@alertmanager.get("/alerts/groups")
def groups() -> Response:
    """What fires, as each receiver is notified of it together."""
    return _answer(groups_document(current_site(), alerts_asked(request.args)))


@alertmanager.get("/receivers")
def receivers() -> Response:
    """The receivers."""
    return _answer(receivers_document(current_site().today.recipients))


@alertmanager.get("/status")
def status() -> Response:
    """What this is."""
    return _answer(status_document(current_site().today.recipients, current_app.extensions[SINCE]))


@alertmanager.get("/silences")
def silences() -> Response:
    """All silences that are kept."""
    site = current_site()
    return _answer(silences_document(site.store.silences(), matchers_asked(request.args), site.clock()))


@alertmanager.get("/silence/<named>")
def silence(named: str) -> Response:
    """One silence, by its whole id."""
    site = current_site()
    found = next((one for one in site.store.silences() if one.id == named), None)
    if found is None:
        raise RefusedError(404, "silence not found")
    return _answer(silence_document(found, site.clock()))


@alertmanager.post("/silences")
def set_silence() -> Response:
    """A new silence, or another in the place of one."""
    site, now = current_site(), current_site().clock()
    request.max_content_length = LARGEST_BODY
    posted = posted_silence(request.get_data())
    asked = asked_silence(posted, author_from_client(g.person, posted.created_by or ""), site.store.incidents(), now)
    if posted.id:
        return _answer({"silenceID": site.store.amend_silence(posted.id, asked, now).id})
    site.store.add_silence(replace(asked, starts_at=max(asked.starts_at, now)))
    return _answer({"silenceID": asked.id})


@alertmanager.delete("/silence/<named>")
def expire(named: str) -> Response:
    """End a silence now; one that has ended stays as it is. An unknown one is a 500, as in Alertmanager: its clients then show why."""
    site, now = current_site(), current_site().clock()
    found = next((one for one in site.store.silences() if one.id == named), None)
    if found is None:
        raise RefusedError(500, "silence not found")
    if found.ends_at > now:
        site.store.expire_silence(named, now)
    return Response(status=200)


def _answer(document: object) -> Response:
    return Response(MASKING(json_text(document)) + "\n", content_type="application/json")
