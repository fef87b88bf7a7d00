"""The pages that messages link to, opened at real Flowers of three versions: they are there, and about what the message is about."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from tests.builders.incidents import a_rule
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.flower_versions import OLDER, flower_python
from tests.servers.waiting import until
from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.judging.links import link_of
from watchdog.tables import TABLES

WEB, ODD = "celery@web-1", "a/b c%20?x=1&#é;'\"<b>+\\@ho%st"
FLOWER = ("--url_prefix=flower", "--inspect_timeout=300")
"""It waits for a worker that is gone for 0.3 s, three times in each look, instead of for 1 s."""
ODD_QUEUE, ODD_ID, ODD_TASK = "q/ %?#é&+", "i/d ?#%é", 'say "hi" \\ (twice)'


@dataclass(frozen=True)
class Shown:
    """A Flower below a prefix, that has seen what its pages are to show. `failed`: task name -> the id of one that failed."""

    version: str
    cluster: Cluster
    browser: httpx.Client
    failed: dict[str, str]

    def link(self, table: str, **cells: str) -> str:
        """The link of a message about that row, where nothing says that people open Flower elsewhere."""
        key = TABLES[table].key
        rule = a_rule(table=table, key=key, reads={table: frozenset(key)})
        return link_of(Finding(rule, tuple(cells.get(name, "") for name in key), Verdict.BREACH, cells=cells), self.cluster.flower_url, {})

    def opened(self, link: str) -> str:
        """The page, as its reader sees it."""
        answer = self.browser.get(link)
        assert (answer.status_code, link) == (200, link)
        return html.unescape(answer.text)

    def listed(self, link: str) -> set[str]:
        """The names of the tasks that its script then shows on that page: what it searches for is in the link."""
        asked: dict[str, str | int] = {
            "draw": 1,
            "start": 0,
            "length": 50,
            "order[0][column]": 0,
            "columns[0][data]": "name",
            "order[0][dir]": "asc",
        }
        answer = self.browser.get(
            f"{self.cluster.flower_url}/tasks/datatable", params={**asked, "search[value]": self._searched(link)}
        ).json()
        assert answer.get("searchError") is None
        return {task["name"] for task in answer["data"]}

    def _searched(self, link: str) -> str:
        """As flower.js of this version reads it: `$.urlParam`, then what the table begins with."""
        filters = ("state", "worker", "name") if self.version == "2.2" else ("state",)
        found = {key: match[1] for key in filters if (match := re.search(rf"[?&]{key}=([^&#]*)", link))}
        return " ".join(f"{key}:{unquote(value) if self.version == '2.2' else value}" for key, value in found.items())


@pytest.fixture(scope="module", params=["2.2", *OLDER])
def shown(request: pytest.FixtureRequest) -> Iterator[Shown]:
    """The last test here restarts this Flower, after one of its workers is gone."""
    python = flower_python(request.param) if request.param in OLDER else None
    with Cluster(flower_python=python) as one, httpx.Client(trust_env=False, timeout=20.0) as browser:
        one.start_redis()
        one.start_worker(WEB, ["indexing", ODD_QUEUE])
        one.start_worker(ODD.replace("%", "%%"), ["analysis"])  # Celery expands %h and the like in a worker's name
        until(lambda: one.online() == {WEB, ODD}, 30, "both workers to answer")
        one.start_flower(*FLOWER)
        until(lambda: one.online() == {WEB, ODD}, 30, "Flower to hear both")
        (failed,) = one.flood("indexing", 1, "demo.fail", kind="ValueError")
        (unknown,) = one.flood("indexing", 1, ODD_TASK)
        one.app.send_task("demo.ok", task_id=ODD_ID, queue="indexing")
        shown = Shown(request.param, one, browser, {"demo.fail": failed, ODD_TASK: unknown})
        until(lambda: shown.listed("") >= {"demo.fail", "demo.ok", ODD_TASK}, 20, "the tasks to be seen")
        until(lambda: set(browser.get(f"{one.flower_url}/api/workers?refresh=1").json()) == {WEB, ODD}, 20, "both to be inspected")
        yield shown


@pytest.mark.parametrize("name", [WEB, ODD])
def test_a_worker_has_its_page_whatever_its_name(shown: Shown, name: str) -> None:
    assert name in shown.opened(shown.link("workers", name=name))


def test_a_run_has_its_page_whatever_its_id(shown: Shown) -> None:
    assert "demo.fail" in shown.opened(shown.link("running", id=shown.failed["demo.fail"]))
    assert ODD_ID in shown.opened(shown.link("running", id=ODD_ID))


@pytest.mark.parametrize("name", ["demo.fail", ODD_TASK])
def test_a_task_is_what_the_list_is_filtered_by_where_flower_can(shown: Shown, name: str) -> None:
    link = shown.link("tasks", name=name)
    shown.opened(link)
    assert shown.listed(link) == ({name} if shown.version == "2.2" else {"demo.fail", "demo.ok", ODD_TASK})


def test_failures_are_what_the_list_is_filtered_by(shown: Shown) -> None:
    link = shown.link("errors", task="demo.fail", exception="ValueError")
    shown.opened(link)
    assert shown.listed(link) == ({"demo.fail"} if shown.version == "2.2" else {"demo.fail", ODD_TASK})


def test_a_name_too_short_to_be_searched_shows_all(shown: Shown) -> None:
    """`listed` fails where the page would show an error."""
    link = shown.link("tasks", name="ab")
    shown.opened(link)
    assert shown.listed(link) == {"demo.fail", "demo.ok", ODD_TASK}


@pytest.mark.parametrize("name", ["indexing", ODD_QUEUE])
def test_a_queue_is_a_row_of_the_broker_page_to_which_a_browser_jumps(shown: Shown, name: str) -> None:
    link = shown.link("queues", name=name)
    assert f'id="{link.partition("#")[2]}"' in shown.opened(link)
    assert name in shown.opened(link)


@pytest.mark.parametrize("table", ["cluster", "groups", "blind", "broker"])
def test_what_has_no_row_of_its_own_has_a_page(shown: Shown, table: str) -> None:
    assert "Flower" in shown.opened(shown.link(table))


def lost(shown: Shown, folder: Path) -> dict[str, str | None]:
    """Worker -> the link of its WorkerLost in a single check."""
    config = (
        f'[[target]]\nname = "prod"\nflower = "{shown.cluster.flower_url}"\nredis = "{shown.cluster.redis_url}"\n'
        f"expected_workers = {json.dumps([WEB, 'celery@never-1'])}\n"
    )
    (folder / "watchdog.toml").write_text(config)
    document = json.loads(watchdog("check", "--once", "--format", "json", cwd=folder).stdout)
    return {firing["key"]["name"]: firing["link"] for firing in document["firing"] if firing["rule"] == "WorkerLost"}


def test_a_worker_without_a_page_is_not_linked_to_it(shown: Shown, tmp_path: Path) -> None:
    """Last of the tests on this cluster. A worker that dies keeps its page until Flower restarts; one that was never there has none."""
    shown.cluster.kill_worker(WEB)
    until(lambda: WEB in lost(shown, tmp_path), 30, "the worker to be lost")
    found = lost(shown, tmp_path)
    assert found == {WEB: shown.link("workers", name=WEB), "celery@never-1": f"{shown.cluster.flower_url}/"}
    assert WEB in shown.opened(str(found[WEB]))
    shown.cluster.stop_flower()
    shown.cluster.start_flower(*FLOWER)
    assert shown.browser.get(shown.link("workers", name=WEB)).status_code == 404
    until(lambda: WEB in lost(shown, tmp_path), 30, "the worker to be missed again")
    assert lost(shown, tmp_path)[WEB] == f"{shown.cluster.flower_url}/"
