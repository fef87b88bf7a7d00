"""Alertmanager's API of the page server, beside Debian's real Alertmanager, which has the same alerts from the mirror.

In: a folder. Out: both, to be asked the same.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from tests.builders.outbox import commit, incident, plan
from tests.builders.web import site
from tests.servers.alertmanager import amtool, real_alertmanager
from tests.servers.waiting import until
from watchdog.config.sections.alertmanager import AlertmanagerSettings
from watchdog.config.sections.http import HttpSettings
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.model.severity import Severity
from watchdog.receivers.alertmanager import Alertmanager
from watchdog.status.why.today import Today
from watchdog.store import Store
from watchdog.web.application import build_application
from watchdog.web.server import WebServer

__all__ = ["Both", "Json", "both_alertmanagers", "shape", "told"]

Json = Any

CONFIG = """
route:
  receiver: nobody
  group_by: [alertname, target]
  routes:
  - {receiver: ops, group_by: [alertname, target], continue: true, matchers: ['severity=~"warning|critical"']}
  - {receiver: pager, group_by: [target], matchers: ['severity="critical"']}
receivers: [{name: nobody}, {name: ops}, {name: pager}]
inhibit_rules:
- {source_matchers: ['alertname="BrokerUnreachable"'], target_matchers: ['alertname="QueueGrowing"'], equal: [target]}
"""
RECIPIENTS = (
    Recipient("ops", min_severity=Severity.WARNING, matchers=parse_matchers('severity=~"warning|critical"')),
    Recipient("pager", min_severity=Severity.CRITICAL, terms=Terms(group_by=("target",))),
)
BEGAN = float(int(time.time())) - 600.0
ALPHA = replace(incident("alpha", started_at=BEGAN), inhibits=())
INCIDENTS = [
    ALPHA,
    replace(ALPHA, id="01BETA", target="staging", key={"name": "beta"}, severity=Severity.CRITICAL, link="http://flower/worker/a"),
    replace(
        ALPHA, id="01GAMMA", key={"name": "g"}, state=State.RECOVERING, labels={}, runbook="https://wiki/queues", description="of\nthat"
    ),
    replace(
        ALPHA, id="01BROKER", rule="BrokerUnreachable", key={"source": "redis"}, severity=Severity.CRITICAL, inhibits=("QueueGrowing",)
    ),
    replace(ALPHA, id="01DELTA", rule="QueueGrowing", started_at=BEGAN + 5, fired_at=BEGAN + 9),
    replace(ALPHA, id="01INFO", rule="Quiet", severity=Severity.INFO, key={"job": 'ä "q" \\ \n', "key with": "x", "instance": ""}),
    replace(ALPHA, id="01ODD", key={"größe": "\udc80 😀 \x1b[31m" + "x" * 600}),
    replace(ALPHA, id="01JOB", rule="Quiet", severity=Severity.INFO, key={"job": "z", "instance": "i"}),
]
NOT_SHOWN = [incident("pending", state=State.PENDING), replace(incident("trial"), trial=True)]


@dataclass
class Both:
    """The real one, and ours, with the same alerts."""

    real: str
    ours: str
    home: Path
    client: httpx.Client

    def get(self, path: str) -> tuple[tuple[int, Json], tuple[int, Json]]:
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: object = None) -> tuple[tuple[int, Json], tuple[int, Json]]:
        first, second = (told(self.client.request(method, f"{base}/api/v2{path}", json=body)) for base in (self.real, self.ours))
        return first, second

    @staticmethod
    def sizes(groups: tuple[int, Json]) -> list[int]:
        """How many alerts are in each group."""
        return [len(one["alerts"]) for one in groups[1]]

    def tool(self, base: str, *args: str) -> str:
        done = amtool(base, *args, home=self.home)
        assert done.returncode == 0, done.stderr
        return done.stdout


def told(answer: httpx.Response) -> tuple[int, Json]:
    return answer.status_code, answer.json() if answer.content.strip() else None


def shape(answer: tuple[int, Json]) -> tuple[int, Json]:
    """Its status, and its text or members; a text about a regular expression is that of its library."""
    status, said = answer
    return status, sorted(said) if isinstance(said, dict) else "" if "regular expression" in said or "regexp" in said else said


@contextlib.contextmanager
def both_alertmanagers(folder: Path) -> Iterator[Both]:
    """Both, once the real one has sorted its alerts into groups."""
    store = Store.open(folder / "watchdog.db")
    commit(store, plan(incidents=[*INCIDENTS, *NOT_SHOWN], at=BEGAN), plan(target="staging"))
    settings = HttpSettings(listen="127.0.0.1:0", alertmanager_api=True)
    served = replace(site(store, "prod", "staging", now=0.0), clock=time.time, today=Today(recipients=RECIPIENTS))
    with (
        contextlib.closing(store),
        real_alertmanager(folder / "alertmanager", CONFIG) as real,
        contextlib.closing(WebServer()) as server,
        httpx.Client(trust_env=False) as client,
    ):
        server.take(server.offer("", settings.address, build_application(served, settings, time.monotonic)))
        mirror = Alertmanager("mirror", AlertmanagerSettings.model_validate({"url": real.url}).attempt(), {}, lambda _: True)
        assert mirror.look(store.incidents(), time.time()) == Delivered("200")
        mirror.close()
        both = Both(real.url, f"http://127.0.0.1:{server.port}", folder, client)
        until(lambda: len({str(both.sizes(found)) for found in both.get("/alerts/groups")}) == 1, 30, "Alertmanager to have its groups")
        yield both
