"""Acting from the page: the forms of what is shown, then what one will touch, then the question, then what came back.

In: `[actions] allow`, who asks. Out: pages; attempts that are begun, confirmed or left. Whoever is no operator sees no form and is refused,
and so is what is not allowed; refusals of what was sent are in the audit log. Every change is a POST with a token of a page of ours
(`web/access.py`), whatever else the request brings.
"""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.request import Request
from watchdog.status.clock import clock_of
from watchdog.web.access import Person
from watchdog.web.acting.attempts import Attempt, Attempts, BusyError
from watchdog.web.acting.forms import SUBJECTS, TypedError, forms_of, request_of, subjects_of
from watchdog.web.site import Site, current_site

__all__ = ["acting", "offered_to"]

acting = Blueprint("acting", __name__)

LOGGED_S, MOST_LOGGED = 30 * 86400.0, 8
NOTHING_TYPED: Mapping[str, str] = MappingProxyType({})
NO_ROLE = (
    "Acting on a cluster needs the role operator, and {who} has it not. Whoever runs watchdog gives it to a name that signs in: "
    'roles = {{ NAME = "operator" }} in [http].'
)
NOT_ALLOWED = "{kind} is not allowed; whoever runs watchdog can write it into allow of [actions]."
FORGOTTEN = "This action is not known any more, or is not yours. `watchdog act log` lists what was done."
BUSY = "Too many actions are under way; nothing was done. Repeat it in a moment."


class _FaultError(Exception):
    """A request that is answered with a page that says why not."""

    def __init__(self, status: int, title: str, words: str) -> None:
        super().__init__(words)
        self.status, self.title, self.words = status, title, words


@acting.errorhandler(_FaultError)
def fault(error: _FaultError) -> tuple[str, int]:
    """The page that says why not."""
    return render_template("fault.html", title=error.title, words=error.words), error.status


def offered_to(site: Site, person: Person) -> frozenset[str]:
    """The kinds of what is shown on which this person may act; see `SUBJECTS`."""
    return subjects_of(site.settings.actions.allow) if person.operator and site.attempts is not None else frozenset()


@acting.get("/actions")
def forms() -> str:
    """The actions on one subject of a target."""
    _operator()
    return _forms_page(request.args.get("target", ""), request.args.get("on", ""), request.args.get("named", ""))


@acting.post("/actions")
def begin() -> AnyResponse | tuple[str, int]:
    """Look what an action would touch."""
    site, kind, target = current_site(), request.form.get("kind", ""), request.form.get("target", "")
    if kind not in KINDS or target not in site.targets:
        raise _FaultError(404, "No such action", "There is no such action, or no such target.")
    attempts = _allowed(kind, target)
    try:
        wanted = request_of(kind, target, request.form)
        return redirect(url_for("acting.attempt", named=attempts.begin(g.person.name, wanted, site.actor_of(target)).id), 303)
    except TypedError as error:
        on, named = request.form.get("on", ""), request.form.get("named", "")
        return _forms_page(target, on, named, faults=error.faults, typed=request.form), 400
    except BusyError:
        raise _FaultError(503, "Not now", BUSY) from None


@acting.get("/actions/<named>")
def attempt(named: str) -> str:
    """One action: what it will touch, or what came back."""
    _operator()
    found, site = _found(named), current_site()
    record, clock = found.record, clock_of(site.clock())
    return render_template(
        "attempt.html", attempt=found, kind=KINDS[found.request.kind], at="" if record is None else clock(record.at), csrf=_csrf()
    )


@acting.post("/actions/<named>/confirm")
def confirm(named: str) -> AnyResponse:
    """Do it."""
    found = _found(named)
    _allowed(found.request.kind, found.request.target).confirm(found)
    return redirect(url_for("acting.attempt", named=named), 303)


@acting.post("/actions/<named>/leave")
def leave(named: str) -> AnyResponse:
    """Not do it."""
    _operator()
    found = _found(named)
    _attempts().leave(found)
    return redirect(url_for("acting.attempt", named=named), 303)


def _forms_page(target: str, on: str, named: str, faults: list[str] | None = None, typed: Mapping[str, str] = NOTHING_TYPED) -> str:
    site = current_site()
    if target not in site.targets or on not in SUBJECTS or (on and not named):
        raise _FaultError(404, "Nothing to act on", "There is no such target, or nothing of this kind to act on.")
    allowed = site.settings.actions.allow
    offered = forms_of(on, allowed)
    if not offered:
        listed = ", ".join(f'"{name}"' for name in SUBJECTS[on])
        raise _FaultError(
            403, "Nothing is allowed here", f"Whoever runs watchdog can write some of these into allow of [actions]: {listed}."
        )
    now = site.clock()
    clock = clock_of(now)
    records = [one for one in site.store.actions(now - LOGGED_S) if one.target == target][-MOST_LOGGED:]
    logged = [(clock(one.at), one) for one in reversed(records)]
    return render_template(
        "act.html", target=target, on=on, named=named, forms=offered, faults=faults or [], typed=typed, logged=logged, csrf=_csrf()
    )


def _operator() -> None:
    """Refuse whoever may not act."""
    person: Person = g.person
    if not person.operator:
        raise _FaultError(403, "You may not act", NO_ROLE.format(who=person.name or "somebody without a name"))


def _allowed(kind: str, target: str) -> Attempts:
    """Refuse whoever may not act, and what is not allowed; and write that down."""
    person: Person = g.person
    if person.operator and kind in current_site().settings.actions.allow and target in current_site().targets:
        return _attempts()
    if person.name:
        _attempts().refuse(person.name, Request(kind=kind, target=target), "no operator" if not person.operator else "not allowed")
    _operator()
    raise _FaultError(403, "Not allowed", NOT_ALLOWED.format(kind=kind))


def _found(named: str) -> Attempt:
    found = _attempts().of(named, g.person.name)
    if found is None:
        raise _FaultError(404, "No such action", FORGOTTEN)
    return found


def _attempts() -> Attempts:
    found = current_site().attempts
    if found is None:
        raise _FaultError(404, "No actions", "This watchdog does not act.")
    return found


def _csrf() -> str:
    token: str = current_app.extensions["access"].csrf(g.person)
    return token
