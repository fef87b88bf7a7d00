"""Why an incident is quiet and who knows of it, as JSON values.

In: reasons and acknowledgements. Out: parts of the documents about incidents.
"""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, Struct, UnsetType

from watchdog.core.decoding import ready
from watchdog.core.incidents.explain.document import reason_document
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Reason

__all__ = ["AcknowledgementDocument", "QuietDocument", "acknowledgement_document", "quiet_document"]


class QuietDocument(Struct, frozen=True, kw_only=True):
    """Why nobody is notified. Which members there are says what it is: a trial, a mute, a deploy, a silence, an acknowledgement, or another
    incident that explains it or is the same.
    """

    trial: bool | UnsetType = UNSET
    mute: str | UnsetType = UNSET
    deploy: str | UnsetType = UNSET
    version: str | UnsetType = UNSET
    silence: str | UnsetType = UNSET
    until: str | UnsetType | None = UNSET
    acknowledged_at: str | UnsetType = UNSET
    by: str | UnsetType = UNSET
    comment: str | UnsetType = UNSET
    incident: str | UnsetType = UNSET
    rule: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    key: Mapping[str, str] | UnsetType = UNSET


class AcknowledgementDocument(Struct, frozen=True, kw_only=True):
    """Who knows of an incident. `until`: when that ended, and `why`; null while it holds."""

    at: str
    by: str
    comment: str
    severity: str
    until: str | None
    why: str | None


def quiet_document(reason: Reason | None) -> QuietDocument | None:
    """A reason to be quiet."""
    found = reason_document(reason)
    return None if found is None else msgspec.convert(found, ready(QuietDocument))


def acknowledgement_document(given: Acknowledgement | None) -> AcknowledgementDocument | None:
    """An acknowledgement."""
    if given is None:
        return None
    return AcknowledgementDocument(
        at=iso(given.at),
        by=given.author,
        comment=given.comment,
        severity=given.severity.value,
        until=None if given.until is None else iso(given.until),
        why=given.why or None,
    )
