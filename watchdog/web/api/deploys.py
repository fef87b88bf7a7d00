"""Deploys over the API: listed, started, ended.

In: a call. Out: documents; what is written is obeyed at the next cycle.
"""

from typing import Annotated

from msgspec import Meta, Struct, field

from watchdog.core.incidents.quiet.deploys import check_globs, checked_version, new_deploy
from watchdog.status.documents.deploys import DeploysDocument, StartedDeployDocument, deploys_document, started_document
from watchdog.web.api.author import author_of
from watchdog.web.api.decoding import Author, Duration, Text, seconds
from watchdog.web.api.route import Call
from watchdog.web.refusals import RefusedError

__all__ = ["DeployBody", "DeploysQuery", "EndDeployBody", "deploys", "end_deploy", "start_deploy"]

MOST_LISTED = 20
MOST_GLOBS = 50


class DeploysQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deploys."""

    all: Annotated[bool, Meta(description=f"All that are kept, not only the last {MOST_LISTED}.")] = False


class DeployBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A deploy. `targets`: globs; none: all targets."""

    deploy_version: Annotated[str, Meta(min_length=1, max_length=100, examples=["v512"])] = field(name="version")
    lasts: Duration = field(name="for", default="10m")
    targets: Annotated[list[Text], Meta(max_length=MOST_GLOBS)] = []
    author: Author = ""


class EndDeployBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`version`: of the deploy to end; unset: the only one that goes on."""

    deploy_version: Annotated[str, Meta(min_length=1, max_length=100)] | None = field(name="version", default=None)


def deploys(call: Call) -> DeploysDocument:
    """The same as `watchdog deploy list`."""
    kept = call.site.store.deploys()
    return deploys_document(kept if call.query.all else kept[-MOST_LISTED:], call.site.store.incidents(), call.now)


def start_deploy(call: Call) -> StartedDeployDocument:
    """The same as `watchdog deploy start`."""
    body: DeployBody = call.body
    version = _version(body.deploy_version)
    try:
        check_globs(body.targets, call.site.targets)
    except ValueError as error:
        raise RefusedError(400, str(error), "body targets") from None
    author = author_of(call.person, body.author)
    new = new_deploy(version, body.targets, call.now, seconds(body.lasts, "body for"), author)
    replaced = call.site.store.start_deploy(new)
    return started_document(new, replaced, call.site.store.incidents(), call.now)


def end_deploy(call: Call) -> DeploysDocument:
    """The same as `watchdog deploy end`."""
    given = call.body.deploy_version
    ended = call.site.store.end_deploy(None if given is None else _version(given), call.now)
    return deploys_document(ended, call.site.store.incidents(), call.now)


def _version(text: str) -> str:
    try:
        return checked_version(text)
    except ValueError as error:
        raise RefusedError(400, str(error), "body version") from None
