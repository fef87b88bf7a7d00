"""Which configuration is in force: that of the daemon that works, from the handover with which it began.

In: its fingerprint. Out: the same, for who looks beside the daemon. A look by any other is not committed (`store/cycles.py`): a worker may
have begun it before the handover, or taken it from the broker since. It would reopen what ended with a target that is no longer watched, or
notify whoever is no longer to be notified.
"""

from watchdog.store.sql import Connection

__all__ = ["in_force", "put_in_force"]


def put_in_force(connection: Connection, fingerprint: str) -> None:
    """From the end of this transaction on, looks by another configuration are not committed. Empty: nobody looks beside the daemon."""
    connection.execute("DELETE FROM in_force")
    connection.execute("INSERT INTO in_force VALUES (?)", (fingerprint,))


def in_force(connection: Connection) -> str:
    """Its fingerprint."""
    row = connection.execute("SELECT fingerprint FROM in_force").fetchone()
    return "" if row is None else str(row["fingerprint"])
