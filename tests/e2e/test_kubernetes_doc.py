"""docs/kubernetes.md: its manifests are YAML that fits together, and the watchdog.toml in them is right."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes.command_line import watchdog

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
PAIR_BEGINS, PAIR_ENDS = DOC.index("## Two pods"), DOC.index("## Looking")


def manifests_in(text: str) -> list[dict[str, Any]]:
    return [one for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) for one in yaml.safe_load_all(block)]


SINGLE, PAIR = manifests_in(DOC[:PAIR_BEGINS] + DOC[PAIR_ENDS:]), manifests_in(DOC[PAIR_BEGINS:PAIR_ENDS])
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def manifest(kind: str, among: Sequence[dict[str, Any]] = SINGLE) -> dict[str, Any]:
    return next(one for one in among if one["kind"] == kind)


def pod(among: Sequence[dict[str, Any]] = SINGLE) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = manifest("Deployment", among)["spec"]["template"]["spec"]
    return spec


either = pytest.mark.parametrize("among", [SINGLE, PAIR], ids=["one pod", "two pods"])


@pytest.mark.parametrize("one", [*SINGLE, *PAIR], ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_manifest_says_what_it_is(one: dict[str, Any]) -> None:
    assert {"apiVersion", "kind", "metadata"} <= set(one)


@either
def test_the_configuration_is_right_with_the_secrets_where_they_are_mounted(tmp_path: Path, among: Sequence[dict[str, Any]]) -> None:
    mounted = next(m["mountPath"] for m in pod(among)["containers"][0]["volumeMounts"] if m["name"] == "secrets")
    for name, value in manifest("Secret", among)["stringData"].items():
        (tmp_path / name).write_text(value)
    text = manifest("ConfigMap", among)["data"]["watchdog.toml"]
    assert mounted in text
    (tmp_path / "watchdog.toml").write_text(text.replace(mounted, str(tmp_path)))
    done = watchdog("config", "check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@either
def test_what_the_pod_mounts_is_there(among: Sequence[dict[str, Any]]) -> None:
    volumes = {volume["name"]: volume for volume in pod(among)["volumes"]}
    assert {mount["name"] for mount in pod(among)["containers"][0]["volumeMounts"]} == set(volumes)
    assert volumes["config"]["configMap"]["name"] == manifest("ConfigMap", among)["metadata"]["name"]
    assert volumes["secrets"]["secret"]["secretName"] == manifest("Secret", among)["metadata"]["name"]


def test_the_one_pod_keeps_its_database_in_a_volume() -> None:
    (state,) = [volume for volume in pod()["volumes"] if volume["name"] == "state"]
    assert state["persistentVolumeClaim"]["claimName"] == manifest("PersistentVolumeClaim")["metadata"]["name"]


def test_two_pods_share_a_database_and_no_volume() -> None:
    assert manifest("Deployment", PAIR)["spec"]["replicas"] == 2
    assert "PersistentVolumeClaim" not in {one["kind"] for one in PAIR}
    assert manifest("Secret", PAIR)["stringData"]["database-url"].startswith("postgresql://")


def test_a_rolling_update_starts_the_new_pod_first() -> None:
    """It stands by, is ready, and an old one may end."""
    assert manifest("Deployment", PAIR)["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_the_probes_of_two_pods_are_those_that_a_real_pair_answers() -> None:
    """`tests/e2e/test_pair.py` asks them."""
    container = pod(PAIR)["containers"][0]
    asked = {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")}
    assert asked == {"/healthz", "/readyz"}


def test_the_service_reaches_what_the_pods_listen_on() -> None:
    (service,) = manifest("Service", PAIR)["spec"]["ports"]
    (port,) = pod(PAIR)["containers"][0]["ports"]
    assert service["targetPort"] == port["name"]
    assert f':{port["containerPort"]}"' in manifest("ConfigMap", PAIR)["data"]["watchdog.toml"]
    assert manifest("Service", PAIR)["spec"]["selector"] == manifest("Deployment", PAIR)["spec"]["selector"]["matchLabels"]


def test_the_image_can_be_built_with_what_speaks_to_postgresql() -> None:
    assert "ARG EXTRAS" in DOCKERFILE
    assert "--build-arg EXTRAS=postgres" in DOC


def test_there_is_one_daemon_at_a_time() -> None:
    spec = manifest("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_the_probe_is_the_one_of_the_image() -> None:
    probe = pod()["containers"][0]["livenessProbe"]["exec"]["command"]
    assert f'|| {probe[-1]}"' in DOCKERFILE  # the image knows no database: without the file it is healthy


def test_the_user_and_the_volume_are_those_of_the_image() -> None:
    assert f"USER {pod()['securityContext']['runAsUser']}:{pod()['securityContext']['runAsGroup']}" in DOCKERFILE
    assert "VOLUME /var/lib/watchdog" in DOCKERFILE
    assert "STATE_DIRECTORY=/var/lib/watchdog" in DOCKERFILE


def test_the_image_takes_from_the_checkout_what_the_ignore_file_lets_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
