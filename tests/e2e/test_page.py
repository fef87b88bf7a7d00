"""The page in a real browser, served by a real daemon that watches a real cluster in trouble."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ask_the_workers
from tests.processes.browser import as_new, chromium, faults_of
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import Daemon, running, write_config
from tests.servers.waiting import until

NOBODY = "http://127.0.0.1:1/hook"
HOSTILE = "<img src=x onerror=document.title='owned'>"
HTTP = '[http]\nlisten = "127.0.0.1:0"\n'
WAITING, FINISHED, FAILED = 61, 12, 16
"""Messages that nobody will ever take; tasks that succeed; tasks that fail."""
PATIENCE_MS = 60_000.0


@dataclass
class Scene:
    """A cluster that was seen by a daemon: two workers, of which one is lost, a queue that nobody consumes, and failing tasks."""

    cluster: Cluster
    daemon: Daemon
    folder: Path
    browser: Browser
    url: str
    incidents: dict[str, str] = field(default_factory=dict)
    """Rule -> id of an open incident."""

    def look(self) -> dict[str, str]:
        """The incidents that are open now."""
        done = watchdog("incidents", "--format", "json", cwd=self.folder)
        self.incidents = {one["rule"]: one["id"] for one in json.loads(done.stdout)["incidents"]}
        return self.incidents

    def why(self, rule: str) -> str:
        """What `watchdog why` says of it."""
        return watchdog("why", rule, "--no-look", cwd=self.folder).stdout


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("page")
    with chromium() as browser, Cluster() as cluster:
        cluster.start_redis()
        cluster.start_worker("web-1", ["indexing"], 2)
        cluster.start_worker("gpu-1", ["training"], 1)
        cluster.start_flower()
        cluster.wait_ready(timeout=60)
        ask_the_workers(cluster)
        config = write_config(folder, cluster, NOBODY, more=HTTP)
        config.write_text(config.read_text().replace('interval = "0.3s"', 'interval = "1s"'))  # as often as a page is looked at
        with running(folder) as daemon:
            daemon.wait_for("http_served")
            port = re.findall(r"event=http_served.* port=(\d+)", daemon.own_text)[-1]
            until(lambda: "tasks" in day_of(folder), 30, "a second look, from which on tasks are counted")
            trouble(cluster)
            found = Scene(cluster, daemon, folder, browser, f"http://127.0.0.1:{port}")
            wanted = {"QueueBacklogHigh", "WorkerLost", "TaskFailureRateHigh"}
            until(lambda: wanted <= found.look().keys(), 90, f"{wanted} to fire")
            yield found


def day_of(folder: Path) -> dict[str, Any]:
    """What history knows of the last 24 hours."""
    return dict(json.loads(watchdog("status", "--json", cwd=folder).stdout)["targets"][0]["day"])


def trouble(cluster: Cluster) -> None:
    until(lambda: len(httpx.get(f"{cluster.flower_url}/api/workers").json()) == 2, 30, "both workers")
    cluster.flood("indexing", FINISHED)
    cluster.flood("indexing", FAILED, "demo.fail", kind="TimeoutError")
    cluster.flood("nobody", WAITING)
    cluster.flood(HOSTILE, 1)
    cluster.kill_worker("gpu-1")


@pytest.fixture(scope="module")
def shared_page(scene: Scene) -> Iterator[Page]:
    context = scene.browser.new_context(base_url=scene.url)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()


@pytest.fixture
def page(shared_page: Page) -> Page:
    return as_new(shared_page)


@pytest.fixture
def faults(page: Page) -> list[str]:
    """What the browser complains of, as what the policy forbids."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    return said


def row(page: Page, panel: str, name: str) -> list[str]:
    """The cells of one row of a panel."""
    cells = page.locator(f"#{panel} tbody tr", has=page.get_by_role("rowheader", name=name, exact=True)).first.locator("th, td")
    return cells.all_inner_texts()


def tile(page: Page, name: str) -> str:
    return page.locator("#overview .tile", has=page.get_by_text(name, exact=True)).locator("dd").first.inner_text()


def test_the_figures_are_those_of_redis_flower_and_the_tasks_sent(scene: Scene, page: Page) -> None:
    page.goto("/targets/prod")
    broker = redis.Redis.from_url(scene.cluster.redis_url)
    expect(page.locator("#overview .tile", has_text="done in 24 h")).to_contain_text(f"{FINISHED + FAILED}", timeout=PATIENCE_MS)
    online = sum(httpx.get(f"{scene.cluster.flower_url}/api/workers?status=true").json().values())
    assert tile(page, "workers") == f"{online} of 2"
    assert tile(page, "failed in 24 h").split()[0] == f"{FAILED}"
    assert tile(page, "waiting") == f"{WAITING + 1}"
    assert row(page, "queues", "nobody")[1] == f"{broker.llen('nobody')}"
    assert "lost" in row(page, "workers", "celery@gpu-1")[1]
    assert row(page, "metrics", "all tasks")[1:4:2] == [f"{FINISHED + FAILED}", f"{FAILED}"]
    assert row(page, "errors", "TimeoutError")[3] == f"{FAILED}"
    broker.close()


def test_a_hostile_name_is_a_name(page: Page, faults: list[str]) -> None:
    page.goto("/targets/prod")
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert page.title() == "prod · watchdog"
    assert faults == []


