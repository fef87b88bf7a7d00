"""The redis source through sentinels: real ones, a real failover, and those that are down, stale, locked or no sentinels at all."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.sentinels import MASTER, Sentinels, names
from tests.servers.tcp_server import TcpServer, is_silent
from tests.servers.tls_proxy import TlsProxy
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ListLengths, Ping, Query, ReadServer
from watchdog.core.model.replies import Held, RedisServer
from watchdog.demo.processes import LOOPBACK, free_port
from watchdog.sources.redis.source import RedisSettings, RedisSource

ORDERS = ListLengths(("orders",))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """Three sentinels that are left in peace."""
    with Sentinels(tmp_path_factory.mktemp("three"), 3) as started:
        with started.data(started.master()) as client:
            client.lpush("orders", "a", "b", "c")
        yield started


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Sentinels]:
    """Two sentinels, yours to break."""
    with Sentinels(tmp_path, 2) as started:
        yield started


def source(url: str, **more: object) -> RedisSource:
    return RedisSource(RedisSettings.model_validate({"url": url, **more}))


def length(asked: RedisSource) -> object:
    answer = asked.ask([ORDERS]).replies[ORDERS]
    return answer.found.get("orders", 0) if isinstance(answer, Held) else answer


def reason(asked: RedisSource, *queries: Query) -> str:
    """The one reason for which every query of the batch is a gap."""
    answers = asked.ask(queries or (Ping(), ORDERS)).replies
    asked.close()
    reasons = {answer.reason for answer in answers.values() if isinstance(answer, Gap)}
    assert len(reasons) == 1, answers
    (one,) = reasons
    assert one.startswith("redis: ")
    assert "hunter2" not in one
    return one


def hosts(*ports: int) -> str:
    return ",".join(f"{LOOPBACK}:{port}" for port in ports)


def test_the_master_is_asked(three: Sentinels) -> None:
    asked = source(three.url())
    assert length(asked) == 3
    asked.close()


def test_celerys_own_url_is_enough_with_the_masters_name(three: Sentinels) -> None:
    asked = source(three.celery_url(), master=MASTER)
    assert length(asked) == 3
    asked.close()


def test_sentinels_that_are_down_are_passed_over(three: Sentinels) -> None:
    asked = source(f"sentinel://{hosts(free_port(), free_port(), three.ports[0])}/{MASTER}")
    assert length(asked) == 3
    asked.close()


def test_a_sentinel_that_hangs_costs_no_more_than_its_share(three: Sentinels) -> None:
    with TcpServer(is_silent) as hung:
        asked = source(f"sentinel://{hosts(hung.port, three.ports[0])}/{MASTER}", timeout="1s", connect_timeout="1s")
        began = time.monotonic()
        assert length(asked) == 3
        took = time.monotonic() - began
        asked.close()
    assert took < 1.5


def test_sentinels_that_all_hang_cost_one_timeout_together() -> None:
    with TcpServer(is_silent) as one, TcpServer(is_silent) as two, TcpServer(is_silent) as three:
        asked = source(f"sentinel://{hosts(one.port, two.port, three.port)}/{MASTER}", timeout="600ms", connect_timeout="300ms")
        began = time.monotonic()
        said = reason(asked)
        assert time.monotonic() - began < 0.9 + 0.3
    assert said.count("gave no answer in time") == 3


def test_a_master_that_hangs_costs_less_than_the_source_says_at_most() -> None:
    with TcpServer(is_silent) as master, TcpServer(names(master.port)) as sentinel:
        asked = source(f"sentinel://{hosts(sentinel.port)}/{MASTER}", timeout="300ms", connect_timeout="200ms")
        began = time.monotonic()
        said = reason(asked)
        assert time.monotonic() - began < asked.longest_s
    assert f"no answer from redis://{LOOPBACK}:" in said
    assert "according to the sentinel" in said


def test_where_none_is_there_each_is_named(three: Sentinels) -> None:
    ports = free_port(), free_port()
    said = reason(source(f"sentinel://{hosts(*ports)}/{MASTER}"))
    assert all(f"{LOOPBACK}:{port} refused the connection" in said for port in ports)
    assert "are the sentinels running there" in said


def test_where_none_knows_the_master_the_name_is_doubted(three: Sentinels) -> None:
    said = reason(source(f"sentinel://{hosts(three.ports[0], free_port())}/mymistress"))
    assert 'a master "mymistress"' in said
    assert f"{LOOPBACK}:{three.ports[0]} knows no master of that name" in said
    assert "refused the connection" in said


def test_where_the_address_refuses_it_is_named_with_who_gave_it() -> None:
    port = free_port()
    with TcpServer(names(port)) as sentinel:
        told_by = f"{LOOPBACK}:{sentinel.port}"
        said = reason(source(f"sentinel://{told_by}/{MASTER}"))
    assert f'connection refused by redis://{LOOPBACK}:{port}/0 (the master "{MASTER}", according to the sentinel {told_by})' in said


def test_a_stale_sentinel_that_names_a_replica_is_passed_over(three: Sentinels) -> None:
    (replica,) = set(three.data_ports) - {three.master()}
    with TcpServer(names(replica)) as stale:
        asked = source(f"sentinel://{hosts(stale.port, three.ports[0])}/{MASTER}")
        server = asked.ask([ReadServer()]).replies[ReadServer()]
        asked.close()
        alone = reason(source(f"sentinel://{hosts(stale.port)}/{MASTER}"))
    assert isinstance(server, RedisServer)
    assert server.role == "master"
    assert f"redis://{LOOPBACK}:{replica}/0" in alone
    assert "reports that it is a replica" in alone


def test_a_plain_redis_is_no_sentinel(redis_server: Cluster) -> None:
    assert "is no sentinel" in reason(source(f"sentinel://{hosts(redis_server.redis_port)}/{MASTER}"))


def test_a_sentinel_is_no_redis(three: Sentinels) -> None:
    assert "write sentinel://" in reason(source(f"redis://{hosts(three.ports[0])}/0"), Ping(), ReadServer(), ORDERS)


@pytest.mark.parametrize(("given", "says"), [({}, "`sentinel_password`"), ({"sentinel_password": "wrong-hunter2"}, "WRONGPASS")])
def test_locked_sentinels_name_the_setting(locked: Sentinels, given: dict[str, str], says: str) -> None:
    assert says in reason(source(locked.url(":hunter2-data@"), **given))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """One sentinel and its servers, each with a password of its own."""
    with Sentinels(tmp_path_factory.mktemp("locked"), password="hunter2-data", sentinel_password="hunter2-sentinel") as started:
        yield started


def test_sentinels_and_master_have_passwords_of_their_own(locked: Sentinels) -> None:
    asked = source(locked.url(":hunter2-data@"), sentinel_password="hunter2-sentinel")
    assert length(asked) == 0
    asked.close()


def test_a_wrong_password_of_the_master_is_told_as_such(locked: Sentinels) -> None:
    said = reason(source(locked.url(":hunter2-wrong@"), sentinel_password="hunter2-sentinel"))
    assert "does not accept the user name or password of the URL" in said


def test_tls_holds_for_the_sentinels_and_the_master(redis_server: Cluster, certificates: Certificates) -> None:
    context = certificates.server_context()
    with TlsProxy(redis_server.redis_port, context) as master, TcpServer(names(master.port), context) as sentinel:
        url = f"sentinels://{hosts(sentinel.port)}/{MASTER}"
        asked = source(url, ca_file=str(certificates.ca))
        assert length(asked) == 0
        asked.close()
        assert "certificate that is not trusted" in reason(source(url))
        assert "does it expect TLS" in reason(source(url.replace("sentinels", "sentinel")))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_a_failover_that_nobody_dies_of_is_followed(own: Sentinels) -> None:
    asked = source(own.url())
    before = run_id(asked)
    own.fail_over()
    until(lambda: run_id(asked) not in (before, None), 10, "the new master")
    asked.close()


def test_after_the_masters_death_the_next_batches_find_the_new_one(own: Sentinels) -> None:
    asked = source(own.url())
    before = run_id(asked)
    own.kill_master()
    said = reason(asked)
    assert "connection refused" in said
    assert MASTER in said
    until(lambda: run_id(asked) not in (before, None), 20, "the new master")
    asked.close()


def test_an_old_master_that_goes_on_answering_is_left_once_the_sentinels_name_another(redis_server: Cluster, tmp_path: Path) -> None:
    """Cut off from the sentinels, it does not know that it was deposed, and never hangs up."""
    now = [0.0]
    with Cluster(tmp_path) as newer:
        newer.start_redis()
        with TcpServer(names(redis_server.redis_port, newer.redis_port)) as sentinel:
            settings = RedisSettings.model_validate({"url": f"sentinel://{hosts(sentinel.port)}/{MASTER}"})
            asked = RedisSource(settings, clock=lambda: now[0])
            old = run_id(asked)
            assert run_id(asked) == old
            now[0] = 11.0
            assert run_id(asked) not in (old, None)
            asked.close()


def test_sentinels_that_die_later_do_not_cost_a_connection_that_is_well(own: Sentinels) -> None:
    now = [0.0]
    asked = RedisSource(RedisSettings.model_validate({"url": own.url()}), clock=lambda: now[0])
    assert length(asked) == 0
    for process in own.sentinels.values():
        process.end()
    now[0] = 11.0
    assert length(asked) == 0
    asked.close()


def run_id(asked: RedisSource) -> str | None:
    server = asked.ask([ReadServer()]).replies[ReadServer()]
    return server.run_id if isinstance(server, RedisServer) else None
