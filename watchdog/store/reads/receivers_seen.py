"""Reads the state of each receiver's outbox, for the command line and self-monitoring."""

from collections.abc import Iterable

from watchdog.core.model.self_seen import ReceiverSeen
from watchdog.store.sql import Database

__all__ = ["receivers_seen"]

_COUNTS = """
    WITH names AS (SELECT name FROM receivers UNION SELECT receiver FROM messages WHERE state IN ('waiting', 'sending')
                   UNION SELECT receiver FROM messages WHERE state = 'dead' AND handled IS NULL
                   UNION SELECT receiver FROM switched_off)
    SELECT names.name, receivers.last_ok_at, EXISTS (SELECT 1 FROM switched_off WHERE receiver = names.name) AS off,
           (SELECT count(*) FROM messages WHERE receiver = names.name AND state IN ('waiting', 'sending')) AS pending,
           (SELECT min(CASE WHEN since > 0 THEN since ELSE created_at END) FROM messages
                   WHERE receiver = names.name AND state IN ('waiting', 'sending')) AS oldest_at,
           (SELECT count(*) FROM messages WHERE receiver = names.name AND state = 'dead' AND handled IS NULL
                   AND (receivers.last_ok_at IS NULL OR coalesce(last_attempt_at, expires_at) > receivers.last_ok_at)) AS dead_since_ok,
           (SELECT count(*) FROM messages WHERE receiver = names.name AND state = 'dead' AND handled IS NULL
                   AND (receivers.last_ok_at IS NULL OR coalesce(last_attempt_at, expires_at) > receivers.last_ok_at
                        OR EXISTS (SELECT 1 FROM notices JOIN told ON told.incident = notices.incident AND told.receiver = names.name
                                   JOIN incidents ON incidents.id = notices.incident
                                   WHERE notices.message = messages.id AND told.refused IS NOT NULL
                                   AND (incidents.resolved_at IS NULL OR told.event IS NOT NULL AND told.event <> 'resolved')))) AS dead
    FROM names LEFT JOIN receivers ON receivers.name = names.name"""


def receivers_seen(file: Database) -> tuple[ReceiverSeen, ...]:
    """Every receiver in the outbox: its unfinished messages and their age, its dead letters, its last delivery."""
    with file.speaking():
        rows: Iterable[dict[str, object]] = map(dict, file.connection().execute(_COUNTS))
        return tuple(ReceiverSeen(**{**row, "off": bool(row["off"])}) for row in rows)  # type: ignore[arg-type]  # columns of the same names
