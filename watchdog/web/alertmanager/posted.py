"""Silences as clients of Alertmanager ask for them.

In: the body of a request, the open incidents. Out: a silence to be stored, or a `RefusedError` that says why watchdog cannot hold it.

Alertmanager refuses matchers that all match the empty text; watchdog also those that select a thing without any label, such as
`severity!="info"` alone. Its regular expressions are Python's, within limits that keep them quick.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.matchers import Matcher, match, new_matcher
from watchdog.core.incidents.quiet.silences import Silence, is_announcement, matches_everything
from watchdog.core.model.identity import silence_id
from watchdog.core.text.sanitize import one_line
from watchdog.web.alertmanager.alerts import firing
from watchdog.web.alertmanager.label_sets import fingerprint, label_here
from watchdog.web.refusals import RefusedError

__all__ = ["PostedSilence", "asked_silence", "posted_silence"]

MOST_MATCHERS, LONGEST_COMMENT, LONGEST_AUTHOR = 50, 1000, 100
_OPERATORS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


class PostedMatcher(Struct, frozen=True, rename="camel"):
    """One matcher as it is sent. What has a default here is optional; of the rest, what is missing is told apart from what is wrong."""

    is_regex: bool | None = None
    name: str | None = None
    value: str | None = None
    is_equal: bool | None = None


class PostedSilence(Struct, frozen=True, rename="camel"):
    """A silence as it is sent; further members are ignored. With an `id`, it is to replace that one."""

    comment: str | None = None
    created_by: str | None = None
    ends_at: datetime | None = None
    matchers: Sequence[PostedMatcher] | None = None
    starts_at: datetime | None = None
    id: str | None = None


def posted_silence(body: bytes) -> PostedSilence:
    """What a body asks for; complete."""
    if not body:
        raise RefusedError(422, "silence in body is required")
    try:
        posted = msgspec.json.decode(body, type=ready(PostedSilence))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, f"parsing silence body failed, because {one_line(str(error))}") from None
    _refuse_missing(posted, ("comment", "created_by", "ends_at", "matchers", "starts_at"), "")
    if not posted.matchers:
        raise RefusedError(422, "matchers in body should have at least 1 items")
    for number, matcher in enumerate(posted.matchers):
        _refuse_missing(matcher, ("is_regex", "name", "value"), f"matchers.{number}.")
    return posted


def _refuse_missing(posted: Struct, required: Iterable[str], where: str) -> None:
    encoded = dict(zip(posted.__struct_fields__, posted.__struct_encode_fields__, strict=True))
    for name in required:
        if getattr(posted, name) is None:
            raise RefusedError(422, f"{where}{encoded[name]} in body is required")


def asked_silence(posted: PostedSilence, author: str, incidents: Iterable[Incident], now: float) -> Silence:
    """The silence that is asked for, from when it was asked to begin; a RefusedError if watchdog cannot hold it."""
    starts_at, ends_at = _seconds(posted.starts_at), _seconds(posted.ends_at)
    if starts_at >= ends_at:
        raise RefusedError(400, "Failed to create silence: start time must be before end time")
    if ends_at <= now:
        raise RefusedError(400, "Failed to create silence: end time can't be in the past")
    comment = (posted.comment or "").strip()
    for what, length, most in (
        ("matchers", len(posted.matchers or ()), MOST_MATCHERS),
        ("characters of comment", len(comment), LONGEST_COMMENT),
        ("characters of createdBy", len(author), LONGEST_AUTHOR),
    ):
        if length > most:
            raise _invalid(f"expected at most {most} {what}, found {length}")
    matchers = [_matcher(number, one) for number, one in enumerate(posted.matchers or ())]
    if matches_everything(matchers):
        raise _invalid(
            "these matchers select alerts without any label, and would silence nearly everything; add one that does not match the empty "
            'string, such as alertname="WorkerLost" or target="staging"'
        )
    here = tuple(Matcher(label_here(one.label), one.operator, one.value) for one in matchers)
    named = f"{', '.join(map(str, here))} asked for at {now!r}"  # the same again is another silence
    silence = Silence(silence_id(max(starts_at, now), named), here, starts_at, ends_at, comment, author)
    _refuse_unlike(silence, matchers, incidents)
    return silence


def _seconds(at: datetime | None) -> float:
    return 0.0 if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _matcher(number: int, posted: PostedMatcher) -> Matcher:
    operator = _OPERATORS[bool(posted.is_regex), posted.is_equal is not False]
    name = posted.name or ""
    try:
        label_here(name)
        return new_matcher(name, operator, posted.value or "")
    except ValueError as error:
        raise _invalid(f"invalid label matcher {number}: {error}") from None


def _refuse_unlike(silence: Silence, matchers: Sequence[Matcher], incidents: Iterable[Incident]) -> None:
    """Refuse what selects other incidents than alerts: of a few labels, an alert has the name or value as Alertmanager takes it."""
    for incident, alert in firing(incidents):
        selected = match(matchers, dict(alert.labels))
        if selected is not silence.hides(incident) and not is_announcement(incident):
            would = f"would {'not ' if selected else ''}silence alert {fingerprint(alert.labels)} ({incident.rule})"
            raise _invalid(
                f"it {would}, of which watchdog itself has a label by another name or value; "
                f"`watchdog incidents show {incident.id[:12]}` shows them, for `watchdog silence add`"
            )


def _invalid(why: str) -> RefusedError:
    return RefusedError(400, f"silence invalid: {why}")
