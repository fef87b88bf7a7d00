"""The mirror in Debian's real Alertmanager: it fires, escalates and ends there, through a restart of either, and two watchdogs are one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from msgspec.structs import replace

from tests.builders.outbox import incident
from tests.processes.cluster import Cluster
from tests.processes.running import running, write_config
from tests.servers.alertmanager import PROGRAM, RealAlertmanager
from tests.servers.waiting import until
from watchdog.config.sections.alertmanager import AlertmanagerSettings
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.outcome import Delivered, Later
from watchdog.core.model.severity import Severity
from watchdog.demo.processes import LOOPBACK, free_port
from watchdog.receivers.alertmanager import Alertmanager

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no prometheus-alertmanager on PATH (Debian: prometheus-alertmanager; make peers)")


class Real(RealAlertmanager):
    """A real Alertmanager without receivers, and what it shows."""

    def alerts(self) -> list[dict[str, Any]]:
        """What it shows as active."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v2/alerts", trust_env=False, timeout=30).json()
        return found

    def fires(self) -> list[tuple[str, str]]:
        return sorted((alert["labels"]["severity"], alert["labels"]["name"]) for alert in self.alerts())


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    (tmp_path / "alertmanager").mkdir()
    one = Real(tmp_path / "alertmanager")
    one.start()
    yield one
    one.stop()


def mirror_in(real: Real, name: str = "alertmanager 1") -> Alertmanager:
    settings = AlertmanagerSettings.model_validate({"url": real.url})
    return Alertmanager(name, settings.attempt(), {}, lambda _: True)


def now() -> float:
    import time

    return time.time()


def begun(name: str = "A") -> Incident:
    return incident(name, started_at=now() - 30)


def test_an_incident_fires_escalates_and_ends_there(real: Real) -> None:
    mirror, fire = mirror_in(real), begun()
    assert mirror.look([fire], now()) == Delivered("200")
    assert real.fires() == [("warning", "A")]
    assert mirror.look([replace(fire, severity=Severity.CRITICAL)], now()) == Delivered("200")
    assert real.fires() == [("critical", "A")]
    assert mirror.look([], now()) == Delivered("200")
    assert real.fires() == []
    mirror.close()


def test_a_restarted_alertmanager_knows_again_what_fires_after_the_next_look(real: Real) -> None:
    mirror, fire = mirror_in(real), begun()
    mirror.look([fire], now())
    real.stop()
    assert isinstance(mirror.look([fire], now()), Later)
    real.start()
    assert mirror.look([fire], now()) == Delivered("200")
    assert real.fires() == [("warning", "A")]
    mirror.close()


def test_two_watchdogs_are_one(real: Real) -> None:
    mirrors = [mirror_in(real), mirror_in(real)]
    for number, mirror in enumerate(mirrors):
        mirror.look([replace(begun(), id=f"01OF{number}", started_at=now() - 40 - number)], now())
        mirror.close()
    assert real.fires() == [("warning", "A")]


HOSTILE = '\x1b[31m"}]\n\u202e\udc80 😀' + "x" * 5000


def test_texts_of_any_length_and_content_are_taken(real: Real) -> None:
    loud = replace(
        begun(), rule=HOSTILE, target=HOSTILE, key={"name": HOSTILE, HOSTILE: HOSTILE, "empty": ""}, labels={HOSTILE: HOSTILE},
        values={HOSTILE: HOSTILE}, summary=HOSTILE, description=HOSTILE, runbook=HOSTILE, link=HOSTILE,
    )  # fmt: skip
    mirror = mirror_in(real)
    assert mirror.look([loud], now()) == Delivered("200")
    assert len(real.alerts()) == 1
    mirror.close()


def test_a_daemon_mirrors_what_fires_before_and_after_its_restart(own_cluster: Cluster, real: Real, tmp_path: Path) -> None:
    folder = tmp_path / "watchdog"
    folder.mkdir()
    more = f'[[alertmanager]]\nurl = "{real.url}"\nmatch = "rule=QueueBacklogHigh"\n'
    write_config(folder, own_cluster, f"http://{LOOPBACK}:{free_port()}/nobody", short=("QueueBacklogHigh",), more=more)
    with running(folder), redis.Redis.from_url(own_cluster.redis_url) as broker:
        own_cluster.flood("alpha", 60)
        until(lambda: [name for _, name in real.fires()] == ["alpha"], 90, "alpha to fire in Alertmanager")
        [alert] = real.alerts()
        assert (alert["labels"]["alertname"], alert["labels"]["target"]) == ("QueueBacklogHigh", "prod")
        assert broker.llen("alpha") == 60
    real.stop()
    real.start()
    with running(folder), redis.Redis.from_url(own_cluster.redis_url) as broker:
        until(lambda: [name for _, name in real.fires()] == ["alpha"], 90, "alpha to fire in a restarted Alertmanager")
        broker.delete("alpha")
        until(lambda: real.fires() == [], 90, "alpha to be over")
