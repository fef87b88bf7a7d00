"""Deploys in the file: `watchdog deploy` writes them, each cycle reads those that have not ended long ago."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.store.records import plain
from watchdog.store.refusals import NotFoundError
from watchdog.store.sql import Connection, Row

__all__ = ["deploy_from", "end", "every", "recent", "start"]

_RECENT = "SELECT * FROM deploys WHERE ends_at > coalesce((SELECT max(at) FROM cycles), 0) - 86400 ORDER BY id"
"""A day: messages name a deploy nearby, and the clock may have been set back."""


def recent(connection: Connection) -> tuple[Deploy, ...]:
    """Those that go on, will begin, or ended within a day."""
    return tuple(map(deploy_from, connection.execute(_RECENT)))


def every(connection: Connection) -> tuple[Deploy, ...]:
    """All that are kept, oldest first."""
    return tuple(map(deploy_from, connection.execute("SELECT * FROM deploys ORDER BY id")))


def start(connection: Connection, deploy: Deploy) -> tuple[Deploy, ...]:
    """Insert one, and end those that it replaces. Returns these."""
    replaced = tuple(one for one in every(connection) if one.covers(deploy.starts_at) and deploy.replaces(one))
    _end(connection, replaced, deploy.starts_at)
    targets = msgspec.json.encode([plain(target) for target in deploy.targets]).decode()
    connection.execute(
        "INSERT INTO deploys (id, version, targets, starts_at, ends_at, author) VALUES (?, ?, ?, ?, ?, ?)",
        (deploy.id, plain(deploy.version), targets, deploy.starts_at, deploy.ends_at, plain(deploy.author)),
    )
    return replaced


def end(connection: Connection, version: str | None, now: float) -> tuple[Deploy, ...]:
    """End the deploys of a version, or the only one that goes on, now. Returns them as they ended; none if they had ended already.

    `NotFoundError` if there was never one of this version, or if several go on and none was named.
    """
    known = every(connection)
    going_on = [one for one in known if one.covers(now)]
    named = ", ".join(f"{one.version} ({', '.join(one.targets)})" for one in going_on)
    if version is None and len(going_on) > 1:
        raise NotFoundError(f"{len(going_on)} deploys go on: {named}; name the version of the one to end")
    if version is not None and version not in {one.version for one in known}:
        last = f"the last one was {known[-1].version}" if known else "there was none"
        raise NotFoundError(f'no deploy "{version}"; {f"going on: {named}" if named else last}')
    ended = [one for one in going_on if version in (None, one.version)]
    _end(connection, ended, now)
    return tuple(replace(one, ends_at=now) for one in ended)


def _end(connection: Connection, ended: Iterable[Deploy], now: float) -> None:
    connection.executemany("UPDATE deploys SET ends_at = ? WHERE id = ?", [(now, one.id) for one in ended])


def deploy_from(row: Row) -> Deploy:
    """The deploy of a row."""
    return Deploy(row["id"], row["version"], tuple(msgspec.json.decode(row["targets"])), row["starts_at"], row["ends_at"], row["author"])
