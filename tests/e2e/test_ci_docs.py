"""docs/ci.md does what it says: every `watchdog check` in it is run, as its shell would, on a cluster of three new workers."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.conftest import start_usual
from tests.processes.cluster import Cluster
from tests.processes.running import environment

DOC = Path(__file__).parents[2] / "docs" / "ci.md"
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
FLOWER, REDIS = "http://flower:5555", "redis://redis:6379/0"


def commands() -> list[str]:
    """Every command line in a fence, from `watchdog check` on, its continued lines joined."""
    fenced = [re.sub(r"\\\n\s*", "", fence) for fence in FENCE.findall(DOC.read_text())]
    return [line[at:] for fence in fenced for line in fence.splitlines() if (at := line.find("watchdog check")) >= 0]


@pytest.fixture(scope="module")
def three_new_workers() -> Iterator[Cluster]:
    with Cluster() as one:
        start_usual(one)
        one.start_worker("web-2", ["indexing", "priority"], 1)
        one.wait_ready()
        yield one


def run(command: str, cluster: Cluster, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a shell, with the page's addresses replaced, as variables and as flags, and 30 s shortened to 1 s."""
    line = command.replace(FLOWER, cluster.flower_url).replace(REDIS, cluster.redis_url).replace("--stable 30s", "--stable 1s")
    line = line.replace("watchdog check", f"{sys.executable} -W error -m watchdog check", 1)
    variables = {
        "WATCHDOG_FLOWER": cluster.flower_url,
        "WATCHDOG_REDIS": cluster.redis_url,
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    environ = environment(folder, variables)
    return subprocess.run(["sh", "-c", line], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_the_page_shows_every_way_to_run_it() -> None:
    page, shown = DOC.read_text(), " ".join(commands())
    assert len(commands()) >= 8
    assert all(option in shown for option in ("--wait", "--stable", "--expect", "--only", "--skip", "--set", "--fail-on"))
    assert all(f"--format {style}" in shown for style in ("junit", "github", "nagios"))
    assert all(word in page for word in ("uvx --from celery-watchdog", "pipx run --spec celery-watchdog", "GitLab", "cron"))


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_page_answers_0_on_a_healthy_cluster(command: str, three_new_workers: Cluster, tmp_path: Path) -> None:
    done = run(command, three_new_workers, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr
    if "> watchdog.xml" in command:
        assert JUnitXml.fromfile(str(tmp_path / "watchdog.xml")).errors == 0
    if "--format github" in command:
        assert (tmp_path / "summary.md").read_text().startswith("## watchdog: OK")
