"""`/metrics` of a real daemon on a real cluster: figures are those of the tasks that were sent; the real Prometheus scrapes both forms."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import redis

from tests.builders.dashboard import expressions
from tests.builders.metrics import MIXIN, MIXIN_ALERTS
from tests.conftest import start_usual
from tests.processes.cluster import Cluster
from tests.processes.running import FRESH, running, write_config
from tests.servers.waiting import until
from watchdog.demo.processes import LOOPBACK, Process, child_environment, free_port

TOKEN = "a-token-for-prometheus-only"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None or PROMTOOL is None, reason="no prometheus on PATH (Debian: prometheus)")
FORMS = ("watchdog", "celery-exporter")
THEIR_NAMES = {"celery_active_process_count", "celery_active_worker_count"}
"""Names of celery-exporter of which promtool says that only histograms should be called so."""

OF_A_BROKEN_WATCHDOG = ("watchdog_table_unread", "watchdog_receivers_dead")
"""What has no series as long as every table can be read, and every message can be delivered."""
READS_WAITS = """
[[rule]]
name = "LongInTheWorker"
from = "tasks"
when = "wait_p95 > 3600"
severity = "info"
summary = "{{ name }} is long in its worker"
"""
"""A column that costs queries is read as long as a rule reads it."""


class Scraped:
    """A daemon's metrics, and the cluster that it watches."""

    def __init__(self, port: int, cluster: Cluster) -> None:
        self.port, self.cluster = port, cluster

    def text(self, form: str = "watchdog") -> str:
        """What a scrape gets."""
        url = f"http://{LOOPBACK}:{self.port}/metrics/{form}"
        answer = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text

    def value(self, series: str, form: str = "watchdog") -> float | None:
        """The value of the first series that begins like this, its labels in the order of the alphabet."""
        found = [line for line in self.text(form).splitlines() if line.startswith(series)]
        return float(found[0].rpartition(" ")[2]) if found else None

    def shows(self, series: str, value: float, form: str = "watchdog", timeout: float = 30.0) -> None:
        """Wait until a series has this value."""
        try:
            until(lambda: self.value(series, form) == value, timeout, f"{series} to be {value}")
        except AssertionError as error:
            raise AssertionError(f"{error}; shown:\n{self.text(form)}") from None


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The usual one, of these tests alone: of a shared one, what others have left is in the figures, too."""
    with Cluster() as own:
        start_usual(own)
        yield own


@pytest.fixture(scope="module")
def scraped(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    port, folder = free_port(), tmp_path_factory.mktemp("watchdog")
    (folder / "rules.toml").write_text(READS_WAITS)
    http = f'[http]\nlisten = "{LOOPBACK}:{port}"\ntoken = "{TOKEN}"\n'
    path = write_config(folder, cluster, f"http://{LOOPBACK}:{free_port()}/nobody", more=http)
    path.write_text(f'rules = ["rules.toml"]\n{path.read_text()}')
    with running(folder, command=FRESH):
        found = Scraped(port, cluster)
        until(lambda: "celery_worker_up" in found.text("celery-exporter"), 30, "the first look")  # the totals begin with this scrape
        yield found


def of_prometheus(port: int, query: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"http://{LOOPBACK}:{port}/api/v1/query", params={"query": query}, trust_env=False)
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


@pytest.fixture(scope="module")
def prometheus(scraped: Scraped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Prometheus that scrapes both forms; its port."""
    port, folder = free_port(), tmp_path_factory.mktemp("prometheus")
    (folder / "token").write_text(TOKEN)
    lines = ["global: {scrape_interval: 1s, evaluation_interval: 1s}", "rule_files: [rules.json]", "scrape_configs:"]
    rules = [{"alert": name, "expr": expression} for name, (expression, _) in MIXIN_ALERTS.items()]
    (folder / "rules.json").write_text(json.dumps({"groups": [{"name": "celery", "rules": rules}]}))
    for form in FORMS:
        lines += [f"  - job_name: {form}", f"    metrics_path: /metrics/{form}", "    authorization: {credentials_file: token}"]
        lines += [f"    static_configs: [{{targets: ['{LOOPBACK}:{scraped.port}']}}]"]
    (folder / "prometheus.yml").write_text("\n".join(lines) + "\n")
    command = [str(PROMETHEUS), "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={LOOPBACK}:{port}"]
    process = Process("prometheus", command, folder, child_environment({}))
    try:
        until(lambda: _answers(port), 30, "Prometheus to answer")
        yield port
    finally:
        process.end()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/-/ready", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def metered(cluster: Cluster) -> Iterator[str]:
    """A queue that nobody consumes, and that is empty again afterwards. Who empties it is unknown then, and so who consumes it."""
    yield "metered"
    with redis.Redis.from_url(cluster.redis_url) as client:
        client.delete("metered")


