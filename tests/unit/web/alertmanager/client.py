"""Requests to Alertmanager's API of a site with one target, from this machine."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace
from werkzeug.test import TestResponse

from tests.builders.api import BASE, NOW
from tests.builders.web import application, site
from watchdog.status.why.today import Today
from watchdog.store import Store

__all__ = ["AlertmanagerClient"]


class AlertmanagerClient:
    """A client."""

    def __init__(self, folder: Path, store: Store, today: Today | None = None, now: float = NOW, **http: Any) -> None:
        self.store = store
        served = replace(site(store, "prod", "staging", now=now), today=today or Today())
        self._client = application(folder, served, **({"alertmanager_api": True} | http)).test_client()

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> TestResponse:
        given = more if body is None else {"json": body, **more}
        return self._client.open(f"/api/v2{path}", method=method, base_url=BASE, **given)

    def got(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
        return answer.json

    def refused(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, str]:
        """The status, and the text that Alertmanager's clients show."""
        answer = self.ask(method, path, body, **more)
        assert answer.content_type == "application/json", answer.text
        said = answer.get_json(force=True)
        return answer.status_code, said if isinstance(said, str) else said["message"]
