"""What is sent in place of a message that a receiver calls too large (413), so that its limit decides, not ours.

In: the message. Out: smaller ones that say the same, each under an id of its own, for an id never has two bodies; none where it cannot be
smaller. Ids are made from the message's own, so that a replay makes the same.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.model.identity import message_id

__all__ = ["smaller"]


def smaller(message: Message, *, human: bool) -> tuple[Message, ...]:
    """Two halves; of one incident alone, or of what people read and its receiver cuts, the same without descriptions and runbooks."""
    if len(message.notices) > 1 and not human:
        middle = (len(message.notices) + 1) // 2
        return _part(message, message.notices[:middle]), _part(message, message.notices[middle:])
    short = tuple(replace(notice, description="", runbook="") for notice in message.notices)
    return () if short == message.notices else (_part(message, short),)


def _part(message: Message, notices: Sequence[Notice]) -> Message:
    about = [message.id, *(f"{notice.incident}{notice.event}{notice.sequence}" for notice in notices)]
    return replace(message, id=message_id(message.receiver, message.target, message.created_at, about), notices=tuple(notices))
