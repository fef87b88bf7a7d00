"""What people change from the page: acknowledge, take that back, silence, end a silence, close. The author is who asks.

In: a form of an incident's page. Out: what was asked is written, as the commands of the same names write it, and the page says so; or the
page again, with the reason why not.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from watchdog.core.incidents.quiet.matchers import Matcher, labels_of
from watchdog.core.incidents.quiet.silences import Silence, new_silence
from watchdog.core.text.durations import parse_duration
from watchdog.store import NotFoundError, StoreError
from watchdog.web.pages.routes import incident_page
from watchdog.web.site import current_site

__all__ = ["changes"]

changes = Blueprint("changes", __name__)

LONGEST_TEXT = 2000
LONGEST_SILENCE_S = 366 * 86400.0


class _RefusedError(Exception):
    """What was typed cannot be done; the text says why."""


@changes.post("/incidents/<named>/acknowledge")
def acknowledge(named: str) -> AnyResponse:
    """Somebody knows of it."""
    return _changed(
        named, "acknowledged", lambda: current_site().store.acknowledge([named], _typed("comment"), g.person.name, current_site().clock())
    )


@changes.post("/incidents/<named>/unacknowledge")
def unacknowledge(named: str) -> AnyResponse:
    """Nobody knows of it any more."""
    return _changed(
        named, "unacknowledged", lambda: current_site().store.take_back_acknowledgements([named], g.person.name, current_site().clock())
    )


@changes.post("/incidents/<named>/close")
def close(named: str) -> AnyResponse:
    """End it by hand."""

    def closed() -> object:
        reason = " ".join(_typed("reason").split())
        if not reason:
            raise _RefusedError("Expected a reason, such as “the worker was retired”, found nothing.")
        return current_site().store.close_incidents([named], reason, g.person.name, current_site().clock())

    return _changed(named, "closed", closed)


@changes.post("/incidents/<named>/silence")
def silence(named: str) -> AnyResponse:
    """Silence whatever has the chosen labels of this incident, for a while."""
    return _changed(named, "silenced", lambda: current_site().store.add_silence(_silence(named)))


@changes.post("/incidents/<named>/silences/<silence_named>/end")
def end_silence(named: str, silence_named: str) -> AnyResponse:
    """End a silence now."""
    return _changed(named, "unsilenced", lambda: current_site().store.expire_silence(silence_named, current_site().clock()))


def _silence(named: str) -> Silence:
    """The silence as asked for."""
    now, lasts_s = current_site().clock(), _duration()
    labels = labels_of(current_site().store.show(named).incident)
    chosen = [Matcher(label, "=", labels[label]) for label in request.form.getlist("label") if label in labels]
    if not chosen:
        raise _RefusedError("Expected at least one label to select by, found none: this would silence everything.")
    try:
        return new_silence(", ".join(map(str, chosen)), now, lasts_s, _typed("comment"), g.person.name)
    except ValueError as error:
        why = str(error)
        raise _RefusedError(f"{why[:1].upper()}{why[1:]}.") from None


def _duration() -> float:
    try:
        lasts_s = parse_duration(_typed("duration"))
    except ValueError as error:
        raise _RefusedError(f"{str(error).capitalize()}.") from None
    if not 0 < lasts_s <= LONGEST_SILENCE_S:
        raise _RefusedError("Expected a duration of more than nothing and at most a year.")
    return lasts_s


def _typed(name: str) -> str:
    text = request.form.get(name, "").strip()
    if len(text) > LONGEST_TEXT:
        raise _RefusedError(f"Expected at most {LONGEST_TEXT:,} characters, found {len(text):,}.")
    return text


def _changed(named: str, done: str, change: Callable[[], Any]) -> AnyResponse:
    """Do it, and show the incident again: where it was done, by a redirect, so that a reload repeats nothing."""
    try:
        change()
    except NotFoundError:
        raise
    except (StoreError, _RefusedError) as error:
        return Response(incident_page(named, refused=str(error), typed=request.form), 409)
    return redirect(url_for("pages.incident", named=named, done=done), 303)
