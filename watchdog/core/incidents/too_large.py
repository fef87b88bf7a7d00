"""Replace a message that its receiver calls too large (413), so that the receiver's limit decides, not ours.

Input: the message. Output: smaller messages with the same content; none if it cannot be smaller. Each has its own id, because an id never
has two bodies. Ids are derived from that of the original, so that a replay creates the same ones.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.model.identity import message_id
from watchdog.core.report.shorter import shorter

__all__ = ["smaller"]


def smaller(message: Message, *, human: bool) -> tuple[Message, ...]:
    """Return two halves of the message, or the same message without descriptions and runbooks.

    The latter if it has only one incident, or is for people and shortened by its receiver. A digest is replaced by one with fewer rows.
    """
    if message.digest is not None:
        report = shorter(message.digest)
        again = message_id(message.receiver, message.target, message.created_at, [message.id])
        return () if report is None else (replace(message, id=again, digest=report),)
    if len(message.notices) > 1 and not human:
        middle = (len(message.notices) + 1) // 2
        return _part(message, message.notices[:middle]), _part(message, message.notices[middle:])
    short = tuple(replace(notice, description="", runbook="") for notice in message.notices)
    return () if short == message.notices else (_part(message, short),)


def _part(message: Message, notices: Sequence[Notice]) -> Message:
    about = [message.id, *(f"{notice.incident}{notice.event}{notice.sequence}" for notice in notices)]
    return replace(message, id=message_id(message.receiver, message.target, message.created_at, about), notices=tuple(notices))
