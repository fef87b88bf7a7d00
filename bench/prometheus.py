"""Prometheus on the same work: what exporters show of the same sites, scraped and judged by as many rules every 10 s; one large site, then
many small ones.

The exporters' own cost, and Alertmanager's, are not counted. Where no prometheus is installed, this is skipped.
"""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
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


SMALL = 4
"""Workers, and queues, of each of many targets, as in `footprint`."""
SHIPPED = 50
"""Rules on each of them, as many as watchdog's own that have a verdict there."""


class Minute(NamedTuple):
    """A minute of Prometheus."""

    rss_mb: float
    cpu_s: float


def prometheus(
    folder: Path, *, size: int = 1000, rules: int = 100, targets: int = 1000, settling_s: float = SETTLING_S, minute_s: float = MINUTE_S
) -> Iterator[Figure | Skipped]:
    """Its CPU a cycle (a scrape and an evaluation of all rules), and its memory; then its share of a core with many targets."""
    what, many = f"Prometheus: {size:,} workers x {size:,} queues x {rules} rules", f"Prometheus: {targets:,} targets every 10 s"
    program = shutil.which("prometheus")
    if program is None:
        yield Skipped(what, "no `prometheus` on PATH (Debian: `apt install prometheus`)")
        return
    large = _minute(program, folder / "large", Site(size, rules, time.time()), 1, settling_s, minute_s)
    yield Figure(f"{what}, CPU a cycle", large.cpu_s / minute_s * INTERVAL_S * 1000, "ms")
    yield Figure(f"{what}, memory", large.rss_mb, "MB")
    small = _minute(program, folder / "small", Site(SMALL, SHIPPED, time.time()), targets, settling_s, minute_s)
    yield Figure(f"{many}: share of a core", small.cpu_s / minute_s * 100, "%")
    yield Figure(f"{many}: memory", small.rss_mb, "MB")


def _minute(program: str, folder: Path, site: Site, targets: int, settling_s: float, minute_s: float) -> Minute:
    """A minute of it after it has settled, with so many targets like this site."""
    folder.mkdir()
    with serving(site, folder) as servers:
        port = free_port()
        _configure(folder, [f"{LOOPBACK}:{servers.flower_port}"] * targets, site.rules)
        command = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={LOOPBACK}:{port}"]
        process = Process("prometheus", command, folder, child_environment({}))
        try:
            time.sleep(settling_s)
            before = cpu_s_of_pid(process.pid)
            time.sleep(minute_s)
            process.require_running()
            cpu_s = cpu_s_of_pid(process.pid) - before
            _require_series(port, [4 * site.size] * targets)
            return Minute(rss_mb_of_pid(process.pid), cpu_s)
        finally:
            process.end()


def _configure(folder: Path, exporters: Sequence[str], rules: int) -> None:
    scraped = [
        f"{{targets: ['{exporter}'], labels: {{__metrics_path__: /f{n}/exporter, instance: site-{n}}}}}"
        for n, exporter in enumerate(exporters)
    ]
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {INTERVAL_S:g}s, evaluation_interval: {INTERVAL_S:g}s}}\nrule_files: [rules.yml]\n"
        f"scrape_configs: [{{job_name: bench, static_configs: [{', '.join(scraped)}]}}]\n"
    )
    alerts = [f"{{alert: Bench{n}, expr: '{CONDITIONS[n % 2].format(5000 + n)}'}}" for n in range(rules)]
    (folder / "rules.yml").write_text(f"groups: [{{name: bench, rules: [{', '.join(alerts)}]}}]\n")


def _require_series(port: int, counts: Sequence[int]) -> None:
    """That it really scraped."""
    with urlopen(f"http://{LOOPBACK}:{port}/api/v1/query?query=scrape_samples_scraped", timeout=10) as answer:
        found = [int(one["value"][1]) for one in json.load(answer)["data"]["result"]]
    if found != list(counts):
        raise AssertionError(f"Prometheus was to hold {sum(counts)} series of {len(counts)} targets, found {sum(found)} of {len(found)}")
