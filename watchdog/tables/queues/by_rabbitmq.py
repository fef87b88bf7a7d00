"""The queues of a virtual host of RabbitMQ, as its management API lists them: whole, with the consumers that RabbitMQ itself counts.

Queues that Celery makes for itself (events, remote control, results) are left out; what waits in `celery_delayed_*` is scheduled work
(`scheduled`), no backlog. The API shows no message without taking it from its queue: the next one is the same as long as RabbitMQ has
delivered none.
"""

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import oldest_of, second_look_needed, within
from watchdog.core.model.replies import MessageHead, WorkerConf
from watchdog.core.model.rows import Cell, Look, Reading, Row, Sample
from watchdog.core.model.servers.rabbitmq_queries import RabbitOverview, RabbitQueues
from watchdog.core.model.servers.rabbitmq_replies import OverviewSeen, QueueSeen
from watchdog.core.model.target import Target, covers
from watchdog.tables.queues.celery_conf import celery_conf, current
from watchdog.tables.queues.consumers import consumers
from watchdog.tables.queues.heads import Heads
from watchdog.tables.queues.keys import queues_of
from watchdog.tables.queues.names import Bindings
from watchdog.tables.queues.rows import QueueRows, blind_row
from watchdog.tables.workers.memory import inspections, known_workers_of

__all__ = ["DELAYED", "OF_RABBITMQ", "broker_elsewhere", "read_by_rabbitmq"]

OF_RABBITMQ = ("unacked", "arrived_per_min")
"""Columns that no other broker fills."""
OF_EVENTS = ("arrived_per_min", "finished_per_min", "oldest_s", "head_s", "stuck_s", "head_usual_s")
"""Columns that need RabbitMQ's counts of what happens to messages."""
OF_MESSAGES = ("head_task", "head_origin", "priorities")
UNSEEN = "RabbitMQ shows no message without taking it from its queue"
NO_RATES = "rabbitmq: it does not count what happens to messages: expected rates_mode basic in its configuration, found none"
COUNTS_NOTHING = (
    "rabbitmq: its statistics are switched off, and it tells the names of queues alone: "
    "set management_agent.disable_metrics_collector and management.disable_stats to false in its configuration"
)
NOT_COUNTED = "rabbitmq: it has not counted this queue yet"
DELAYED = re.compile(r"celery_delayed_\d+")
"""The queues in which messages with an ETA wait for it (kombu's native delayed delivery)."""
_OWN = re.compile(r".*\.pidbox|celeryev(\..*)?|celery_delayed_\d+|watchdog\.sent-again")
_OF_ONE_PROCESS = re.compile(r"(?!bcast\.)(.*\.)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\..*)?")
"""The name of a queue of one process for its events or its results; a broadcast's carries tasks."""
AMQP = frozenset({"amqp", "amqps", "pyamqp", "librabbitmq"})


def read_by_rabbitmq(look: Look, idle: Mapping[str, str], columns: Iterable[str]) -> Reading:
    """Return a row for every queue that carries tasks, and for those that are declared or consumed and not there."""
    memory, target = queues_of(look.memory), look.target
    known_workers = known_workers_of(look.before["workers"].memory if "workers" in look.before else None)
    seen = inspections(look.replies, known_workers, target)
    latest = current(seen.values())
    conf = celery_conf(target, latest, memory.said)
    memory = replace(memory, said=conf.said)
    overview = look.replies.get(RabbitOverview(), OverviewSeen)
    listed = look.replies.get(RabbitQueues(target.rabbitmq_vhost), tuple[QueueSeen, ...])
    idle = {**idle, **dict.fromkeys(OF_MESSAGES, UNSEEN), **second_look_needed(look, "arrived_per_min", "finished_per_min")}
    elsewhere = broker_elsewhere(target, [i.conf for i in latest if i.conf is not None])
    if isinstance(overview, Gap) or isinstance(listed, Gap) or elsewhere:
        why = next((answer.reason for answer in (overview, listed) if isinstance(answer, Gap)), elsewhere)
        blind = tuple(c for c in columns if c not in ("name", "declared") and c not in idle)
        return Reading(tuple(blind_row(name, why, conf.declared, blind) for name in memory.known), unread=why, idle=idle, memory=memory)
    counting = overview.rates_mode != "none" and not overview.counts_nothing
    idle = idle if counting else {**idle, **dict.fromkeys(OF_EVENTS, COUNTS_NOTHING if overview.counts_nothing else NO_RATES)}
    consumed = consumers(look.before.get("workers"), known_workers, look.now)
    found = {queue.name: queue for queue in listed if for_tasks(queue) or queue.name in consumed.by_queue or queue.name in conf.declared}
    ours = {queue for inspection in seen.values() for queue in inspection.queues or ()} | conf.declared
    told = {name for name in found if not target.workers or name in ours}  # the others belong to another app
    names = sorted(name for name in told | conf.declared | set(consumed.by_queue) if covers(name, target.queues))
    figures = {name: _Figures(found.get(name, QueueSeen(name, 0, 0, 0)), overview) for name in names}
    consumed = replace(
        consumed,
        counted={name: one.consumers for name, one in figures.items()},
        delivered={name: one.delivered for name, one in figures.items()} if counting else None,
    )
    heads = {name: one.heads for name, one in figures.items() if one.ready != 0} if counting else {}
    there = Bindings(whole=True, members={"": frozenset(found)})
    rows = QueueRows(look, memory, conf.declared, consumed, heads, _total(one.unacked for one in figures.values()), bindings=there)
    known = {name: rows.after(memory.queue(name, look.now, is_there=True), one.ready) for name, one in figures.items()}
    shown = [_filled(rows.row(known[name], one.ready, idle), one, look, idle) for name, one in figures.items()]
    return Reading(
        rows=tuple(shown),
        idle=idle,
        memory=replace(memory, known=known, looked_at=look.now),
        sample=Sample(look.now, {name: one.sample for name, one in figures.items()}),
    )


