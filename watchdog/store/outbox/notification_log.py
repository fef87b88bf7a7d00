"""The notification log: which event of each incident each receiver was last notified of.

The table `told` is a cache derived from messages and their notices. Only messages that may have arrived count: those with a frozen body
that are not dead, and dropped ones that may have arrived. So a message counts from its first attempt on (`note`), and its delivery changes
nothing; whatever else becomes of it is recomputed (`recount`): an attempt that certainly failed is undone, and a dead letter that is
retried no longer counts. If the last event was refused, `refused` is that event and `settings` the receiver settings at the time; `event`
is then the last event that may have arrived before it, or NULL.
"""

import json
from collections.abc import Iterable, Mapping

from watchdog.store.looks.row_cache import new_mark
from watchdog.store.sql import Connection

__all__ = ["note", "recount", "recount_all", "recount_incidents"]

_OF_MESSAGE = "SELECT incident FROM notices WHERE message = :message"
_LISTED = "SELECT value FROM json_each(:incidents)"
_ALL = (
    "SELECT notices.incident FROM notices JOIN messages ON messages.id = notices.message WHERE messages.receiver = :receiver"
    " UNION SELECT incident FROM told WHERE receiver = :receiver"
)

_FORGET = "DELETE FROM told WHERE receiver = :receiver AND incident IN ({incidents})"

_AT = "coalesce(messages.last_attempt_at, messages.created_at)"

_COUNT = f"""
    WITH said AS (
        SELECT notices.incident, notices.event, notices.severity, notices.sequence, messages.number, messages.settings, messages.group_id,
               messages.state = 'dead' AND NOT (coalesce(messages.handled, '') = 'dropped' AND messages.may_have_arrived <> 0) AS refused,
               {_AT} AS at
        FROM notices JOIN messages ON messages.id = notices.message
        WHERE messages.receiver = :receiver AND messages.body IS NOT NULL AND coalesce(messages.handled, '') <> 'retried'
          AND notices.incident IN ({{incidents}})
    ),
    ordered AS (
        SELECT said.*, row_number() OVER (PARTITION BY incident ORDER BY number DESC) = 1 AS latest,
               NOT refused AND row_number() OVER (PARTITION BY incident, refused ORDER BY number DESC) = 1 AS arrived
        FROM said
    )
    INSERT INTO told (incident, receiver, event, severity, sequence, at, refused, settings, group_id, mark)
    SELECT incident, :receiver,
           max(CASE WHEN arrived THEN event END),
           coalesce(max(CASE WHEN arrived THEN severity END), max(CASE WHEN latest THEN severity END)),
           coalesce(max(CASE WHEN arrived THEN sequence END), 0),
           max(CASE WHEN latest THEN at END),
           max(CASE WHEN latest AND refused THEN event END),
           max(CASE WHEN latest THEN settings END),
           coalesce(max(CASE WHEN arrived THEN group_id END), max(CASE WHEN latest THEN group_id END)),
           :mark
    FROM ordered GROUP BY incident"""  # noqa: S608
"""Each `max` is of one row: the latest that was said of an incident, or the latest of it that may have arrived."""

# CROSS JOIN: notices of the same incidents are looked up one by one, and there are seldom any.
_LATER_ONES = """
    SELECT 1 FROM messages AS this CROSS JOIN notices AS mine ON mine.message = this.id
    CROSS JOIN notices AS theirs ON theirs.incident = mine.incident AND theirs.message <> mine.message
    CROSS JOIN messages AS later ON later.id = theirs.message
    WHERE this.id = ? AND later.receiver = this.receiver AND later.number > this.number AND later.body IS NOT NULL LIMIT 1"""
_NOTE = f"""
    INSERT INTO told (incident, receiver, event, severity, sequence, at, refused, settings, group_id, mark)
    SELECT notices.incident, messages.receiver, notices.event, notices.severity, notices.sequence, {_AT}, NULL, messages.settings,
        messages.group_id, :mark
    FROM messages JOIN notices ON notices.message = messages.id WHERE messages.id = :message
    ON CONFLICT (incident, receiver) DO UPDATE SET event = excluded.event, severity = excluded.severity, sequence = excluded.sequence,
        at = excluded.at, refused = NULL, settings = excluded.settings, group_id = excluded.group_id,
        mark = excluded.mark"""  # noqa: S608 - our own SQL


def note(connection: Connection, message_id: str, receiver: str) -> None:
    """The same as `recount`, and cheaper, for a message with a body that is not dead: what it says counts, if it is the latest."""
    if connection.execute(_LATER_ONES, (message_id,)).fetchone():
        recount(connection, message_id, receiver)  # one behind it was dropped, or expired, before this one was sent
    else:
        connection.execute(_NOTE, {"message": message_id, "mark": new_mark()})


def recount(connection: Connection, message_id: str, receiver: str) -> None:
    """Recompute the notification log for the incidents of one message and its receiver."""
    _recount(connection, _OF_MESSAGE, {"message": message_id, "receiver": receiver})


def recount_incidents(connection: Connection, incidents: Iterable[str], receiver: str) -> None:
    """Recompute it for these incidents."""
    _recount(connection, _LISTED, {"incidents": json.dumps(list(incidents)), "receiver": receiver})


def recount_all(connection: Connection, receiver: str) -> None:
    """Recompute it for every incident that the receiver has a message or a log entry about."""
    _recount(connection, _ALL, {"receiver": receiver})


def _recount(connection: Connection, incidents: str, names: Mapping[str, str]) -> None:
    connection.execute(_FORGET.format(incidents=incidents), names)
    connection.execute(_COUNT.format(incidents=incidents), {**names, "mark": new_mark()})
