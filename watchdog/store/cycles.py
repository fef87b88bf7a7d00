"""What one cycle reads and writes: the known state of a target, and the plan that changes it, both in one transaction.

A plan contains only incidents that changed; only these are written.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.shared_servers import NO_TWINS
from watchdog.core.incidents.routing import LONGEST_GROUP_INTERVAL_S
from watchdog.store.looks import table_memory
from watchdog.store.looks.row_cache import CachedTarget, new_mark
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import (
    INCIDENT_COLUMNS,
    TOLD_COLUMNS,
    digest_text,
    incident_cells,
    incident_from,
    message_from,
    notice_from,
    notice_text,
    plain,
)
from watchdog.store.refusals import NotInForceError, OvertakenError, StoreError
from watchdog.store.requests import acknowledgements, deploys, remedies, silences
from watchdog.store.sql import LAST_MESSAGE, Connection, tuples
from watchdog.store.twins import SharedIncidents, changed_number, matters_elsewhere

__all__ = [
    "TRIED_FOR_S",
    "Began",
    "commit",
    "last_number",
    "load",
    "notices_of",
    "queue",
    "unfinished_targets",
    "withdraw",
    "write_incidents",
]

TRIED_FOR_S = 24 * 3600.0
"""How long delivery of a message is attempted, counted from its creation. Notices merged into a newer message get the newer deadline."""

_FOR_LIFE = frozenset({"id", "fingerprint", "rule", "identity", "target", "key", "started_at"})
_COLUMNS = ", ".join(f'"{name}"' for name in INCIDENT_COLUMNS)
_UPSERT = (
    f"INSERT INTO incidents ({_COLUMNS}, mark, change) VALUES ({'?, ' * len(INCIDENT_COLUMNS)}?, ?) ON CONFLICT (id) DO UPDATE SET "  # noqa: S608 - our own column names
    + ", ".join(f'"{name}" = excluded."{name}"' for name in (*INCIDENT_COLUMNS, "mark") if name not in _FOR_LIFE)
    + ", change = CASE WHEN excluded.change > 0 OR incidents.change > 0 THEN ? ELSE 0 END"
)
_OPEN = f"SELECT id, mark FROM incidents WHERE target = ? AND state IN {OPEN_STATES} ORDER BY id"  # noqa: S608
"""Read from an index alone, as nearly all incidents are as they were in the last cycle."""
_LISTED = "SELECT value FROM json_each(?)"
_OF_IDS = f"SELECT {_COLUMNS}, mark FROM incidents WHERE id IN ({_LISTED})"  # noqa: S608
_OWED = f"""
    SELECT {_COLUMNS} FROM incidents WHERE target = :target AND state NOT IN {OPEN_STATES} AND fired_at IS NOT NULL AND id IN (
        SELECT incident FROM told
        WHERE event <> 'resolved' AND incident NOT IN (SELECT id FROM incidents WHERE target = :target AND state IN {OPEN_STATES})
        UNION SELECT notices.incident FROM notices JOIN messages ON messages.id = notices.message
              WHERE messages.target = :target AND messages.state = 'waiting' AND messages.body IS NULL
    ) ORDER BY id"""  # noqa: S608
_TOLD_OF_OPEN = f"""
    SELECT told.incident, told.receiver, told.mark FROM incidents JOIN told ON told.incident = incidents.id
    WHERE target = ? AND state IN {OPEN_STATES}"""  # noqa: S608
_TOLD_OF_ONE = "SELECT incident, receiver, mark FROM told WHERE incident = ?"
_TOLD_OF_IDS = f"SELECT {', '.join(TOLD_COLUMNS)}, mark FROM told WHERE incident IN ({_LISTED})"  # noqa: S608
_UNFINISHED = f"""
    SELECT target FROM incidents WHERE state IN {OPEN_STATES}
    UNION SELECT incidents.target FROM told JOIN incidents ON incidents.id = told.incident WHERE told.event <> 'resolved'
    UNION SELECT target FROM messages WHERE state = 'waiting' AND body IS NULL AND digest IS NULL"""  # noqa: S608
_SAID_AT = """
    SELECT receiver, group_id, max(created_at) AS at FROM messages
    WHERE target = :target AND created_at > coalesce((SELECT at FROM cycles WHERE target = :target), 0) - :within AND group_id <> ''
    GROUP BY receiver, group_id"""
_FIRED_BEFORE = """
    SELECT fingerprint, json_group_array(fired_at) AS times FROM incidents
    WHERE target = ? AND state = 'resolved' AND fired_at BETWEEN ? AND ? GROUP BY fingerprint HAVING count(*) > 1"""
"""Read from an index alone (which holds `state` for the SQLite versions that would look it up). What fired once before cannot be the third
firing now."""
_BEGAN = """
    SELECT cycles.at, cycles.number, in_force.fingerprint FROM (SELECT 1 AS one) AS always
    LEFT JOIN cycles ON cycles.target = ? LEFT JOIN in_force ON TRUE"""
"""One question, because each look asks it; there is an answer even if there was no cycle yet."""
_CYCLE = """
    INSERT INTO cycles (target, at, number) VALUES (?, ?, 1)
    ON CONFLICT (target) DO UPDATE SET at = excluded.at, number = cycles.number + 1"""
_UNSENT = "SELECT * FROM messages WHERE target = ? AND state = 'waiting' AND body IS NULL AND digest IS NULL ORDER BY number"


class Began(Struct, frozen=True):
    """From what a cycle began. `after`: the number of the last one. `configuration`: its fingerprint, where another process says which one
    is in force. None: whatever it is.
    """

    after: int | None = None
    configuration: str | None = None


ANYHOW = Began()


def load(
    connection: Connection,
    target: str,
    kept: CachedTarget,
    fired_within: tuple[float, float] | None = None,
    servers: Collection[str] = (),
    shared: SharedIncidents | None = None,
    began: Began = ANYHOW,
) -> Loaded:
    """The stored state of one target. Open incidents that did not change are the same objects as in the previous load.

    `fired_within`: from when to when earlier firings count for flapping. `servers`: those that other targets name, too. `shared`: what
    is known of their incidents. `began`: what must still be so; `OvertakenError` if it is not.
    """
    previous = connection.execute(_BEGAN, (target,)).fetchone()
    _must_follow(began, Began(previous["number"] or 0, previous["fingerprint"] or ""), target)
    open_ = tuple(kept.open.values(tuples(connection, _OPEN, (target,)), partial(_listed, connection, _OF_IDS)).values())
    unsettled = tuple(incident_from(row) for row in connection.execute(_OWED, {"target": target}))
    known = shared or SharedIncidents()
    twins, twins_causes = known.read(connection, servers, (*open_, *unsettled)) if servers else (NO_TWINS, {})
    last = connection.execute(LAST_MESSAGE).fetchone()
    return Loaded(
        open=open_,
        unsettled=unsettled,
        notified=kept.notified.values(_told_of(connection, target, unsettled), partial(_listed, connection, _TOLD_OF_IDS)),
        waiting=tuple(message_from(row, notices_of(connection, row["id"])) for row in connection.execute(_UNSENT, (target,)).fetchall()),
        previous_cycle_at=previous["at"],
        off=frozenset(row["receiver"] for row in connection.execute("SELECT receiver FROM switched_off")),
        silences=silences.not_ended(connection),
        acknowledged=acknowledgements.holding(connection),
        deploys=deploys.recent(connection),
        said_at=_said_at(connection, target),
        fired={} if fired_within is None else _fired_before(connection, target, fired_within),
        twins=twins,
        twins_causes=twins_causes,
        attempts=remedies.counting(connection, target),
        last_message=last["seq"] if last else 0,
    )


def _must_follow(began: Began, now: Began, target: str) -> None:
    if began.configuration is not None and began.configuration != now.configuration:
        raise NotInForceError(
            f"target {target}: another configuration is in force than {began.configuration}, by which this look was made; "
            "nothing was written"
        )
    if began.after is not None and began.after != now.after:
        raise OvertakenError(
            f"target {target}: cycle {now.after} was committed since this one began after cycle {began.after}, nothing was written; "
            "the next one begins from there"
        )


def last_number(connection: Connection, target: str) -> int:
    """The number of a target's last cycle; 0 if it had none."""
    row = connection.execute("SELECT number FROM cycles WHERE target = ?", (target,)).fetchone()
    return int(row["number"]) if row else 0