def for_tasks(queue: QueueSeen) -> bool:
    """Whether tasks wait in it when they are due. Not so in queues for events, remote control, results or delayed messages, nor in streams,
    which Celery cannot consume, and in which messages stay that were read."""
    own = _OWN.fullmatch(queue.name) or (queue.auto_delete and _OF_ONE_PROCESS.fullmatch(queue.name))
    return not own and not queue.exclusive and not queue.is_stream


def broker_elsewhere(target: Target, confs: Iterable[WorkerConf]) -> str:
    """Return why this virtual host says nothing of the workers: they use another one, or another kind of broker; empty if it may."""
    told = [conf for conf in confs if conf.transport]
    ours = [conf for conf in told if conf.transport in AMQP]
    if not told:
        return ""
    if not ours:
        kinds = ", ".join(sorted({conf.transport or "" for conf in told}))
        return f"rabbitmq: the workers' broker is {kinds}: name that as the broker of this target, or another RabbitMQ"
    vhosts = {conf.broker_vhost for conf in ours}
    if None in vhosts or target.rabbitmq_vhost in vhosts:
        return ""
    named = ", ".join(sorted(f'"{vhost}"' for vhost in vhosts))
    return f'rabbitmq: configured is the virtual host "{target.rabbitmq_vhost}", the workers use {named}: set `vhost` of rabbitmq'


class _Figures:
    """What RabbitMQ says of one queue in this poll. A figure that it does not tell is a gap."""

    def __init__(self, seen: QueueSeen, overview: OverviewSeen) -> None:
        self._seen = seen
        state = "" if seen.state in (None, "running", "idle", "flow", "live") else f"rabbitmq: its state is {seen.state}"
        self._why = Gap(COUNTS_NOTHING if overview.counts_nothing else state or NOT_COUNTED)
        self.ready = self._told(seen.ready)
        self.unacked = self._told(seen.unacked)
        self.consumers = self._told(seen.consumers)
        self.delivered = seen.delivered

    @property
    def heads(self) -> Heads:
        """The message served next: the same as long as nothing was delivered."""
        return Heads({self._seen.name: MessageHead(f"after {self.delivered}", self._seen.head_at)})

    @property
    def sample(self) -> tuple[float | None, ...]:
        ready = None if isinstance(self.ready, Gap) else float(self.ready)
        return ready, float(self._seen.published), float(self._seen.acked)

    def _told(self, figure: int | None) -> int | Gap:
        return self._why if figure is None else figure


def _total(counts: Iterable[int | Gap]) -> int | Gap:
    """Return the sum; a gap if one of them is."""
    total = 0
    for count in counts:
        if isinstance(count, Gap):
            return count
        total += count
    return total


def _filled(row: Row, one: _Figures, look: Look, idle: Mapping[str, str]) -> Row:
    """Return the row with what RabbitMQ alone counts. Its count of acknowledgements needs no sender that reports the queue of a task."""
    cells, gaps = dict(row.cells), dict(row.gaps)
    name, samples = str(cells["name"]), within(look)
    figures: dict[str, Cell | Gap] = {"unacked": one.unacked if isinstance(one.unacked, Gap) else float(one.unacked)}
    for place, column in ((1, "arrived_per_min"), (2, "finished_per_min")):
        now = one.sample[place] or 0.0
        at, before = oldest_of(samples, name, place) or (look.now, now)
        risen = now - before if now >= before else now  # it counts anew after its restart
        figures[column] = risen / (look.now - at) * 60 if look.now > at else 0.0
    for column, figure in figures.items():
        gaps.pop(column, None)
        if column in idle:
            continue
        cells[column] = None if isinstance(figure, Gap) else figure
        if isinstance(figure, Gap):
            gaps[column] = figure.reason
    return Row(cells, gaps)
