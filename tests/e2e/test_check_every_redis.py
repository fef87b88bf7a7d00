"""`watchdog check --once` on a real cluster whose broker, a Redis or a Valkey, is reached in every way: 0, or 3 with the reason."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import start_usual
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.tls_proxy import TlsProxy
from tests.servers.valkey import valkey_server
from watchdog.demo.processes import LOOPBACK

ACL = "on >hunter2 ~* resetchannels -@all +ping +info +llen +lindex +hlen +hscan +zrange +zcount +smembers +scan +get +select"
"""What the README gives to a user for watchdog alone."""


@pytest.fixture(scope="module", params=["redis", "valkey"])
def reached(request: pytest.FixtureRequest) -> Iterator[tuple[Cluster, str]]:
    """A cluster, and the path of its broker's unix socket."""
    program = valkey_server() if request.param == "valkey" else None
    with tempfile.TemporaryDirectory(prefix="wd-") as folder, Cluster(redis_program=program) as one:
        path = f"{folder}/redis.sock"
        one.start_redis(None, "--unixsocket", path)
        start_usual(one, redis=False)
        with redis.Redis.from_url(one.redis_url) as client:
            client.execute_command("ACL", "SETUSER", "watchdog", *ACL.split())
        yield one, path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def look(folder: Path, cluster: Cluster, redis_table: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    """(exit code, what is said of redis, all of the output)."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in redis_table.items()]
    (folder / "watchdog.toml").write_text(
        "\n".join(['[[target]]\nname = "prod"', f'flower = "{cluster.flower_url}"', "[target.redis]", *lines])
    )
    done = watchdog("check", "--once", "--format", "json", cwd=folder)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    return done.returncode, next(s for s in document["sources"] if s["source"] == "redis"), done.stdout


def fine(folder: Path, cluster: Cluster, **redis_table: str) -> None:
    code, source, printed = look(folder, cluster, redis_table)
    assert (code, source["up"], source["error"]) == (0, True, None), printed


def unreachable(folder: Path, cluster: Cluster, **redis_table: str) -> str:
    """Why, where that is all that fires."""
    code, source, printed = look(folder, cluster, redis_table)
    assert (code, source["up"]) == (3, False)
    assert {firing["rule"] for firing in json.loads(printed)["firing"]} == {"BrokerUnreachable"}
    assert "hunter2" not in printed
    return str(source["error"])


def test_by_its_address(reached: tuple[Cluster, str], tmp_path: Path) -> None:
    fine(tmp_path, reached[0], url=reached[0].redis_url)


def test_by_a_user_of_the_acl(reached: tuple[Cluster, str], tmp_path: Path) -> None:
    fine(tmp_path, reached[0], url=reached[0].redis_url.replace("//", "//watchdog:hunter2@"))


def test_by_a_user_with_a_wrong_password(reached: tuple[Cluster, str], tmp_path: Path) -> None:
    assert "WRONGPASS" in unreachable(tmp_path, reached[0], url=reached[0].redis_url.replace("//", "//watchdog:no-hunter2@"))


def test_by_its_unix_socket(reached: tuple[Cluster, str], tmp_path: Path) -> None:
    fine(tmp_path, reached[0], url=f"unix://{reached[1]}?db=0")


def test_by_tls(reached: tuple[Cluster, str], certificates: Certificates, tmp_path: Path) -> None:
    with TlsProxy(reached[0].redis_port, certificates.server_context()) as proxy:
        fine(tmp_path, reached[0], url=f"rediss://{LOOPBACK}:{proxy.port}/0", ca_file=str(certificates.ca))


def test_by_tls_of_an_unknown_authority(reached: tuple[Cluster, str], certificates: Certificates, tmp_path: Path) -> None:
    with TlsProxy(reached[0].redis_port, certificates.server_context()) as proxy:
        assert "set `ca_file`" in unreachable(tmp_path, reached[0], url=f"rediss://{LOOPBACK}:{proxy.port}/0")


def test_by_tls_of_another_host(reached: tuple[Cluster, str], certificates: Certificates, tmp_path: Path) -> None:
    with TlsProxy(reached[0].redis_port, certificates.server_context(certificate=certificates.elsewhere)) as proxy:
        url = f"rediss://{LOOPBACK}:{proxy.port}/0"
        assert "for that host name" in unreachable(tmp_path, reached[0], url=url, ca_file=str(certificates.ca))


def test_by_tls_with_a_client_certificate(reached: tuple[Cluster, str], certificates: Certificates, tmp_path: Path) -> None:
    with TlsProxy(reached[0].redis_port, certificates.server_context(wants_client=True)) as proxy:
        url = f"rediss://{LOOPBACK}:{proxy.port}/0"
        files = {"cert_file": str(certificates.client), "key_file": str(certificates.client_key)}
        fine(tmp_path, reached[0], url=url, ca_file=str(certificates.ca), **files)
        assert "client certificate" in unreachable(tmp_path, reached[0], url=url, ca_file=str(certificates.ca))
