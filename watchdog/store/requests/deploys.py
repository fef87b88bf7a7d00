"""Deploys in the file: `watchdog deploy` writes them, each cycle reads those that have not ended long ago."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.store.records import plain

__all__ = ["add", "deploy_from", "end", "every", "recent"]

_RECENT = "SELECT * FROM deploys WHERE ends_at > coalesce((SELECT max(at) FROM cycles), 0) - 86400 ORDER BY id"
"""A day: messages name a deploy nearby, and the clock may have been set back."""


def recent(connection: sqlite3.Connection) -> tuple[Deploy, ...]:
    """Those that go on, will begin, or ended within a day."""
    return tuple(map(deploy_from, connection.execute(_RECENT)))


def every(connection: sqlite3.Connection) -> tuple[Deploy, ...]:
    """All that are kept, oldest first."""
    return tuple(map(deploy_from, connection.execute("SELECT * FROM deploys ORDER BY id")))


def add(connection: sqlite3.Connection, deploy: Deploy) -> None:
    """Insert one."""
    targets = msgspec.json.encode([plain(target) for target in deploy.targets]).decode()
    connection.execute(
        "INSERT INTO deploys (id, version, targets, starts_at, ends_at, author) VALUES (?, ?, ?, ?, ?, ?)",
        (deploy.id, plain(deploy.version), targets, deploy.starts_at, deploy.ends_at, plain(deploy.author)),
    )


def end(connection: sqlite3.Connection, ended: Deploy, now: float) -> None:
    """End a deploy now."""
    connection.execute("UPDATE deploys SET ends_at = ? WHERE id = ?", (now, ended.id))


def deploy_from(row: Mapping[str, Any] | sqlite3.Row) -> Deploy:
    """The deploy of a row."""
    return Deploy(row["id"], row["version"], tuple(msgspec.json.decode(row["targets"])), row["starts_at"], row["ends_at"], row["author"])
