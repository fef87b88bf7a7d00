"""Two apps behind one Flower and one Redis, two targets with filters: each sees its own, and Flower is asked one thing at a time."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, running
from tests.servers.waiting import until

SHOP, BLOG = "celery@shop-1", "celery@blog-1"


class Counting:
    """A proxy before Flower that counts what is asked, and how much of it at once."""

    def __init__(self, flower_url: str) -> None:
        self.asked: Counter[str] = Counter()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._client = httpx.Client(base_url=flower_url, trust_env=False, timeout=10.0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()

    def answer(self, path: str) -> httpx.Response:
        with self._lock:
            self.asked[path] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._client.get(path)
        finally:
            with self._lock:
                self._at_once -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        counting = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = counting.answer(self.path)
                self.send_response(found.status_code)
                self.send_header("Content-Length", str(len(found.content)))
                self.end_headers()
                self.wfile.write(found.content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture(scope="module")
def two_apps() -> Iterator[Cluster]:
    """The shop has a failure, a success and a running task; the blog three failures, a running task and a backlog."""
    with Cluster() as both:
        both.start_redis()
        both.start_worker("shop-1", ["shop-mails"], 2)
        both.start_worker("blog-1", ["blog-mails"], 1)
        both.start_flower()
        both.wait_ready()
        both.flood("shop-mails", 1)
        both.flood("shop-mails", 1, "demo.fail", kind="KeyError")
        both.flood("shop-mails", 1, "demo.hang")
        both.flood("blog-mails", 3, "demo.fail", kind="ValueError")
        both.flood("blog-mails", 1, "demo.hang")
        both.flood("blog-mails", 6)
        until(lambda: states(both) == {"SUCCESS": 1, "FAILURE": 4, "STARTED": 2}, 30, "all to have ended that will")
        until(lambda: busy(both) == [1, 1], 30, "each worker's heartbeat to report the task that hangs")
        yield both


def states(cluster: Cluster) -> Counter[str]:
    tasks = httpx.get(f"{cluster.flower_url}/api/tasks?limit=100", trust_env=False).json().values()
    return Counter(task["state"] for task in tasks if task["state"] in {"SUCCESS", "FAILURE", "STARTED"})


def busy(cluster: Cluster) -> list[int]:
    return [worker["active"] for worker in httpx.get(f"{cluster.flower_url}/?json=1", trust_env=False).json()["data"]]


def configure(folder: Path, cluster: Cluster, flower_url: str, *more: str) -> None:
    targets = [
        f'[[target]]\nname = "{app}"\nflower = "{flower_url}"\nredis = "{cluster.redis_url}"\n'
        f'workers = ["celery@{app}-*"]\nqueues = ["{app}-*"]\n'
        for app in ("shop", "blog")
    ]
    (folder / "watchdog.toml").write_text("\n".join([*more, *targets]))


def rows(folder: Path, sql: str) -> dict[str, list[list[Any]]]:
    """Target -> its rows."""
    found: dict[str, list[list[Any]]] = {"shop": [], "blog": []}
    done = watchdog("query", "--format", "json", sql, cwd=folder)
    for row in json.loads(done.stdout)["rows"]:
        found[row.pop("target")].append(list(row.values()))
    return found


@pytest.mark.parametrize(
    ("sql", "shop", "blog"),
    [
        ("SELECT name, active FROM workers", [[SHOP, 1]], [[BLOG, 1]]),
        ("SELECT name, consumers, length > 0 AS waits FROM queues", [["shop-mails", 1, 0]], [["blog-mails", 1, 1]]),
        ("SELECT task, exception, count FROM errors", [["demo.fail", "KeyError", 1]], [["demo.fail", "ValueError", 3]]),
        ("SELECT name, worker FROM running", [["demo.hang", SHOP]], [["demo.hang", BLOG]]),
        ("SELECT name, failed, error_rate FROM tasks WHERE failed > 0", [["demo.fail", 1, 1]], [["demo.fail", 3, 1]]),
        ("SELECT workers_online, finished, error_rate FROM cluster", [[1, 2, 0.5]], [[1, 3, 1]]),
        ("SELECT pattern, online FROM groups", [["*", 1]], [["*", 1]]),
    ],
)
def test_neither_target_sees_what_is_the_others(two_apps: Cluster, tmp_path: Path, sql: str, shop: list[Any], blog: list[Any]) -> None:
    configure(tmp_path, two_apps, two_apps.flower_url)
    assert rows(tmp_path, sql) == {"shop": shop, "blog": blog}


def test_targets_may_stand_in_included_files(two_apps: Cluster, tmp_path: Path) -> None:
    configure(tmp_path, two_apps, two_apps.flower_url)
    whole = (tmp_path / "watchdog.toml").read_text().split("[[target]]")
    (tmp_path / "conf.d").mkdir()
    for app, text in zip(("shop", "blog"), whole[1:], strict=True):
        (tmp_path / "conf.d" / f"{app}.toml").write_text("[[target]]" + text)
    (tmp_path / "watchdog.toml").write_text('include = ["conf.d/*.toml"]\n')
    assert rows(tmp_path, "SELECT name FROM workers") == {"shop": [[SHOP]], "blog": [[BLOG]]}


def test_flower_is_asked_one_thing_at_a_time_whoever_asks(two_apps: Cluster, tmp_path: Path) -> None:
    """The daemon looks at both targets every 0.2 s, each in a thread of its own."""
    with Counting(two_apps.flower_url) as proxy:
        configure(tmp_path, two_apps, proxy.url, 'interval = "0.2s"')
        with running(tmp_path, command=FRESH):
            until(lambda: proxy.asked.total() >= 60, 60, "sixty questions")
        assert proxy.most_at_once == 1


def test_two_key_prefixes_in_one_redis_are_kept_apart(two_apps: Cluster, tmp_path: Path) -> None:
    """Celery's events carry the prefix too, so that each app has a Flower of its own. No filter is needed."""
    url = two_apps.redis_url
    with Cluster(environment={"DEMO_BROKER_URL": url, "DEMO_KEY_PREFIX": "wiki:"}) as wiki:
        wiki.start_worker("wiki-1", ["wiki-mails"], 1)
        wiki.start_flower()
        wiki.wait_ready()
        wiki.flood("wiki-mails", 1, "demo.hang")
        wiki.flood("wiki-mails", 4)
        (tmp_path / "watchdog.toml").write_text(
            f'[[target]]\nname = "shop"\nflower = "{two_apps.flower_url}"\nredis = "{url}"\n\n'
            f'[[target]]\nname = "blog"\nflower = "{wiki.flower_url}"\nredis = "{url}"\n'
        )
        until(
            lambda: rows(tmp_path, "SELECT name, length FROM queues")["blog"] == [["wiki-mails", 3]], 30, "one task to be held, one fetched"
        )
        found = rows(tmp_path, "SELECT name, (SELECT group_concat(name) FROM workers) AS w FROM queues ORDER BY name")
    assert found["blog"] == [["wiki-mails", "celery@wiki-1"]]
    assert [row[0] for row in found["shop"]] == ["blog-mails", "shop-mails"]
    assert "wiki" not in str(found["shop"])
