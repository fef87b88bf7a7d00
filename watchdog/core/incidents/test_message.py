"""The message that tests a receiver, marked as a test for people and for machines; and messages that show what it would be sent."""

from math import sin

from msgspec.structs import replace

from watchdog.core.history.chart import Chart, DeployMark, Limit
from watchdog.core.incidents.lifecycle import Ended
from watchdog.core.incidents.messages import Event, Message, Notice, Post
from watchdog.core.model.identity import fingerprint, incident_id, message_id
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF

__all__ = ["RULE", "end_of_test", "example_chart", "message_for_test", "messages_for_preview"]

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


def end_of_test(message: Message, now: float) -> Message:
    """Return the end of what a test message began, for receivers where it would stay open."""
    ends = (
        replace(n, event=Event.RESOLVED, state="resolved", ended=Ended.RECOVERED.value, resolved_at=now, sequence=2)
        for n in message.notices
    )
    return replace(message, id=message_id(message.receiver, SELF, now, [RULE, "end"]), notices=tuple(ends))


_QUEUES = (("indexing", 4_210, Severity.WARNING), ("thumbnails", 890, Severity.WARNING))
_PREVIEWED = "example"
_POSTED = ("C0123456789 1795338900.000100", "C0123456789 1795338960.000200", "C0123456789 1795339020.000300")
"""What a Slack bot would be given back of its first three messages; others ignore it."""


def messages_for_preview(receiver: str, service: str, now: float) -> tuple[tuple[str, Message], ...]:
    """Return (what happens, message) of a short life of two queues that are told together. `now` is epoch seconds."""
    both = tuple(_backlog(name, length, severity, now - 60.0) for name, length, severity in _QUEUES)
    worse = replace(both[0], event=Event.ESCALATED, severity=Severity.CRITICAL, sequence=2)
    ends = tuple(
        replace(
            one, event=Event.RESOLVED, state="resolved", ended=Ended.RECOVERED.value, resolved_at=now + 300.0, sequence=3, severity=severity
        )
        for one, severity in zip(both, (Severity.CRITICAL, Severity.WARNING), strict=True)
    )

    def told(what: str, *notices: Notice, at: float, still: int = 0, posts: tuple[Post, ...] = ()) -> tuple[str, Message]:
        number = message_id(receiver, _PREVIEWED, at, [what])
        group = fingerprint("QueueBacklogHigh", _PREVIEWED, {})
        return what, Message(number, receiver, _PREVIEWED, at, notices, service=service, group_id=group, still=still, posts=posts)

    return (
        told("one begins", both[0], at=now),
        told("another joins", both[1], at=now + 60.0),
        told("the first gets worse", worse, at=now + 120.0, posts=(Post(_POSTED[0], (worse,)),)),
        told(
            "the first ends, the other still fires",
            ends[0],
            at=now + 300.0,
            still=1,
            posts=(Post(_POSTED[2], ends[:1]), Post(_POSTED[0], ends[:1])),
        ),
        told("the last one ends", ends[1], at=now + 360.0, posts=(Post(_POSTED[1], ends[1:]),)),
    )


def example_chart(message: Message) -> Chart | None:
    """Return a chart with made-up figures for the first notice of a message: a backlog that began with a deploy, after an hour of which
    nothing is known. None for a message without notices.
    """
    if not message.notices:
        return None
    notice, until = message.notices[0], message.created_at
    since, step, begins = until - 6 * 3600.0, 300.0, 58
    figures = [(since + (nth + 0.5) * step, 18.0 + 7 * sin(nth / 2) + max(nth - begins, 0) ** 2.6) for nth in range(72)]
    lines = tuple(figures[:20]), tuple(figures[31:])
    limits, deploys = (Limit(50.0, Severity.WARNING), Limit(1000.0, Severity.CRITICAL)), (DeployMark(until - 4_300.0, "v512"),)
    of, target = notice.key.get("name", "example"), message.target
    return Chart(notice.incident, "length", of, target, "messages", since, until, until - 3_600.0, lines, limits, deploys, example=True)


def _backlog(queue: str, length: int, severity: Severity, now: float) -> Notice:
    key = {"name": queue}
    print_ = fingerprint("QueueBacklogHigh", _PREVIEWED, key)
    return Notice(
        incident=incident_id(print_, now),
        fingerprint=print_,
        event=Event.FIRST,
        rule="QueueBacklogHigh",
        target=_PREVIEWED,
        severity=severity,
        state="firing",
        key=key,
        started_at=now,
        fired_at=now,
        sequence=1,
        labels={"example": "true"},
        values={"name": queue, "length": float(length), "consumers": 2.0, "oldest_s": 640.0},
        summary=f"{queue} holds {length:,} messages",
        description="Messages arrive faster than the workers of this queue finish them.",
        runbook="Is a worker missing? `celery inspect active_queues`\nElse add workers, or find what made tasks slow.",
        link="https://flower.example.com/broker#" + queue,
        trend=f"length in 30m: \u2581\u2582\u2583\u2585\u2588 up to {length:,}",
        targets=(_PREVIEWED,),
    )
