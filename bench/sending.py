"""Sending: 1,000 messages to 10 receivers of 5 kinds, beside POSTs of the same bodies by the same client and nothing else.

In: real receivers, and a server that only answers; in the floor a client for each receiver, too. Out: CPU of rendering and sending, and of
the whole delivery (claimed from the database and settled there, a commit each). The floor knows nothing of deadlines, answers, proxies
and secrets: nobody should run such a program.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from bench.cpu import cpu_ms_of
from bench.figures import Figure, by_round
from bench.receiver import answering
from watchdog.core.incidents.lifecycle import Incident, State, Transition
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.notify import notice_of
from watchdog.core.incidents.outcome import Later, Refused
from watchdog.core.incidents.plan import Plan
from watchdog.core.model.severity import Severity
from watchdog.daemon.delivery import Delivery
from watchdog.receivers import RECEIVERS
from watchdog.receivers.base import Receiver
from watchdog.store import Store

__all__ = ["sending"]

NOW = 1_800_000_000.0
KINDS = ("webhook", "slack", "discord", "teams", "ntfy")
OF_EACH = 2
MOST = 1.5
MORE: Mapping[str, Mapping[str, Any]] = {"ntfy": {"topic": "alerts"}}


def sending(folder: Path, *, messages: int = 1_000, rounds: int = 5) -> Iterator[Figure]:
    """CPU of sending alone, and of delivery."""
    with answering(folder) as url, ExitStack() as stack:
        receivers = [_receiver(kind, number, url) for kind in KINDS for number in range(OF_EACH)]
        for receiver in receivers:
            stack.callback(receiver.close)
        clients = {receiver.name: stack.enter_context(httpx.Client(trust_env=False)) for receiver in receivers}
        each = messages // len(receivers)
        work = [(receiver, [_message(receiver.name, number) for number in range(each)]) for receiver in receivers]
        posts = [
            (clients[receiver.name], f"{url}/{receiver.name}", receiver.render(message)) for receiver, told in work for message in told
        ]
        _send([(receiver, told[:1]) for receiver, told in work])
        _post(posts[::each])
        sent = [(cpu_ms_of(lambda: _send(work)), cpu_ms_of(lambda: _post(posts))) for _ in range(rounds)]
        what = f"{messages:,} messages to {len(receivers)} receivers of {len(KINDS)} kinds"
        yield by_round(f"{what}, rendered and sent; floor: POSTs of the same bodies, CPU", "ms", sent, MOST)
        delivered = []
        for number in range(rounds):
            with Store.open(folder / f"sending-{number}.db") as store:
                delivered.append((cpu_ms_of(_delivery(store, work)), cpu_ms_of(lambda: _post(posts))))
        yield by_round("the same from the database, claimed and settled with a commit each, CPU", "ms", delivered, None)


def _send(work: Sequence[tuple[Receiver, Sequence[Message]]]) -> None:
    for receiver, messages in work:
        for message in messages:
            match receiver.send(receiver.render(message), message.id, NOW):
                case Later(reason) | Refused(reason):
                    raise AssertionError(f"{receiver.name}: {reason}")


def _post(posts: Sequence[tuple[httpx.Client, str, bytes]]) -> None:
    for client, url, body in posts:
        client.post(url, content=body, headers={"content-type": "application/json"}).raise_for_status()


def _delivery(store: Store, work: Sequence[tuple[Receiver, Sequence[Message]]]) -> Any:
    """What delivers all messages, which are stored before it is measured."""
    incidents = {notice.incident: _incident(notice.key["name"]) for _, messages in work for one in messages for notice in one.notices}
    moves = [Transition(one, NOW, "", State.FIRING.value, "breach") for one in incidents]
    with store.cycle() as transaction:
        transaction.load("prod")
        told = tuple(message for _, messages in work for message in messages)
        transaction.commit(Plan("prod", NOW, tuple(incidents.values()), tuple(moves), told, ()))
    delivery = Delivery(store, [receiver for receiver, _ in work], clock=lambda: NOW, log=_Quiet())

    def deliver() -> None:
        for receiver, messages in work:
            if delivery.drain_once(receiver.name) != len(messages):
                raise AssertionError(f"{receiver.name}: not all was sent")

    return deliver


class _Quiet:
    """A log that writes nothing: what a line costs is another question."""

    def bind(self, **_: object) -> "_Quiet":
        return self

    def info(self, *_: object, **__: object) -> None:
        """Say nothing."""

    warning = error = info


def _receiver(kind: str, number: int, url: str) -> Receiver:
    settings = {"type": kind, "name": f"{kind}-{number}", "url": f"{url}/{kind}-{number}", "per_second": 1000, "proxy": "none"}
    return RECEIVERS[kind].receiver(RECEIVERS[kind].settings.model_validate({**settings, **MORE.get(kind, {})}))


def _message(receiver: str, number: int) -> Message:
    notice = notice_of(_incident(f"orders-{number:05}"), Event.FIRST, 1)
    return Message(f"01{receiver}{number:05}", receiver, "prod", NOW, (notice,))


def _incident(queue: str) -> Incident:
    return Incident(
        id=f"01{queue}",
        fingerprint=queue,
        rule="QueueBacklogHigh",
        identity="queues: length > :limit",
        target="prod",
        key={"name": queue},
        state=State.FIRING,
        severity=Severity.WARNING,
        started_at=NOW - 60,
        fired_at=NOW - 60,
        values={"name": queue, "length": 1200.0, "consumers": 2.0, "oldest_s": 640.0},
        summary=f"{queue} holds 1,200 messages",
        description="Messages arrive faster than the workers of this queue finish them.",
        runbook="Is a worker missing? `celery inspect active_queues`",
        link=f"https://flower.example.com/broker#{queue}",
    )
