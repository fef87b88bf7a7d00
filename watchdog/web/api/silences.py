"""Silences over the API: listed, added, ended.

In: a call. Out: documents; what is written is obeyed at the next cycle.
"""

from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from watchdog.core.incidents.quiet.silences import new_silence
from watchdog.status.documents.silences import OneSilenceDocument, SilencesDocument, silence_document, silences_document
from watchdog.web.api.author import author_of
from watchdog.web.api.decoding import Author, Duration, Text, seconds
from watchdog.web.api.route import Call
from watchdog.web.refusals import RefusedError

__all__ = ["SilenceBody", "SilencesQuery", "add_silence", "expire_silence", "silences"]

MOST_MATCHERS = 50
MATCHERS = ["rule=WorkerLost", 'name=~"celery@gpu-.*"']


class SilencesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which silences."""

    all: Annotated[bool, Meta(description="Those that have ended, too.")] = False


class SilenceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A silence. An incident is silent if all matchers select it."""

    matchers: Annotated[list[Text], Meta(min_length=1, max_length=MOST_MATCHERS, examples=[MATCHERS])]
    lasts: Duration = field(name="for")
    later: Annotated[Duration | None, Meta(description="When it begins; unset: now.")] = field(name="in", default=None)
    comment: Text = ""
    author: Author = ""


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
