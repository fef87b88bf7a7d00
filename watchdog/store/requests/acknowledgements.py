"""Acknowledgements in the file: `watchdog ack` and `unack` write them, each cycle reads those of open incidents."""

from collections.abc import Iterable

from watchdog.core.incidents.quiet.acknowledgements import OVERTAKEN, Acknowledgement
from watchdog.core.model.severity import Severity
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import plain
from watchdog.store.sql import Connection, Row

__all__ = ["acknowledge", "acknowledgement_from", "history", "holding", "overtake", "take_back"]

_HOLDING = f"""
    SELECT acknowledgements.* FROM acknowledgements JOIN incidents ON incidents.id = acknowledgements.incident
    WHERE until IS NULL AND state IN {OPEN_STATES} ORDER BY number"""  # noqa: S608 - our own SQL


def holding(connection: Connection) -> dict[str, Acknowledgement]:
    """Id of each open incident that is acknowledged -> the acknowledgement."""
    return {row["incident"]: acknowledgement_from(row) for row in connection.execute(_HOLDING)}


def history(connection: Connection, incident: str) -> tuple[Acknowledgement, ...]:
    """All of one incident, those that were taken back too, oldest first."""
    found = connection.execute("SELECT * FROM acknowledgements WHERE incident = ? ORDER BY number", (incident,))
    return tuple(map(acknowledgement_from, found))


def acknowledge(connection: Connection, given: Acknowledgement) -> None:
    """Insert one, in place of an earlier one of the same incident."""
    take_back(connection, given.incident, given.at, "acknowledged again")
    connection.execute(
        "INSERT INTO acknowledgements (incident, at, severity, comment, author) VALUES (?, ?, ?, ?, ?)",
        (given.incident, given.at, given.severity.value, plain(given.comment), plain(given.author)),
    )


def take_back(connection: Connection, incident: str, now: float, why: str) -> bool:
    """End the acknowledgement of an incident. Returns whether there was one."""
    ended = connection.execute(
        "UPDATE acknowledgements SET until = ?, why = ? WHERE incident = ? AND until IS NULL", (now, plain(why), incident)
    )
    return ended.rowcount > 0


def overtake(connection: Connection, incidents: Iterable[str], now: float) -> None:
    """End the acknowledgements of incidents that got worse."""
    for incident in incidents:
        take_back(connection, incident, now, OVERTAKEN)


def acknowledgement_from(row: Row) -> Acknowledgement:
    """The acknowledgement of a row."""
    return Acknowledgement(
        row["incident"], row["at"], Severity(row["severity"]), row["comment"], row["author"], until=row["until"], why=row["why"]
    )
