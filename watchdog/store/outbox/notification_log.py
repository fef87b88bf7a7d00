"""What each receiver was told of each incident: a cache over messages and their notices, made anew wherever a message's fate moves.

Only what may have arrived counts: messages whose body is frozen and that are not dead, and those dropped by hand that may have arrived.
So what an undone attempt said takes itself back. A dead letter that is retried counts no more. Where the last word on an incident was
refused, `refused` is that word, and `settings` says under which receiver settings it was; `event` is then the last that may have arrived
before it, or none: untold.
"""

import json
import sqlite3
from collections.abc import Iterable

__all__ = ["recount", "recount_all", "recount_incidents"]

_OF_MESSAGE = "SELECT incident FROM notices WHERE message = :message"
_LISTED = "SELECT value FROM json_each(:incidents)"
_ALL = (
    "SELECT notices.incident FROM notices JOIN messages ON messages.id = notices.message WHERE messages.receiver = :receiver"
    " UNION SELECT incident FROM told WHERE receiver = :receiver"
)

_FORGET = "DELETE FROM told WHERE receiver = :receiver AND incident IN ({incidents})"

# max(number) beside bare columns takes them from the row that holds the maximum (sqlite.org/lang_select.html#bareagg)
_COUNT = """
    WITH said AS (
        SELECT notices.incident, notices.event, notices.severity, notices.sequence, messages.number, messages.settings,
               messages.state = 'dead' AND NOT (messages.handled IS 'dropped' AND messages.may_have_arrived) AS refused,
               coalesce(messages.delivered_at, messages.last_attempt_at, messages.created_at) AS at
        FROM notices JOIN messages ON messages.id = notices.message
        WHERE messages.receiver = :receiver AND messages.body IS NOT NULL AND messages.handled IS NOT 'retried'
          AND notices.incident IN ({incidents})
    ),
    latest AS (SELECT *, max(number) FROM said GROUP BY incident),
    arrived AS (SELECT *, max(number) FROM said WHERE NOT refused GROUP BY incident)
    INSERT INTO told (incident, receiver, event, severity, sequence, at, refused, settings)
    SELECT latest.incident, :receiver,
           arrived.event, coalesce(arrived.severity, latest.severity), coalesce(arrived.sequence, 0), latest.at,
           CASE WHEN latest.refused THEN latest.event END, latest.settings
    FROM latest LEFT JOIN arrived ON arrived.incident = latest.incident"""


def recount(connection: sqlite3.Connection, message_id: str, receiver: str) -> None:
    """Bring `notified` up to date for the incidents of one message and its receiver."""
    _recount(connection, _OF_MESSAGE, {"message": message_id, "receiver": receiver})


def recount_incidents(connection: sqlite3.Connection, incidents: Iterable[str], receiver: str) -> None:
    """The same for these incidents."""
    _recount(connection, _LISTED, {"incidents": json.dumps(list(incidents)), "receiver": receiver})


def recount_all(connection: sqlite3.Connection, receiver: str) -> None:
    """The same for all that the receiver was ever to be told of."""
    _recount(connection, _ALL, {"receiver": receiver})


def _recount(connection: sqlite3.Connection, incidents: str, names: dict[str, str]) -> None:
    connection.execute(_FORGET.format(incidents=incidents), names)
    connection.execute(_COUNT.format(incidents=incidents), names)
