"""docs/kubernetes.md: its manifests are YAML that fits together, and the watchdog.toml in them is right."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes.command_line import watchdog

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
MANIFESTS: list[dict[str, Any]] = [
    one for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL) for one in yaml.safe_load_all(block)
]  # fmt: skip
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def manifest(kind: str) -> dict[str, Any]:
    return next(one for one in MANIFESTS if one["kind"] == kind)


def pod() -> Mapping[str, Any]:
    spec: Mapping[str, Any] = manifest("Deployment")["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("one", MANIFESTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_manifest_says_what_it_is(one: dict[str, Any]) -> None:
    assert {"apiVersion", "kind", "metadata"} <= set(one)


def test_the_configuration_is_right_with_the_secrets_where_they_are_mounted(tmp_path: Path) -> None:
    mounted = next(m["mountPath"] for m in pod()["containers"][0]["volumeMounts"] if m["name"] == "secrets")
    for name, value in manifest("Secret")["stringData"].items():
        (tmp_path / name).write_text(value)
    text = manifest("ConfigMap")["data"]["watchdog.toml"]
    assert mounted in text
    (tmp_path / "watchdog.toml").write_text(text.replace(mounted, str(tmp_path)))
    done = watchdog("config", "check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_pod_mounts_is_there() -> None:
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    assert {mount["name"] for mount in pod()["containers"][0]["volumeMounts"]} == set(volumes)
    assert volumes["config"]["configMap"]["name"] == manifest("ConfigMap")["metadata"]["name"]
    assert volumes["secrets"]["secret"]["secretName"] == manifest("Secret")["metadata"]["name"]
    assert volumes["state"]["persistentVolumeClaim"]["claimName"] == manifest("PersistentVolumeClaim")["metadata"]["name"]


def test_there_is_one_daemon_at_a_time() -> None:
    spec = manifest("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_the_probe_is_the_one_of_the_image() -> None:
    probe = pod()["containers"][0]["livenessProbe"]["exec"]["command"]
    assert f'"{probe[-1]}"' in DOCKERFILE


def test_the_user_and_the_volume_are_those_of_the_image() -> None:
    assert f"USER {pod()['securityContext']['runAsUser']}:{pod()['securityContext']['runAsGroup']}" in DOCKERFILE
    assert "VOLUME /var/lib/watchdog" in DOCKERFILE
    assert "STATE_DIRECTORY=/var/lib/watchdog" in DOCKERFILE


def test_the_image_takes_from_the_checkout_what_the_ignore_file_lets_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
