"""Prometheus on the same work: the same site as an exporter shows it, scraped and judged by as many rules every 10 s.

The exporter's own cost, and Alertmanager's, are not counted. Where no prometheus is installed, this is skipped.
"""

import json
import shutil
import time
from pathlib import Path
from urllib.request import urlopen

from bench.cpu import cpu_s_of_pid, rss_mb_of_pid
from bench.figures import Figure, Skipped
from bench.servers import LOOPBACK, serving
from bench.site import Site
from watchdog.demo.processes import Process, child_environment, free_port

__all__ = ["prometheus"]

INTERVAL_S = 10.0
SETTLING_S = 25.0
MINUTE_S = 60.0
CONDITIONS = ("celery_queue_length > {}", "celery_worker_active > {}")


def prometheus(
    folder: Path, *, size: int = 1000, rules: int = 100, settling_s: float = SETTLING_S, minute_s: float = MINUTE_S
) -> list[Figure | Skipped]:
    """Its CPU a cycle (a scrape and an evaluation of all rules), and its memory."""
    what = f"Prometheus: {size:,} workers x {size:,} queues x {rules} rules"
    program = shutil.which("prometheus")
    if program is None:
        return [Skipped(what, "no `prometheus` on PATH (Debian: `apt install prometheus`)")]
    site = Site(size, rules, time.time())
    with serving(site, folder) as servers:
        port = free_port()
        _configure(folder, servers.flower_port, rules)
        command = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={LOOPBACK}:{port}"]
        process = Process("prometheus", command, folder, child_environment({}))
        try:
            time.sleep(settling_s)
            before = cpu_s_of_pid(process.pid)
            time.sleep(minute_s)
            process.require_running()
            cpu_s = cpu_s_of_pid(process.pid) - before
            _require_series(port, 4 * size)
            return [
                Figure(f"{what}, CPU a cycle", cpu_s / minute_s * INTERVAL_S * 1000, "ms"),
                Figure(f"{what}, memory", rss_mb_of_pid(process.pid), "MB"),
            ]
        finally:
            process.end()


def _configure(folder: Path, exporter_port: int, rules: int) -> None:
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {INTERVAL_S:g}s, evaluation_interval: {INTERVAL_S:g}s}}\nrule_files: [rules.yml]\n"
        f"scrape_configs: [{{job_name: bench, metrics_path: /exporter, static_configs: [{{targets: ['{LOOPBACK}:{exporter_port}']}}]}}]\n"
    )
    alerts = [f"{{alert: Bench{n}, expr: '{CONDITIONS[n % 2].format(5000 + n)}'}}" for n in range(rules)]
    (folder / "rules.yml").write_text(f"groups: [{{name: bench, rules: [{', '.join(alerts)}]}}]\n")


def _require_series(port: int, count: int) -> None:
    """That it really scraped."""
    with urlopen(f"http://{LOOPBACK}:{port}/api/v1/query?query=scrape_samples_scraped", timeout=10) as answer:
        found = json.load(answer)["data"]["result"]
    if not found or int(found[0]["value"][1]) != count:
        raise AssertionError(f"Prometheus was to hold {count} series, found {found}")
