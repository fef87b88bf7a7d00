"""What goes on beside an action of the page: cycles, other readers, a reload, a stop. Only a Redis runs, and the daemon."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
from werkzeug.security import generate_password_hash

from tests.processes.cluster import Cluster
from tests.processes.running import Daemon
from tests.processes.serving import serving
from tests.servers.waiting import until
from watchdog.core.actions.record import ActionRecord
from watchdog.store import Store

USERS = f"users = {{ ada = '{generate_password_hash('correct horse', method='pbkdf2:sha256:1000')}' }}\nroles = {{ ada = \"operator\" }}"


class Scene:
    """ada before the page of a daemon."""

    def __init__(self, cluster: Cluster, folder: Path, daemon: Daemon, url: str) -> None:
        self.cluster, self.folder, self.daemon = cluster, folder, daemon
        self.client = httpx.Client(base_url=url, auth=("ada", "correct horse"), trust_env=False, timeout=60)

    def post(self, path: str, **typed: str) -> httpx.Response:
        page = self.client.get("/actions", params={"target": "prod"}).text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None, page
        return self.client.post(path, data={"csrf": token[1], **typed})

    def begun(self) -> str:
        """The address of a purge of three messages that was not confirmed yet."""
        with redis.Redis.from_url(self.cluster.redis_url) as broker:
            broker.lpush("src", *[json.dumps({"headers": {"task": "demo.ok", "id": str(n)}}) for n in range(3)])
        address = self.post("/actions", target="prod", kind="purge", queue="src").headers["location"]
        until(lambda: "3 messages deleted for good" in self.client.get(address).text, 30, "what it will touch")
        return str(address)

    def waiting(self) -> int:
        with redis.Redis.from_url(self.cluster.redis_url) as broker:
            return int(broker.llen("src"))

    def logged(self) -> tuple[ActionRecord, ...]:
        with Store.open(self.folder / "watchdog.db", create=False) as store:
            return store.actions(0.0)


@pytest.fixture
def scene(redis_server: Cluster, tmp_path: Path) -> Iterator[Scene]:
    target = f'[[target]]\nname = "prod"\nredis = "{redis_server.redis_url}"\n'
    with serving(tmp_path, USERS, f'[actions]\nallow = ["purge", "move"]\n{target}') as (daemon, url):
        found = Scene(redis_server, tmp_path, daemon, url)
        yield found
        found.client.close()


def test_while_a_broker_hangs_others_are_answered_and_the_cycles_go_on(scene: Scene) -> None:
    scene.cluster.stop_redis(signal.SIGSTOP)
    try:
        address = scene.post("/actions", target="prod", kind="purge", queue="src").headers["location"]
        statuses = [scene.client.get(path).status_code for path in ("/", "/targets/prod", "/healthz")]
        meanwhile = scene.client.get(address).text
        until(lambda: "Nothing was done" in scene.client.get(address).text, 60, "the end of the look")
    finally:
        scene.cluster.resume_redis()
    assert (statuses, "Looking what it would touch" in meanwhile) == ([200, 200, 200], True)
    assert [one.outcome for one in scene.logged()] == ["refused"]


def test_a_reload_that_allows_it_no_more_stops_what_was_looked_at_before(scene: Scene) -> None:
    address = scene.begun()
    file = scene.folder / "watchdog.toml"
    file.write_text(file.read_text().replace('["purge", "move"]', '["move"]'))
    scene.daemon.send(signal.SIGHUP)
    scene.daemon.wait_for("configuration_reloaded")
    assert (scene.post(f"{address}/confirm").status_code, scene.waiting()) == (403, 3)


def test_what_was_looked_at_outlives_a_reload(scene: Scene) -> None:
    address = scene.begun()
    scene.daemon.send(signal.SIGHUP)
    scene.daemon.wait_for("configuration_reloaded")
    scene.post(f"{address}/confirm")
    until(lambda: "What came back" in scene.client.get(address).text, 30, "the outcome")
    assert scene.waiting() == 0


def test_a_stop_right_after_the_confirmation_leaves_no_action_without_its_end(scene: Scene) -> None:
    scene.post(f"{scene.begun()}/confirm")
    scene.daemon.send(signal.SIGTERM)
    until(lambda: scene.daemon.process.poll() is not None, 30, "its end")
    assert ([one.outcome for one in scene.logged()], scene.waiting()) == (["done"], 0)


def test_what_is_not_allowed_is_not_shown_and_refused(scene: Scene) -> None:
    shown = 'id="grow"' in scene.client.get("/actions", params={"target": "prod"}).text
    answer = scene.post("/actions", target="prod", kind="grow", number="1")
    assert (shown, answer.status_code, scene.logged()[-1].text) == (False, 403, "not allowed")
