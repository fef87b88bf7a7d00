"""The message that tests a receiver. It is marked as a test for people and for machines."""

from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.model.identity import fingerprint, incident_id, message_id
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF

__all__ = ["RULE", "message_for_test"]

RULE = "Test"


def message_for_test(receiver: str, service: str, now: float) -> Message:
    """Return a message with one incident of severity info, of the rule `Test` on watchdog itself.

    The incident exists only in this message. `now` is epoch seconds.
    """
    key = {"receiver": receiver}
    print_ = fingerprint(RULE, SELF, key)
    notice = Notice(
        incident=incident_id(print_, now),
        fingerprint=print_,
        event=Event.FIRST,
        rule=RULE,
        target=SELF,
        severity=Severity.INFO,
        state="firing",
        key=key,
        started_at=now,
        fired_at=now,
        sequence=1,
        labels={"test": "true"},
        summary=f"This is a test of the receiver {receiver}: nothing is wrong",
        description="Sent by `watchdog receivers test`; no end will follow.",
        targets=(SELF,),
    )
    return Message(message_id(receiver, SELF, now, [RULE]), receiver, SELF, now, (notice,), service=service)