@pytest.fixture
def unread(cluster: Cluster) -> Iterator[str]:
    """Another one, which no test has emptied before."""
    yield "unread"
    with redis.Redis.from_url(cluster.redis_url) as client:
        client.delete("unread")


def test_figures_are_those_of_what_was_sent(scraped: Scraped, metered: str) -> None:
    scraped.cluster.flood(metered, 57)
    scraped.shows('watchdog_queues_length{name="metered",target="prod"}', 57.0)


def test_an_incident_is_a_series_while_it_lasts(scraped: Scraped, metered: str) -> None:
    scraped.cluster.flood(metered, 57)
    scraped.shows('watchdog_incident{name="metered",rule="QueueBacklogHigh",severity="warning",state="firing",target="prod"}', 1.0)


def test_failures_under_the_names_of_celery_exporter_are_those_that_happened(scraped: Scraped) -> None:
    series = 'celery_task_failed_total{exception="ConnectionError",hostname="web-1",name="demo.fail",'
    for _ in range(3):
        scraped.cluster.app.send_task("demo.fail", queue="indexing", kwargs={"kind": "ConnectionError"})
    scraped.shows(series, 3.0, "celery-exporter", timeout=60)


@needs_prometheus
@pytest.mark.parametrize(("form", "names"), [("watchdog", set()), ("celery-exporter", THEIR_NAMES)])
def test_promtool_finds_no_fault(scraped: Scraped, form: str, names: set[str]) -> None:
    scraped.shows('watchdog_queues_length{name="indexing",target="prod"}', 0.0)
    checked = subprocess.run([str(PROMTOOL), "check", "metrics"], input=scraped.text(form), capture_output=True, text=True, check=False)
    assert {line.partition(" ")[0] for line in (checked.stdout + checked.stderr).splitlines()} == names


@needs_prometheus
def test_prometheus_scrapes_both_forms(scraped: Scraped, prometheus: int) -> None:
    until(lambda: len(of_prometheus(prometheus, "up == 1")) == len(FORMS), 30, "both scrapes")
    until(lambda: of_prometheus(prometheus, 'watchdog_sources_up{name="redis"} == 1'), 30, "a figure of watchdog")
    until(lambda: of_prometheus(prometheus, 'celery_worker_up{hostname="web-1"} == 1'), 30, "a figure of celery-exporter")


@needs_prometheus
def test_prometheus_counts_what_was_sent(scraped: Scraped, prometheus: int) -> None:
    received = 'celery_task_received_total{hostname="web-1",name="demo.ok",'
    before = scraped.value(received, "celery-exporter") or 0.0
    for _ in range(6):
        scraped.cluster.app.send_task("demo.ok", queue="indexing").get(timeout=20)
    query = f'{received}job="celery-exporter"}} == {before + 6}'
    until(lambda: bool(of_prometheus(prometheus, query)), 30, f"{before + 6} tasks")


@needs_prometheus
def test_the_dashboards_and_alerts_of_celery_mixin_find_their_series(scraped: Scraped, prometheus: int) -> None:
    scraped.cluster.app.send_task("demo.ok", queue="indexing").get(timeout=20)
    scraped.cluster.app.send_task("demo.fail", queue="indexing")
    for name, labels in MIXIN.items():
        selected = ",".join(['job=~"celery|celery-exporter"', *(f'{label}!=""' for label in labels)])
        query = f"{name}{{{selected}}}"
        until(lambda query=query: bool(of_prometheus(prometheus, query)), 60, f"series for {query}")  # type: ignore[misc]


@needs_prometheus
def test_an_alert_of_celery_mixin_fires(scraped: Scraped, prometheus: int, metered: str) -> None:
    scraped.cluster.flood(metered, 150)
    until(lambda: bool(of_prometheus(prometheus, 'ALERTS{alertname="QueueLong",queue_name="metered"}')), 30, "the alert of the long queue")


@needs_prometheus
def test_prometheus_understands_every_expression_of_the_dashboard(prometheus: int) -> None:
    address = f"http://{LOOPBACK}:{prometheus}/api/v1/query"
    answers = {query: httpx.get(address, params={"query": query}, trust_env=False).json() for query in expressions()}
    assert {query: answer["error"] for query, answer in answers.items() if answer["status"] != "success"} == {}


@needs_prometheus
def test_every_panel_of_the_dashboard_finds_its_series(scraped: Scraped, prometheus: int, unread: str) -> None:
    scraped.cluster.flood(unread, 57)
    scraped.cluster.app.send_task("demo.fail", queue="indexing")
    asked = [query for query in expressions() if not any(name in query for name in OF_A_BROKEN_WATCHDOG)]

    def without_series() -> list[str]:
        return [query for query in asked if not of_prometheus(prometheus, query)]

    with suppress(AssertionError):  # the assertion below names them
        until(lambda: not without_series(), 20, "series for each", every=0.5)
    assert without_series() == []
