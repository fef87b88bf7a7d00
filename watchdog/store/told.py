"""What each receiver was told of each incident: a cache over messages and their notices, made anew wherever a message's fate moves.

Only what may have arrived counts: messages whose body is frozen and that are not dead. So what an undone attempt said takes itself back.
Where the last word on an incident was refused, `refused` is that word, and `settings` says under which receiver settings it was; `event`
is then the last that may have arrived before it, or none: untold.
"""

import sqlite3

__all__ = ["recount"]

_FORGET = "DELETE FROM told WHERE receiver = :receiver AND incident IN (SELECT incident FROM notices WHERE message = :message)"

# max(number) beside bare columns takes them from the row that holds the maximum (sqlite.org/lang_select.html#bareagg)
_COUNT = """
    WITH said AS (
        SELECT notices.incident, notices.event, notices.severity, notices.sequence, messages.number, messages.state,
               messages.settings, coalesce(messages.delivered_at, messages.last_attempt_at) AS at
        FROM notices JOIN messages ON messages.id = notices.message
        WHERE messages.receiver = :receiver AND messages.body IS NOT NULL
          AND notices.incident IN (SELECT incident FROM notices WHERE message = :message)
    ),
    latest AS (SELECT *, max(number) FROM said GROUP BY incident),
    arrived AS (SELECT *, max(number) FROM said WHERE state <> 'dead' GROUP BY incident)
    INSERT INTO told (incident, receiver, event, severity, sequence, at, refused, settings)
    SELECT latest.incident, :receiver,
           arrived.event, coalesce(arrived.severity, latest.severity), coalesce(arrived.sequence, 0), latest.at,
           CASE WHEN latest.state = 'dead' THEN latest.event END, latest.settings
    FROM latest LEFT JOIN arrived ON arrived.incident = latest.incident"""


def recount(connection: sqlite3.Connection, message_id: str, receiver: str) -> None:
    """Bring `told` up to date for the incidents of one message and its receiver."""
    names = {"message": message_id, "receiver": receiver}
    connection.execute(_FORGET, names)
    connection.execute(_COUNT, names)