def _said_at(connection: Connection, target: str) -> dict[tuple[str, str], float]:
    recent = connection.execute(_SAID_AT, {"target": target, "within": LONGEST_GROUP_INTERVAL_S})
    return {(row["receiver"], row["group_id"]): row["at"] for row in recent}


def _fired_before(connection: Connection, target: str, within: tuple[float, float]) -> dict[str, tuple[float, ...]]:
    return {row["fingerprint"]: tuple(json.loads(row["times"])) for row in connection.execute(_FIRED_BEFORE, (target, *within))}


def _told_of(connection: Connection, target: str, unsettled: Iterable[Incident]) -> Iterable[tuple[object, ...]]:
    ended = (tuples(connection, _TOLD_OF_ONE, (incident.id,)) for incident in unsettled)
    return chain(tuples(connection, _TOLD_OF_OPEN, (target,)), chain.from_iterable(ended))


def _listed(connection: Connection, sql: str, ids: Sequence[object]) -> Iterable[tuple[object, ...]]:
    return tuples(connection, sql, (json.dumps(ids),))


def notices_of(connection: Connection, message_id: str) -> tuple[Notice, ...]:
    """A message's notices, in order."""
    rows = connection.execute("SELECT snapshot FROM notices WHERE message = ? ORDER BY position", (message_id,))
    return tuple(notice_from(row["snapshot"]) for row in rows)


