"""`watchdog config show --live` on a real cluster."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog


def configured(folder: Path, cluster: Cluster, *more: str) -> None:
    lines = ["[[target]]", 'name = "prod"', f'flower = "{cluster.flower_url}"', *more, "[target.redis]", f'url = "{cluster.redis_url}"']
    (folder / "watchdog.toml").write_text("\n".join([*lines, 'visibility_timeout = "2h"', ""]))


def settings(folder: Path) -> dict[str, Any]:
    done = watchdog("config", "show", "--live", "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    (target,) = json.loads(done.stdout)["targets"]
    return {setting["name"]: setting for setting in target["settings"]}


def test_each_setting_has_its_origin(cluster: Cluster, tmp_path: Path) -> None:
    configured(tmp_path, cluster)
    found = settings(tmp_path)
    assert (found["visibility_timeout"]["value"], found["visibility_timeout"]["origin"]) == ("2h", "configured: watchdog.toml:6")
    assert {other["worker"]: other["value"] for other in found["visibility_timeout"]["others"]} == {
        "celery@gpu-1": "1h",
        "celery@web-1": "1h",
    }
    assert (found["broker_transport"]["value"], found["broker_transport"]["origin"]) == ("redis", "worker celery@gpu-1")
    assert found["consumed_queues"]["value"] == ["analysis", "indexing", "priority", "training"]
    assert set(found["bound_queues"]["value"]) >= {"analysis", "indexing", "priority", "training"}
    assert (found["priority_steps"]["value"], found["priority_steps"]["origin"]) == ("0, 3, 6, 9", "Celery's default")


def test_in_a_pipe_it_is_plain(cluster: Cluster, tmp_path: Path) -> None:
    configured(tmp_path, cluster)
    done = watchdog("config", "show", "--live", cwd=tmp_path)
    assert (done.returncode, "\x1b" in done.stdout) == (0, False)
    assert "configured: watchdog.toml:6" in done.stdout


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_source_that_could_not_be_asked_is_3_and_no_secret_is_shown(tmp_path: Path, style: str) -> None:
    (tmp_path / "watchdog.toml").write_text(
        '[[target]]\nname = "prod"\nflower = "http://me:hunter2@127.0.0.1:1"\nredis = "redis://:hunter2@127.0.0.1:1/0"\n'
        'results = "redis://:hunter2@127.0.0.1:1/1"\n'
    )
    done = watchdog("config", "show", "--live", "--format", style, cwd=tmp_path)
    assert (done.returncode, "connection refused" in done.stdout, "hunter2" in done.stdout + done.stderr) == (3, True, False)


def test_an_unknown_target_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    configured(tmp_path, cluster)
    done = watchdog("config", "show", "--live", "--target", "prood", cwd=tmp_path)
    assert (done.returncode, 'did you mean "prod"' in done.stderr) == (2, True)
