"""Acting from the page: a real daemon, real workers, a real browser; and everybody who may not."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from playwright.sync_api import Browser, Page, expect
from werkzeug.security import generate_password_hash

from tests.processes.browser import as_new, chromium, faults_of
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH
from tests.processes.serving import serving
from tests.servers.waiting import until
from watchdog.core.actions.kinds import KINDS

ADA, BOB, EVE = ("ada", "correct horse"), ("bob", "battery staple"), ("eve", "stapler of batteries")
ALLOWED = tuple(KINDS)
PATIENCE_MS = 60_000.0
PRE, AUT = "celery@pre", "celery@aut"


@dataclass
class Scene:
    """A cluster, and a daemon that lets ada and eve act on it, and bob look."""

    cluster: Cluster
    folder: Path
    url: str

    def client(self, person: tuple[str, str] | None) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=person, trust_env=False, timeout=30)

    def logged(self) -> list[dict[str, Any]]:
        done = watchdog("act", "log", "--json", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout)["actions"])

    def waiting(self, queue: str) -> int:
        with redis.Redis.from_url(self.cluster.redis_url) as client:
            return int(client.llen(queue))

    def said(self, name: str, question: str, *what: str) -> Any:
        """What a worker answers to Celery's own inspect."""
        return getattr(self.cluster.app.control.inspect(destination=[name], timeout=5.0, limit=1), question)(*what)[name]

    def consumed(self, name: str) -> set[str]:
        return {queue["name"] for queue in self.said(name, "active_queues")}

    def limit(self, name: str, what: str) -> str:
        """What a worker says of a limit of demo.ok."""
        return next(str(task) for task in self.said(name, "registered", what) if task.startswith("demo.ok "))

    def pids(self, name: str) -> set[int]:
        return set(self.said(name, "stats")["pool"]["processes"])

    def processes(self, name: str) -> int:
        return len(self.pids(name))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("page")
    hashed = {name: generate_password_hash(password, method="pbkdf2:sha256:1000") for name, password in (ADA, BOB, EVE)}
    users = ", ".join(f"{name} = '{text}'" for name, text in hashed.items())
    http = f'users = {{ {users} }}\nroles = {{ ada = "operator", eve = "operator" }}'
    with Cluster() as cluster:
        cluster.start_redis()
        cluster.start_worker("pre", ["q-pre"], 2, "prefork", "--", "worker_pool_restarts=1")
        cluster.start_worker("aut", ["q-aut"], 1, "prefork", "--autoscale=3,1")
        cluster.start_flower()
        cluster.wait_ready(timeout=90)
        cluster.flood("backlog", 100)
        cluster.flood("from-here", 2)
        target = f'[[target]]\nname = "prod"\nflower = "{cluster.flower_url}"\nredis = "{cluster.redis_url}"\n'
        with serving(folder, http, f"[actions]\nallow = {json.dumps(ALLOWED)}\n{target}", command=FRESH) as (_, url):
            until(lambda: httpx.get(f"{url}/readyz", trust_env=False).status_code == 200, 30, "the first look")
            cluster.flood("q-pre", 1, "demo.fail", kind="TimeoutError")
            until(lambda: failures(folder), 60, "a failure in history, which a page then keeps for half a minute")
            yield Scene(cluster, folder, url)


