"""Which configuration is in force: that of the daemon that works, from the handover with which it began.

In: fingerprints. Out: nothing, or the reason why a look is not committed. A worker may have begun it before the handover, or taken it from
the broker since: it would reopen what ended with a target that is no longer watched, or notify whoever is no longer to be notified.
"""

from watchdog.store.refusals import OvertakenError
from watchdog.store.sql import Connection

__all__ = ["in_force", "must_be_in_force", "put_in_force"]


def put_in_force(connection: Connection, fingerprint: str) -> None:
    """From the end of this transaction on, looks by another configuration are not committed. Empty: nobody looks beside the daemon."""
    connection.execute("DELETE FROM in_force")
    connection.execute("INSERT INTO in_force VALUES (?)", (fingerprint,))


def in_force(connection: Connection) -> str:
    """Its fingerprint."""
    row = connection.execute("SELECT fingerprint FROM in_force").fetchone()
    return "" if row is None else str(row["fingerprint"])


def must_be_in_force(connection: Connection, fingerprint: str, target: str) -> None:
    """`OvertakenError` unless it is."""
    if in_force(connection) != fingerprint:
        raise OvertakenError(
            f"target {target}: another configuration is in force than {fingerprint}, by which this look was made; nothing was written"
        )
