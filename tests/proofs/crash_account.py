"""Compares what receivers got with what the database, a file or PostgreSQL, says: the account that must balance after any crash."""

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.servers.receiver import Request
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.sql import DatabasePlace

__all__ = ["Account", "account", "all_delivered", "all_told", "sound"]

RANK = ("info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class Account:
    """`told`: receiver -> incident -> its notifications in order, without repeats; `repeats`: requests that repeated something."""

    told: Mapping[str, Mapping[str, tuple[str, ...]]]
    keys: Mapping[str, str]
    """Incident -> the queue that it is about."""
    messages: int
    repeats: int
    never_left: int
    """Beginnings and ends that cancelled out, because neither had left."""


def sound(database: Path, aside: Path) -> str:
    """What `PRAGMA integrity_check` says of the file and journal that a dead daemon left: of a copy, because opening it repairs it."""
    aside.mkdir(exist_ok=True)
    for suffix in ("", "-wal"):
        if (left := Path(f"{database}{suffix}")).exists():
            shutil.copy(left, aside / f"copy.db{suffix}")
    with closing(sqlite3.connect(aside / "copy.db")) as connection:
        said = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    shutil.rmtree(aside)
    return said


Row = Mapping[str, Any]


def _rows(database: DatabasePlace, sql: str) -> Sequence[Row]:
    """What a database says to who only reads it."""
    if isinstance(database, DatabaseUrl):
        with psycopg.connect(database.reveal(), row_factory=dict_row) as connection:
            return connection.execute(sql.encode()).fetchall()
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as file:
        file.row_factory = sqlite3.Row
        return [dict(row) for row in file.execute(sql)]


def all_told(database: DatabasePlace) -> bool:
    """Whether everything is over, and everything about it is delivered."""
    return not _rows(database, "SELECT id FROM incidents WHERE resolved_at IS NULL") and all_delivered(database)


def all_delivered(database: DatabasePlace) -> bool:
    """Whether no message waits to be sent, or to be sent again."""
    return not _rows(database, "SELECT id FROM messages WHERE state <> 'delivered'")


def account(database: DatabasePlace, heard: Mapping[str, Sequence[Request]]) -> Account:
    """AssertionError where anything was lost, invented, changed, said twice under two names, or said in the wrong order."""
    incidents = {row["id"]: row for row in _rows(database, "SELECT * FROM incidents WHERE fired_at IS NOT NULL")}
    messages = {row["id"]: row for row in _rows(database, "SELECT * FROM messages")}
    told = {receiver: _told(receiver, requests, messages) for receiver, requests in heard.items()}
    repeats = sum(len(requests) for requests in heard.values()) - len(messages)
    never_left = 0
    for receiver, by_incident in told.items():
        assert set(by_incident) <= set(incidents), f"{receiver} was notified of an incident that never was"
        for row in incidents.values():
            notices = by_incident.get(row["id"], [])
            never_left += not notices
            _balances(row, notices, receiver)
    shown = {name: {i: tuple(n["event"] for n in notices) for i, notices in of.items()} for name, of in told.items()}
    return Account(shown, {i: json.loads(row["key"])["name"] for i, row in incidents.items()}, len(messages), repeats, never_left)


def _told(receiver: str, requests: Sequence[Request], messages: Mapping[str, Row]) -> dict[str, list[dict[str, Any]]]:
    """Incident -> what was said of it, each id once. Every request is what the database holds under its id, to the byte."""
    said: dict[str, list[dict[str, Any]]] = {}
    ids: set[str] = set()
    latest: dict[str, int] = {}
    for request in requests:
        name = request.headers["webhook-id"]
        assert name in messages, f"{name} was sent and never committed"
        kept = messages[name]["body"]
        assert request.body == kept, f"{name} was sent with two bodies: {request.body!r} and {kept!r}"
        for notice in json.loads(request.body)["data"]["incidents"]:
            assert notice["sequence"] >= latest.get(notice["id"], 0), f"{notice['id']}: {notice['event']} was overtaken"
            latest[notice["id"]] = notice["sequence"]
            if name not in ids:
                said.setdefault(notice["id"], []).append(notice)
        ids.add(name)
    mine = {name: row["state"] for name, row in messages.items() if row["receiver"] == receiver}
    assert set(mine.values()) <= {"delivered"}, f"not everything is delivered: {mine}"
    assert set(mine) == ids, "the database and the receiver do not know the same messages"
    return said


def _balances(incident: Row, notices: Sequence[Mapping[str, Any]], receiver: str) -> None:
    """One beginning, what it grew to, one end if it has one; or nothing, where it ended before its beginning left."""
    about = f"{receiver}, {incident['id']} ({incident['state']}): {[(n['event'], n['sequence']) for n in notices]}"
    over = incident["state"] == "resolved"
    if not notices:
        assert over, f"never told: {about}"
        return
    events = [notice["event"] for notice in notices]
    assert [notice["sequence"] for notice in notices] == list(range(1, len(notices) + 1)), about
    assert events[0] == "first", about
    assert events.count("first") == 1, about
    assert events.count("resolved") == over, about
    assert (events[-1] == "resolved") == over, about
    if not over:
        worst = max(RANK.index(notice["severity"]) for notice in notices)
        assert worst == RANK.index(incident["severity"]), f"did not hear how grave it is: {about}"
