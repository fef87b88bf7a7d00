"""The API of a real daemon on a real cluster: it shows what the command line shows, and the command line reads what it writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.serving import serving
from tests.servers.waiting import until

BURNING = """
[[rule]]
name = "TooManyWorkers"
from = "cluster"
when = "workers_online > 1"
summary = "{{ workers_online }} workers"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("daemon")


@pytest.fixture(scope="module")
def api(folder: Path, cluster: Cluster) -> Iterator[httpx.Client]:
    """A client of a daemon whose own rule burns."""
    (folder / "rules.toml").write_text(BURNING)
    target = f'[[target]]\nname = "prod"\nflower = "{cluster.flower_url}"\nredis = "{cluster.redis_url}"\n'
    with (
        serving(folder, more=target, top='rules = ["rules.toml"]') as (_, url),
        httpx.Client(base_url=f"{url}/api/v1", trust_env=False) as client,
    ):
        until(lambda: _burning(client) != [], 60, "the rule to fire")
        yield client


def _burning(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/incidents", params={"rule": "TooManyWorkers", "state": "firing"}).json()["incidents"]
    return found


def said(folder: Path, *args: str) -> Any:
    """The document that a command prints."""
    done = watchdog(*args, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_workers_are_those_that_are_online(api: httpx.Client, cluster: Cluster) -> None:
    rows = api.get("/targets/prod/tables/workers").json()["rows"]
    assert {row["cells"]["name"] for row in rows if row["cells"]["state"] == "online"} == cluster.online()


def test_an_incident_is_the_same_document_as_on_the_command_line(api: httpx.Client, folder: Path) -> None:
    (burning,) = _burning(api)
    shown = said(folder, "incidents", "show", burning["id"], "--format", "json")
    answered = api.get(f"/incidents/{burning['id']}").json()
    assert (answered["incident"], answered["history"]) == (shown["incident"], shown["history"])


def test_status_has_the_members_that_it_has_on_the_command_line(api: httpx.Client, folder: Path) -> None:
    (answered,), (shown,) = api.get("/status").json()["targets"], said(folder, "status", "--json")["targets"]
    assert (list(answered), list(answered["tables"])) == (list(shown), list(shown["tables"]))


def test_a_silence_is_read_by_the_command_line(api: httpx.Client, folder: Path) -> None:
    added = api.post("/silences", json={"matchers": ["rule=Nothing"], "for": "1h", "comment": "by a program"}).json()["silence"]
    listed = {one["id"]: one["comment"] for one in said(folder, "silence", "list", "--format", "json")["silences"]}
    assert listed[added["id"]] == "by a program"


def test_an_acknowledgement_is_read_by_the_command_line(api: httpx.Client, folder: Path) -> None:
    (burning,) = _burning(api)
    api.post(f"/incidents/{burning['id']}/ack", json={"comment": "on it", "author": "ada"})
    (known,) = [one["acknowledged"] for one in said(folder, "incidents", "--format", "json")["incidents"] if one["id"] == burning["id"]]
    assert (known["by"], known["comment"]) == ("ada", "on it")


def test_history_follows_what_is_watched(api: httpx.Client) -> None:
    def parts() -> list[Any]:
        found: list[Any] = api.get("/targets/prod/history", params={"table": "cluster", "window": "1h", "step": "10s"}).json()["parts"]
        return found

    until(lambda: bool(parts()) and parts()[-1]["rows"][0]["workers_online"] == 2, 30, "a look to be in the history")
