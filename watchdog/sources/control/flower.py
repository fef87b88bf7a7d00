"""Workers by way of Flower's API, for a target whose broker watchdog does not know.

In: Flower's settings, a request. Out: `WorkerKnown` values and answers. Nothing is raised for what Flower does. Each worker is one POST, so
an action on many of them may reach some and not others.
"""

import time
from collections.abc import Collection

import msgspec

from watchdog.core.actions.calls import by_flower, flower_answer
from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer
from watchdog.core.actions.request import Request, WorkerKnown
from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap
from watchdog.sources.control.answers import worker_known
from watchdog.sources.flower.dashboard_pages import Pages
from watchdog.sources.flower.settings import FlowerSettings

__all__ = ["WorkersByFlower"]

CACHED = "/api/workers"
REFRESHED = "/api/workers?refresh=true"
EVERYONE = "Flower"
"""Whom a revoke is sent to: Flower tells all workers, and does not wait for their answers."""


class WorkersByFlower:
    """The workers of one Flower."""

    def __init__(self, settings: FlowerSettings) -> None:
        self._pages = Pages(settings, None, time.monotonic)

    def close(self) -> None:
        """Close the connection."""
        self._pages.close()

    def known(self) -> dict[str, WorkerKnown] | Gap:
        """Every worker that Flower knows, asked again now. One whose entry has the same time as before has not answered."""
        before = self._workers(CACHED)
        told = self._workers(REFRESHED)
        if isinstance(before, Gap):
            return before
        if isinstance(told, Gap):
            return told
        return {name: _worker(name, said, before.get(name, {}).get("timestamp")) for name, said in told.items()}

    def act(self, request: Request, workers: Collection[str]) -> dict[str, Answer]:
        """Send it for each worker; a revoke once, as it goes to all."""
        if request.kind == "revoke":
            return {EVERYONE: self._post(by_flower(request, ""))}
        answers = {name: self._post(by_flower(request, name)) for name in sorted(workers)}
        if KINDS[request.kind].answers:
            return answers
        sent = Answer(worked=True, text="Flower has sent it; whether it stops is to be seen in `watchdog status`")
        return {name: sent if answer.worked else answer for name, answer in answers.items()}

    def _workers(self, path: str) -> dict[str, dict[str, object]] | Gap:
        page = self._pages.get(path)
        if isinstance(page, Gap):
            return page
        if page.cut or page.refusal:
            return Gap(page.cut or page.refusal)
        try:
            return msgspec.json.decode(page.body, type=ready(dict[str, dict[str, object]]))
        except msgspec.MsgspecError:
            return Gap(f"flower: expected workers as JSON from {path}, found something else")

    def _post(self, path: str) -> Answer:
        page = self._pages.post(path)
        if isinstance(page, Gap):
            return Answer(None, f"{page.reason}; whether Flower got it is not known")
        if page.cut or page.needs_login:
            return Answer(None if page.cut else False, page.cut or page.refusal)
        return flower_answer(page.status, page.body)


def _worker(name: str, said: dict[str, object], before: object) -> WorkerKnown:
    fresh = said.get("timestamp") != before
    return worker_known(name, said.get("stats"), said.get("active_queues"), said.get("registered"), said.get("conf"), answers=fresh)