def test_figures_are_refreshed_in_place_and_what_was_opened_stays_open(scene: Scene, page: Page, faults: list[str]) -> None:
    page.goto("/targets/prod")
    page.get_by_text("Hours as a table").click()
    page.evaluate("document.querySelector('#trend summary').focus(); window.notLoadedAgain = true")
    scene.cluster.flood("nobody", 3)
    expect(page.locator("#overview .tile", has_text="waiting")).to_contain_text(f"{WAITING + 4}", timeout=PATIENCE_MS)
    redis.Redis.from_url(scene.cluster.redis_url).ltrim("nobody", 3, -1)
    expect(page.locator("#overview .tile", has_text="waiting")).to_contain_text(f"{WAITING + 1}", timeout=PATIENCE_MS)
    assert page.locator("#trend details").get_attribute("open") == ""
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.evaluate("window.notLoadedAgain") is True
    assert faults == []


def test_a_comment_that_is_being_typed_survives_a_refresh(scene: Scene, page: Page) -> None:
    page.goto(f"/incidents/{scene.incidents['WorkerLost']}")
    with page.expect_response(lambda answer: "/incidents/" in answer.url and answer.request.headers.get("hx-request") == "true"):
        page.get_by_label("Comment").first.fill("half a sent")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_label("Comment").first).to_have_value("half a sent")


def test_acknowledging_is_seen_by_why(scene: Scene, page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="demo.fail").click()
    page.get_by_label("Comment").first.fill("the remote side is down")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status").filter(has_text="Acknowledged.")).to_be_visible()
    assert "the remote side is down" in page.inner_text("main")
    assert "acknowledged" in scene.why("TaskFailureRateHigh")
    page.get_by_role("button", name="Take acknowledgement back").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    assert "acknowledged" not in scene.why("TaskFailureRateHigh")


def test_silencing_is_seen_by_why_and_can_be_ended(scene: Scene, page: Page) -> None:
    page.goto(f"/incidents/{scene.incidents['QueueBacklogHigh']}")
    page.get_by_text("Silence…").click()
    page.get_by_label("For").fill("45m")
    page.get_by_role("button", name="Silence").click()
    expect(page.get_by_role("status").filter(has_text="Silenced")).to_be_visible()
    assert "silenced until" in scene.why("QueueBacklogHigh")
    page.get_by_role("button", name="End this silence").click()
    expect(page.get_by_role("status").filter(has_text="The silence has ended")).to_be_visible()
    assert "silenced until" not in scene.why("QueueBacklogHigh")


def test_what_is_refused_is_said_and_what_was_typed_stays(scene: Scene, page: Page) -> None:
    page.goto(f"/incidents/{scene.incidents['QueueBacklogHigh']}")
    page.get_by_text("Silence…").click()
    page.get_by_label("For").fill("tomorrow")
    page.get_by_role("button", name="Silence").click()
    expect(page.get_by_role("alert")).to_contain_text('found "tomorrow"')
    expect(page.get_by_label("For")).to_have_value("tomorrow")


def pressed(page: Page, name: str) -> None:
    """Tab to what has this name, and press Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''")
        if name in focused:
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_the_keyboard_alone_suffices(scene: Scene, page: Page) -> None:
    page.goto("/")
    pressed(page, "was lost")
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/*")
    pressed(page, "Comment")
    page.keyboard.type("by keyboard")
    pressed(page, "Acknowledge")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take acknowledgement back")).to_be_visible()
    assert "by keyboard" in page.inner_text("main")
    pressed(page, "Take acknowledgement back")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


def test_it_works_without_javascript(scene: Scene) -> None:
    context = scene.browser.new_context(base_url=scene.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/incidents/{scene.incidents['QueueBacklogHigh']}")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Take acknowledgement back")).to_be_visible()
    page.get_by_role("button", name="Take acknowledgement back").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    context.close()


PAGES: dict[str, Callable[[Scene], str]] = {
    "overview": lambda _: "/",
    "target": lambda _: "/targets/prod",
    "incidents": lambda _: "/incidents",
    "incident": lambda scene: f"/incidents/{scene.incidents['QueueBacklogHigh']}",
    "nothing": lambda _: "/incidents/01NOTHING",
}


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(scene: Scene, page: Page, name: str, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(PAGES[name](scene))
    for summary in page.locator("summary").all():
        summary.click()
    assert faults_of(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_must_be_pushed_sideways(scene: Scene, page: Page, name: str) -> None:
    page.goto(PAGES[name](scene))
    too_wide = {}
    for width in (320, 360, 480, 768, 961, 1024, 1151, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
            too_wide[width] = found
    assert too_wide == {}


def test_axe_finds_what_keeps_people_out(page: Page) -> None:
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><input></main>")
    assert [fault.partition(":")[0] for fault in faults_of(page)] == ["label"]


def test_a_watchdog_that_is_gone_is_said_to_be_gone(scene: Scene, page: Page) -> None:
    page.goto("/")
    page.route("**/*", lambda route: route.abort())
    expect(page.locator("#stale")).to_contain_text("watchdog does not answer; this is as it was at", timeout=PATIENCE_MS)
    page.unroute("**/*")
    expect(page.locator("#stale")).to_be_hidden(timeout=PATIENCE_MS)