def failures(folder: Path) -> list[object]:
    """What failed in the last 24 hours."""
    (target,) = json.loads(watchdog("status", "--json", cwd=folder).stdout)["targets"]
    return list(target["day"].get("errors", {}).get("rows", ()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def opened(scene: Scene, browser: Browser, **how: Any) -> Page:
    context = browser.new_context(base_url=scene.url, http_credentials={"username": ADA[0], "password": ADA[1], "send": "always"}, **how)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


@pytest.fixture(scope="module")
def shared_page(scene: Scene, browser: Browser) -> Iterator[Page]:
    found = opened(scene, browser)
    yield found
    found.context.close()


@pytest.fixture
def page(shared_page: Page) -> Page:
    return as_new(shared_page)


def shown(scene: Scene, link: str) -> None:
    """Wait until the page of the target has it; one that is open refreshes itself less often."""
    with scene.client(ADA) as client:
        until(lambda: link in client.get("/targets/prod").text, 90, link)


def token_of(client: httpx.Client) -> str:
    """The token that a page for acting gives this person."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/actions", params={"target": "prod"}).text)
    assert found is not None
    return found[1]


def begun(client: httpx.Client, **typed: str) -> str:
    """The address of an action that was begun, once it says what it will touch."""
    sent = client.post("/actions", data={"csrf": token_of(client), "target": "prod", **typed})
    assert sent.status_code == 303, sent.text
    address = sent.headers["location"]
    until(lambda: "Do it:" in client.get(address).text, 30, "what it will touch")
    return str(address)


EFFECTS: Mapping[str, tuple[dict[str, str], Callable[[Scene, set[int]], bool]]] = {
    "add-consumer": ({"queue": "more", "workers": AUT}, lambda scene, _: "more" in scene.consumed(AUT)),
    "restart-consumer": ({"queue": "more", "workers": AUT}, lambda scene, _: "more" in scene.consumed(AUT)),
    "cancel-consumer": ({"queue": "more", "workers": AUT}, lambda scene, _: "more" not in scene.consumed(AUT)),
    "rate-limit": ({"task": "demo.ok", "rate": "7/m", "workers": AUT}, lambda scene, _: "7/m" in scene.limit(AUT, "rate_limit")),
    "time-limit": ({"task": "demo.ok", "hard_s": "6m", "workers": AUT}, lambda scene, _: "360" in scene.limit(AUT, "time_limit")),
    "autoscale": ({"lowest": "1", "highest": "4", "workers": AUT}, lambda scene, _: scene.said(AUT, "stats")["autoscaler"]["max"] == 4),
    "restart-pool": ({"workers": PRE}, lambda scene, before: not before <= scene.pids(PRE)),
    "shrink": ({"number": "1", "workers": PRE}, lambda scene, before: len(scene.pids(PRE)) == len(before) - 1),
    "move": ({"queue": "from-here", "other": "to-there"}, lambda scene, _: scene.waiting("to-there") == 2),
    "shutdown": ({"workers": AUT}, lambda scene, _: not scene.cluster.workers[AUT].running),
}
"""Kind -> what is typed, and whether its effect is seen, given the processes of `PRE` before. A browser tests the others."""


# --- by a browser -------------------------------------------------------------------------------------------------------


def test_a_pool_grows_from_the_page_and_the_audit_log_says_who_did_it(scene: Scene, page: Page) -> None:
    page.goto("/targets/prod")
    page.get_by_role("link", name="Act on celery@pre").click()
    form = page.locator("#grow")
    form.get_by_label("Processes").fill("1")
    form.get_by_role("button").click()
    expect(page.get_by_text("celery@pre: 1 process, from 2 to 3")).to_be_visible()
    page.get_by_role("button", name="Do it: grow").click()
    expect(page.get_by_role("heading", name="What came back")).to_be_visible()
    until(lambda: scene.processes("celery@pre") == 3, 20, "three processes")
    record = scene.logged()[-1]
    assert (record["author"], record["action"], record["outcome"]) == ("ada (page)", "grow", "done")
    assert (record["workers"], record["arguments"]["number"]) == (["celery@pre"], 1)


def test_a_running_task_is_terminated_from_the_page(scene: Scene, page: Page) -> None:
    task_id = scene.cluster.flood("q-pre", 1, "demo.hang")[0]
    shown(scene, f"Act on {task_id}")
    page.goto("/targets/prod")
    page.get_by_role("link", name=f"Act on {task_id}").click()
    page.get_by_label("Terminate it where it runs").check()
    page.get_by_role("button", name="Revoke…").click()
    expect(page.get_by_text("runs on celery@pre")).to_be_visible()
    page.get_by_role("button", name="Do it: revoke").click()
    expect(page.get_by_role("heading", name="What came back")).to_be_visible()
    until(lambda: str(scene.cluster.app.AsyncResult(task_id).state) == "REVOKED", 30, "its end")


def test_a_queue_is_purged_on_a_phone_without_javascript(scene: Scene, browser: Browser) -> None:
    scene.cluster.flood("nobody", 5)
    page = opened(scene, browser, java_script_enabled=False, viewport={"width": 375, "height": 700})
    shown(scene, "Act on nobody")
    page.goto("/targets/prod")
    page.get_by_role("link", name="Act on nobody").click()
    page.locator("#purge").get_by_role("button").click()
    expect(page.get_by_text("nobody: 5 messages deleted for good")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Do it: purge").click()
    expect(page.get_by_role("heading", name="What came back")).to_be_visible(timeout=PATIENCE_MS)
    page.context.close()
    assert scene.waiting("nobody") == 0


def test_who_decides_against_it_has_nothing_done_and_that_is_written_down(scene: Scene, page: Page) -> None:
    scene.cluster.flood("kept", 2)
    page.goto("/actions?target=prod&on=queue&named=kept")
    page.locator("#purge").get_by_role("button").click()
    page.get_by_role("button", name="Do nothing").click()
    expect(page.get_by_text("Nothing was done.")).to_be_visible()
    assert (scene.waiting("kept"), scene.logged()[-1]["outcome"]) == (2, "declined")


def test_failed_runs_are_sent_again_from_the_errors_of_a_target(scene: Scene, page: Page) -> None:
    page.goto("/targets/prod")
    page.get_by_role("link", name="Act on demo.fail").click()
    form = page.locator("#retry")
    form.get_by_label("In the last").fill("1h")
    form.get_by_label("To the queue").fill("q-pre")
    form.get_by_role("button").click()
    expect(page.get_by_text("demo.fail: 1 run sent to q-pre again")).to_be_visible()
    page.get_by_role("button", name="Do it: retry").click()
    expect(page.get_by_text("done: sent to q-pre")).to_be_visible()


def test_an_incident_leads_to_the_actions_on_what_it_is_about(scene: Scene, page: Page) -> None:
    with scene.client(ADA) as client:
        until(lambda: "backlog" in client.get("/incidents").text, 90, "an incident of the queue")
    page.goto("/incidents")
    page.get_by_role("link", name="backlog").first.click()
    page.get_by_role("link", name="Act on backlog").click()
    expect(page.get_by_role("heading", name="Act on backlog")).to_be_visible()


def test_what_cannot_be_done_is_said_before(page: Page) -> None:
    page.goto("/actions?target=prod&on=worker&named=celery@gone")
    page.locator("#shutdown").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text('no worker "celery@gone" answers')


PAGES = {
    "forms": "/actions?target=prod",
    "of a worker": "/actions?target=prod&on=worker&named=celery@pre",
    "target": "/targets/prod",
    "preview": "",
}


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (375, "dark"), (1280, "light"), (1280, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it_and_nothing_must_be_pushed_sideways(scene: Scene, page: Page, name: str, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    with scene.client(ADA) as client:
        page.goto(PAGES[name] or begun(client, kind="restart-pool", workers="celery@pre"))
    for summary in page.locator("summary").all():
        summary.click()
    assert (faults_of(page), page.evaluate("document.documentElement.scrollWidth") <= width) == ([], True)


# --- by whoever may not -------------------------------------------------------------------------------------------------


def test_a_viewer_sees_no_action(scene: Scene) -> None:
    with scene.client(BOB) as client:
        assert "/actions" not in client.get("/targets/prod").text


@pytest.mark.parametrize("path", ["/actions?target=prod", "/actions?target=prod&on=queue&named=q", "/actions/x"])
def test_a_viewer_is_refused_with_a_sentence(scene: Scene, path: str) -> None:
    with scene.client(BOB) as client:
        answer = client.get(path)
    assert (answer.status_code, "needs the role operator, and bob has it not" in answer.text) == (403, True)


def test_a_viewer_who_sends_a_form_of_their_own_is_refused_and_that_is_written_down(scene: Scene) -> None:
    scene.cluster.flood("safe", 1)
    with scene.client(BOB) as client:
        answer = client.post("/actions", data={"csrf": viewer_token(scene), "target": "prod", "kind": "purge", "queue": "safe"})
    record = scene.logged()[-1]
    assert (answer.status_code, scene.waiting("safe")) == (403, 1)
    assert (record["author"], record["outcome"], record["text"]) == ("bob (page)", "refused", "no operator")


def viewer_token(scene: Scene) -> str:
    """A token of bob's: every page with forms has one."""
    with scene.client(BOB) as client:
        until(lambda: "/incidents/" in client.get("/incidents").text, 90, "an incident")
        named = re.search(r'href="(/incidents/[^"]+)"', client.get("/incidents").text)
        assert named is not None
        found = re.search(r'name="csrf" value="([^"]+)"', client.get(named[1]).text)
    assert found is not None
    return found[1]


def test_a_stranger_is_refused(scene: Scene) -> None:
    with scene.client(None) as client:
        assert (client.get("/actions?target=prod").status_code, client.post("/actions", data={}).status_code) == (401, 401)


@pytest.mark.parametrize("token", ["", "forged", "of eve"])
def test_without_a_token_of_the_same_person_nothing_is_begun(scene: Scene, token: str) -> None:
    before = len(scene.logged())
    with scene.client(EVE) as eve, scene.client(ADA) as ada:
        given = token_of(eve) if token == "of eve" else token
        ada.cookies.set("csrf", token_of(eve))
        answer = ada.post("/actions", data={"csrf": given, "target": "prod", "kind": "purge", "queue": "safe"})
    assert (answer.status_code, len(scene.logged())) == (403, before)


@pytest.mark.parametrize("step", ["confirm", "leave"])
def test_without_a_token_nothing_is_confirmed(scene: Scene, step: str) -> None:
    with scene.client(ADA) as ada:
        address = begun(ada, kind="purge", queue="unconfirmed")
        assert (ada.post(f"{address}/{step}").status_code, "Do it:" in ada.get(address).text) == (403, True)


def test_what_another_operator_began_is_not_theirs_to_confirm(scene: Scene) -> None:
    scene.cluster.flood("of-ada", 1)
    with scene.client(ADA) as ada, scene.client(EVE) as eve:
        address = begun(ada, kind="purge", queue="of-ada")
        assert eve.post(f"{address}/confirm", data={"csrf": token_of(eve)}).status_code == 404
    assert scene.waiting("of-ada") == 1


def test_who_confirms_twice_at_once_has_it_done_once(scene: Scene) -> None:
    size = scene.processes("celery@pre")
    with scene.client(ADA) as ada:
        address, token = begun(ada, kind="grow", number="1", workers="celery@pre"), token_of(ada)
        before = len(scene.logged())
        clicks = [threading.Thread(target=ada.post, args=(f"{address}/confirm",), kwargs={"data": {"csrf": token}}) for _ in range(6)]
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()
        until(lambda: "What came back" in ada.get(address).text, 30, "the outcome")
    until(lambda: scene.processes("celery@pre") > size, 20, "another process")
    assert (scene.processes("celery@pre"), len(scene.logged()) - before) == (size + 1, 1)


@pytest.mark.parametrize("kind", EFFECTS)
def test_what_is_done_from_the_page_is_seen_on_the_worker(scene: Scene, kind: str) -> None:
    typed, seen = EFFECTS[kind]
    before = scene.pids(PRE)
    with scene.client(ADA) as ada:
        address = begun(ada, kind=kind, **typed)
        assert ada.post(f"{address}/confirm", data={"csrf": token_of(ada)}).status_code == 303
        until(lambda: "What came back" in ada.get(address).text, 30, "the outcome")
    until(lambda: seen(scene, before), 30, "its effect")
    assert (scene.logged()[-1]["action"], scene.logged()[-1]["outcome"]) == (kind, "done")


def test_every_kind_of_action_is_done_from_the_page() -> None:
    assert {*EFFECTS, "grow", "revoke", "purge", "retry"} == {*ALLOWED}
