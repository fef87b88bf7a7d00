"""A database with something of everything, and requests to the API on it."""

from pathlib import Path
from typing import Any

from flask import Flask
from msgspec.structs import replace
from werkzeug.test import TestResponse

from tests.builders.outbox import commit, incident, opened, over, plan
from tests.builders.web import application, site
from watchdog.config.sections.http import HttpSettings
from watchdog.core.history.series import Keeping, Part, Slice
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.quiet.deploys import new_deploy
from watchdog.core.incidents.quiet.silences import new_silence
from watchdog.core.model.last_look import LastLook, TableSeen
from watchdog.core.model.rows import Row
from watchdog.core.model.sketch import sketch_of
from watchdog.status.why.today import Today
from watchdog.store import Looked, Store
from watchdog.tables.history.kept import KEPT

__all__ = ["NOW", "Api", "a_store", "an_api"]

NOW = 1_795_339_000.0
BASE = "http://localhost:5556"
A, B, C = incident("A"), replace(incident("B", state=State.RECOVERING), verdict="clear"), over(incident("C"))
BLIND = Row({"name": "blind", "length": None}, {"length": "redis: no answer within 2s"})


class Api:
    """Requests to an application from this machine."""

    def __init__(self, app: Flask) -> None:
        self.app, self._client = app, app.test_client()

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> TestResponse:
        given = more if body is None else {"json": body, **more}
        return self._client.open(f"/api/v1{path}", method=method, base_url=BASE, **given)

    def got(self, path: str) -> Any:
        """The document that is there."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def wrote(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """The document that says what was written."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    def refused(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, str, str]:
        """The status, the part of the request that is wrong, and what is wrong with it."""
        answer = self.ask(method, path, body, **more)
        assert answer.content_type == "application/problem+json", answer.text
        problem: dict[str, Any] = answer.get_json(force=True)
        assert problem["status"] == answer.status_code
        return answer.status_code, problem.get("where", ""), problem["detail"]


def a_store(folder: Path) -> Store:
    """Three incidents, of which one burns and is acknowledged, one recovers and one is over; a silence, a deploy, a look, a history."""
    store = opened(folder)
    commit(store, plan(incidents=[A, B, C], at=NOW - 10))
    store.acknowledge([A.id], "on it", "ada", NOW - 50)
    store.add_silence(new_silence("rule=QueueBacklogHigh, name=B", NOW - 40, 3600.0, "a big import", "ada"))
    store.start_deploy(new_deploy("v512", (), NOW - 30, 600.0, "ci"))
    cluster: tuple[float | None, ...] = (2.0, 2.0, 3.0, 1.5, 8.0, 60.0, 60.0, None)
    parts = {
        "cluster": Part(NOW - 20, NOW - 10, {(): cluster}),
        "queues": Part(NOW - 20, NOW - 10, {("indexing",): (60.0, 60.0, 1.0, None), ("mail",): (0.0, 0.0, 2.0, None)}),
        "tasks": Part(NOW - 20, NOW - 10, {("shop.index",): (5.0, 1.0, 0.0, sketch_of([1.0] * 50 + [2.0] * 50), None)}),
    }
    rows = (Row({"name": "indexing", "length": 60.0}), BLIND)
    look = LastLook(
        NOW - 10,
        10.0,
        {
            "queues": TableSeen(rows),
            "errors": TableSeen(unread="flower: no answer"),
            "broker": TableSeen(unread="no answer from redis://ada:hunter2@db:6379/0"),
        },
    )
    with store.cycle() as transaction:
        transaction.record(Looked("prod", Slice(NOW - 10, parts), look, NOW - 20), Keeping(KEPT))
    return store


def an_api(folder: Path, store: Store | None = None, today: Today | None = None, **http: Any) -> Api:
    """The API of a site with the targets `prod` and `staging`, of which the second was never looked at."""
    settings = HttpSettings(listen="127.0.0.1:5556", **http)
    given = site(store or a_store(folder), "prod", "staging", now=NOW, http=settings)
    return Api(application(folder, replace(given, today=today or Today()), **http))
