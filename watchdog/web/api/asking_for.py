"""What people ask for: silences and deploys.

In: a call. Out: documents; what is written is obeyed at the next cycle.
"""

from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from watchdog.core.incidents.quiet.deploys import check_globs, checked_version, new_deploy
from watchdog.core.incidents.quiet.silences import new_silence
from watchdog.status.documents.deploys import DeploysDocument, StartedDeployDocument, deploys_document, started_document
from watchdog.status.documents.silences import OneSilenceDocument, SilencesDocument, silence_document, silences_document
from watchdog.web.api.asked import Author, Duration, Text, seconds
from watchdog.web.api.author import author_of
from watchdog.web.api.route import Call
from watchdog.web.refusals import RefusedError

__all__ = [
    "DeployBody",
    "DeploysQuery",
    "EndDeployBody",
    "SilenceBody",
    "SilencesQuery",
    "add_silence",
    "deploys",
    "end_deploy",
    "expire_silence",
    "silences",
    "start_deploy",
]

MOST_LISTED = 20
MOST_GIVEN = 50
MATCHERS = ["rule=WorkerLost", 'name=~"celery@gpu-.*"']


class SilencesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which silences."""

    all: Annotated[bool, Meta(description="Those that have ended, too.")] = False


class SilenceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A silence. An incident is silent if all matchers select it."""

    matchers: Annotated[list[Text], Meta(min_length=1, max_length=MOST_GIVEN, examples=[MATCHERS])]
    lasts: Duration = field(name="for")
    later: Annotated[Duration | None, Meta(description="When it begins; unset: now.")] = field(name="in", default=None)
    comment: Text = ""
    author: Author = ""


class DeploysQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deploys."""

    all: Annotated[bool, Meta(description=f"All that are kept, not only the last {MOST_LISTED}.")] = False


class DeployBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A deploy. `targets`: globs; none: all targets."""

    deploy_version: Annotated[str, Meta(min_length=1, max_length=100, examples=["v512"])] = field(name="version")
    lasts: Duration = field(name="for", default="10m")
    targets: Annotated[list[Text], Meta(max_length=MOST_GIVEN)] = []
    author: Author = ""


class EndDeployBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`version`: of the deploy to end; unset: the only one that goes on."""

    deploy_version: Annotated[str, Meta(min_length=1, max_length=100)] | None = field(name="version", default=None)


def silences(call: Call) -> SilencesDocument:
    """The same as `watchdog silence list`."""
    store = call.site.store
    return silences_document([one for one in store.silences() if call.query.all or one.ends_at > call.now], store.incidents(), call.now)


def add_silence(call: Call) -> OneSilenceDocument:
    """The same as `watchdog silence add`."""
    body: SilenceBody = call.body
    lasts_s = seconds(body.lasts, "body for")
    later_s = 0.0 if body.later is None else seconds(body.later, "body in")
    try:
        new = new_silence(", ".join(body.matchers), call.now + later_s, lasts_s, body.comment, author_of(call.person, body.author))
    except ValueError as error:
        raise RefusedError(400, str(error), "body matchers") from None
    store = call.site.store
    store.add_silence(new)
    return silence_document(new, store.incidents(), call.now)


def expire_silence(call: Call) -> OneSilenceDocument:
    """The same as `watchdog silence expire`."""
    store = call.site.store
    ended = store.expire_silence(call.path["id"], call.now)
    return silence_document(replace(ended, ends_at=call.now), store.incidents(), call.now)


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