def commit(connection: Connection, plan: Plan) -> None:
    """Write the whole plan.

    Raises `StoreError` if a message that the plan withdraws has left in the meantime (the plan was made outside this transaction).
    """
    write_incidents(connection, plan.incidents, plan.transitions)
    withdraw(connection, plan.withdrawn)
    queue(connection, plan.messages, plan.at)
    acknowledgements.overtake(connection, plan.overtaken, plan.at)
    remedies.write(connection, plan.attempts)
    table_memory.write(connection, plan)
    connection.execute(_CYCLE, (plan.target, plan.at))


def write_incidents(connection: Connection, incidents: Iterable[Incident], transitions: Iterable[Transition]) -> None:
    """Write new and changed incidents, and their transitions."""
    # in the order of their ids, so that many are appended to their table and its indexes instead of inserted all over them
    written = sorted(incidents, key=attrgetter("id"))
    number = changed_number(connection) if written else 0
    mark = new_mark()
    cells = [(*incident_cells(one), mark, number if matters_elsewhere(one) else 0, number) for one in written]
    connection.executemany(_UPSERT, cells)
    connection.executemany(
        "INSERT INTO transitions (incident, at, before, after, reason) VALUES (?, ?, ?, ?, ?)",
        [(move.incident, move.at, move.before, move.after, plain(move.reason)) for move in sorted(transitions, key=attrgetter("incident"))],
    )


def withdraw(connection: Connection, ids: Iterable[str]) -> None:
    """Delete messages that were never sent; `StoreError` if one no longer waits unsent."""
    for message_id in ids:
        gone = connection.execute("DELETE FROM messages WHERE id = ? AND state = 'waiting' AND body IS NULL", (message_id,)).rowcount
        if not gone:
            raise StoreError(
                f"message {message_id} was to be withdrawn, but is not waiting any more; nothing was written, the next cycle decides again"
            )


def queue(connection: Connection, messages: Iterable[Message], now: float) -> None:
    """Insert new messages in state `waiting`."""
    for message in messages:
        connection.execute(
            "INSERT INTO messages (id, receiver, target, service, created_at, since, not_before, wait_s, expires_at, group_id, digest,"
            " state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
            (
                message.id, message.receiver, message.target, message.service, message.created_at, message.since,
                message.not_before, max(message.not_before - now, 0.0), message.created_at + TRIED_FOR_S,
                message.group_id, None if message.digest is None else digest_text(message.digest),
            ),
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (message.id, position, notice.incident, str(notice.event), str(notice.severity), notice.sequence, notice_text(notice))
                for position, notice in enumerate(message.notices)
            ],
        )


def unfinished_targets(connection: Connection) -> frozenset[str]:
    """Targets with an open incident, with an ended incident whose end some receiver has not been notified of, or with an unsent message."""
    return frozenset(row["target"] for row in connection.execute(_UNFINISHED))
