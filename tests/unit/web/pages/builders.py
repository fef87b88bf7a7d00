"""A page as a browser gets it: a site with a real database, and what its answers say."""

import re
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace
from werkzeug.test import TestResponse

from tests.builders.outbox import incident
from tests.builders.web import NOW, application, site
from watchdog.core.incidents.lifecycle import Incident, State, Transition
from watchdog.core.incidents.plan import Plan
from watchdog.core.incidents.routing import Recipient, Routing
from watchdog.status.why.today import Today
from watchdog.store import Store

HERE = "http://127.0.0.1:5556"
TODAY = Today((Recipient("ops"),), Routing())


def burning(name: str = "A", **changes: Any) -> Incident:
    """An incident that fires, in breach."""
    return replace(incident(name, started_at=NOW - 90), verdict="breach", **changes)


def store_with(folder: Path, *incidents: Incident) -> Store:
    """A database that holds these."""
    store = Store.open(folder / "watchdog.db")
    moves = [Transition(one.id, NOW - 90, "pending", one.state.value, "breach held 0s") for one in incidents]
    with store.cycle() as transaction:
        transaction.commit(Plan("prod", NOW, incidents=incidents, transitions=tuple(moves)))
    return store


class Browser:
    """Opens pages and sends their forms. `http`: the settings of `[http]`."""

    def __init__(
        self, folder: Path, store: Store, *targets: str, today: Today = TODAY, headers: dict[str, str] | None = None, **http: Any
    ) -> None:
        self.store = store
        self.app: Flask = application(folder, replace(site(store, *targets), today=today), **http)
        self._client: FlaskClient = self.app.test_client()
        self._headers = headers

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, base_url=HERE, headers=self._headers)

    def text(self, path: str, status: int = 200) -> str:
        """What a reader sees of a page."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return seen(answer.text)

    def send(self, path: str, form: str, **typed: Any) -> TestResponse:
        """Send a form of the page at `path`, with its token. `form`: the end of its address."""
        page = self.get(path).text
        action = next(found for found in re.findall(r'<form method="post" action="([^"]+)"', page) if found.endswith(form))
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        data = {"csrf": unescape(token[1]), **typed}
        return self._client.post(unescape(action), base_url=HERE, headers=self._headers, data=data)


def seen(html: str) -> str:
    """The text of a page, its spaces as a browser shows them."""
    body = html.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


__all__ = ["HERE", "NOW", "TODAY", "Browser", "State", "burning", "seen", "store_with"]
