"""The redis source against real servers, Redis and Valkey: well, hung, killed, loading, locked, clustered, behind TLS, on a socket."""

import contextlib
import math
import re
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.processes.cluster import Cluster
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.tcp_server import Conversation, TcpServer, drips, is_silent, says
from tests.servers.tls_proxy import TlsProxy
from tests.servers.valkey import valkey_server
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    CountFlushes,
    HashSize,
    ListLengths,
    LowestScore,
    OfKeys,
    OldestMessage,
    Ping,
    Query,
    ReadServer,
    ScanKeys,
    SetMembers,
)
from watchdog.core.model.replies import Held, KeysFound, MessageHead, Pong, RedisServer
from watchdog.demo.cluster import ClusterError
from watchdog.demo.processes import LOOPBACK, free_port
from watchdog.sources.redis.source import RedisSettings, RedisSource

COMMANDS = "+ping +info +llen +lindex +hlen +hscan +zrange +zcount +smembers +scan +get +select +psubscribe +punsubscribe"
ACL_SETUSER = f"ACL SETUSER watchdog on >PASSWORD ~* resetchannels &/0.celeryev/worker.* &/0.celeryev/task.* -@all {COMMANDS}"
"""The line of the README."""

STEP = "\x06\x16"
ORDERS = ListLengths(("orders",))
LISTS = ListLengths(("orders", f"orders{STEP}3"))
BOUND = SetMembers(("_kombu.binding.orders",))
NOTHING = Held[Any](frozenset({"orders"}))
EVERYTHING: list[Query] = [
    Ping(),
    ReadServer(),
    LISTS,
    OldestMessage("orders"),
    HashSize("unacked"),
    LowestScore("unacked_index"),
    BOUND,
    ScanKeys(0, "_kombu.binding.*", 1000),
]


@pytest.fixture(params=["redis", "valkey"])
def bare_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Every test here that starts a server does so with either."""
    with Cluster(redis_program=valkey_server() if request.param == "valkey" else None) as bare:
        yield bare


def source(url: str, **more: object) -> RedisSource:
    return RedisSource(RedisSettings.model_validate({"url": url, **more}))


def reason(asked: RedisSource, *queries: Query) -> str:
    """The one reason for which every query of the batch is a gap."""
    answers = asked.ask(queries or (Ping(), ORDERS)).replies
    asked.close()
    reasons = {answer.reason for answer in answers.values() if isinstance(answer, Gap)}
    assert len(reasons) == 1, answers
    assert all(isinstance(answer, Gap) for answer in answers.values())
    (one,) = reasons
    assert one.startswith("redis: ")
    assert "hunter2" not in one
    return one


def gaps(answer: object) -> list[Gap]:
    """The gap that it is, or the gaps of single keys."""
    return [answer] if isinstance(answer, Gap) else list(answer.gaps.values()) if isinstance(answer, Held) else []


def fill(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.lpush("orders", "older", '{"headers": {"id": "newer"}}')
        client.rpush("orders", '{"body": "", "headers": {"id": "head", "published_at": 1700000000.25}}')
        client.lpush(f"orders{STEP}3", "one")
        client.hset("unacked", mapping={"a": "1", "b": "2"})
        client.zadd("unacked_index", {"a": 1700000002.5, "b": 1700000001.5})
        client.sadd("_kombu.binding.orders", f"orders{STEP}{STEP}orders")


# --- a server that is well ------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(redis_server: Cluster) -> Cluster:
    fill(redis_server.redis_url)
    return redis_server


def test_every_question_is_answered_exactly(filled: Cluster) -> None:
    asked = source(filled.redis_url)
    answers = asked.ask(EVERYTHING)
    asked.close()
    replies = dict(answers.replies)
    server, pong = replies.pop(ReadServer()), replies.pop(Ping())
    assert replies == {
        LISTS: Held(frozenset(LISTS.keys), {"orders": 3, f"orders{STEP}3": 1}),
        OldestMessage("orders"): MessageHead("head", 1700000000.25),
        HashSize("unacked"): 2,
        LowestScore("unacked_index"): 1700000001.5,
        BOUND: Held(frozenset(BOUND.keys), {"_kombu.binding.orders": frozenset({f"orders{STEP}{STEP}orders"})}),
        ScanKeys(0, "_kombu.binding.*", 1000): KeysFound(0, ("_kombu.binding.orders",)),
    }
    assert isinstance(pong, Pong)
    assert answers.latency_ms == pong.latency_ms
    assert isinstance(server, RedisServer)
    assert (server.role, server.max_memory, server.replica_link_up, server.last_save_ok) == ("master", 0, None, True)
    assert server.run_id is not None
    assert len(server.run_id) == 40


def test_a_scan_goes_on_until_its_budget_is_spent(filled: Cluster) -> None:
    with redis.Redis.from_url(filled.redis_url) as client:
        client.mset({f"celery-task-meta-{i}": "x" for i in range(5000)})
    asked = source(filled.redis_url)
    scans = {budget: ScanKeys(0, "_kombu.binding.*", budget) for budget in (1000, 3000, 100_000)}
    replies = asked.ask(list(scans.values())).replies
    asked.close()
    found = [answer for scan in scans.values() if isinstance(answer := replies[scan], KeysFound)]
    assert [one.cursor != 0 for one in found] == [True, True, False]
    assert found[0].cursor != found[1].cursor
    assert found[2].keys == ("_kombu.binding.orders",)


def test_what_is_not_there_is_empty(redis_server: Cluster) -> None:
    asked = source(redis_server.redis_url)
    queries: list[Query] = [ListLengths(("q",)), OldestMessage("q"), HashSize("q"), LowestScore("q"), SetMembers(("q",))]
    replies = asked.ask(queries).replies
    asked.close()
    assert [replies[query] for query in queries] == [
        Held(frozenset("q")),
        MessageHead(None, None, nothing=True),
        0,
        math.inf,
        Held(frozenset("q")),
    ]


def test_a_wrong_type_of_key_is_a_gap_of_its_own(filled: Cluster) -> None:
    asked = source(filled.redis_url)
    query = ListLengths(("unacked", "orders"))
    answer = asked.ask([Ping(), query]).replies[query]
    asked.close()
    assert isinstance(answer, Held)
    assert list(answer.gaps) == ["unacked"]
    assert '"unacked"' in answer.gaps["unacked"].reason
    assert "a list" in answer.gaps["unacked"].reason
    assert answer.found == {"orders": 3}


def test_answers_that_change_between_cycles_are_read_anew(filled: Cluster) -> None:
    """Those that did not change are kept, and a new key is a new question."""
    asked = source(filled.redis_url)
    answers = [asked.ask([LISTS, BOUND]).replies for _ in range(2)]
    with redis.Redis.from_url(filled.redis_url) as client:
        client.lpop("orders")
        client.sadd("_kombu.binding.orders", f"more{STEP}{STEP}more")
    answers.append(asked.ask([LISTS, BOUND]).replies)
    answers.append(asked.ask([ListLengths((*LISTS.keys, "unacked")), BOUND]).replies)
    asked.close()
    lengths = [answer for one in answers for query, answer in one.items() if isinstance(query, ListLengths) and isinstance(answer, Held)]
    assert [answer.found["orders"] for answer in lengths] == [3, 3, 2, 2]
    assert [list(answer.gaps) for answer in lengths] == [[], [], [], ["unacked"]]
    bound = [answer for one in answers if isinstance(answer := one[BOUND], Held)]
    assert [len(answer.found["_kombu.binding.orders"]) for answer in bound] == [1, 1, 2, 2]


def test_a_thousand_queues_and_heads_come_in_one_batch(redis_server: Cluster) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.rpush("big", '{"headers": {"id": "x"}, "body": "' + "y" * 1_000_000 + '"}')
    asked = source(redis_server.redis_url, timeout="10s")
    queries: list[Query] = [
        ListLengths(tuple(f"q{n}" for n in range(1000))),
        *(OldestMessage(f"q{n}") for n in range(100)),
        OldestMessage("big"),
    ]
    replies = asked.ask(queries).replies
    asked.close()
    assert len(replies) == 102
    assert replies[OldestMessage("big")] == MessageHead("x", None)


def calls(server: Cluster) -> dict[str, int]:
    """Command -> how often it was called until now."""
    with redis.Redis.from_url(server.redis_url) as client:
        return {name.removeprefix("cmdstat_"): told["calls"] for name, told in client.info("commandstats").items()}


def test_only_the_commands_that_are_promised_are_sent(filled: Cluster) -> None:
    asked = source(filled.redis_url.replace("/0", "/2"))
    before = calls(filled)
    asked.ask(EVERYTHING)
    after = calls(filled)
    asked.close()
    sent = {name.partition("|")[0] for name, count in after.items() if count > before.get(name, 0)}
    promised = {"ping", "info", "llen", "lindex", "hlen", "zrange", "smembers", "scan", "auth", "select", "client", "hello"}
    assert sent <= promised


def test_a_valkey_says_its_own_version(redis_server: Cluster) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        told = client.info("server")
    asked = source(redis_server.redis_url)
    server = asked.ask([ReadServer()]).replies[ReadServer()]
    asked.close()
    assert isinstance(server, RedisServer)
    assert server.version == (f"valkey {told['valkey_version']}" if "valkey_version" in told else told["redis_version"])


# --- users and passwords --------------------------------------------------------------------------------------------------


def test_a_user_with_just_the_line_of_the_readme_can_ask_everything(filled: Cluster) -> None:
    with redis.Redis.from_url(filled.redis_url) as client:
        client.execute_command(*ACL_SETUSER.replace("PASSWORD", "hunter2").split())
    asked = source(filled.redis_url.replace("//", "//watchdog:hunter2@"))
    replies = asked.ask(EVERYTHING).replies
    asked.close()
    assert [gap for answer in replies.values() for gap in gaps(answer)] == []


def test_flushes_of_every_database_are_counted(bare_cluster: Cluster) -> None:
    bare_cluster.start_redis()
    asked = source(bare_cluster.redis_url)
    before = asked.ask([Ping(), CountFlushes()]).replies[CountFlushes()]
    with redis.Redis.from_url(bare_cluster.redis_url) as client:
        client.flushdb()
        client.flushall(asynchronous=True)
    after = asked.ask([Ping(), CountFlushes()]).replies[CountFlushes()]
    asked.close()
    assert (before, after) == (0, 2)


def test_that_user_can_ask_another_database(filled: Cluster) -> None:
    with redis.Redis.from_url(filled.redis_url) as client:
        client.execute_command(*ACL_SETUSER.replace("PASSWORD", "hunter2").split())
    asked = source(filled.redis_url.replace("//", "//watchdog:hunter2@").replace("/0", "/1"))
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


@pytest.mark.parametrize("query", EVERYTHING, ids=lambda query: type(query).__name__)
def test_a_denied_command_is_a_gap_of_its_own_that_points_to_the_readme(filled: Cluster, query: Query) -> None:
    command = {Ping: "ping", ReadServer: "info", ListLengths: "llen", OldestMessage: "lindex", HashSize: "hlen", LowestScore: "zrange"}
    name = command.get(type(query), "smembers" if isinstance(query, SetMembers) else "scan")
    with redis.Redis.from_url(filled.redis_url) as client:
        client.execute_command(*ACL_SETUSER.replace("PASSWORD", "hunter2").split(), f"-{name}")
    asked = source(filled.redis_url.replace("//", "//watchdog:hunter2@"))
    replies = asked.ask(EVERYTHING).replies
    asked.close()
    for other, answer in replies.items():
        assert bool(gaps(answer)) is isinstance(other, type(query))
    assert len(gaps(replies[query])) == (len(query.keys) if isinstance(query, OfKeys) else 1)
    for gap in gaps(replies[query]):
        assert f"the command {name.upper()}" in gap.reason
        assert "README" in gap.reason


def test_a_key_outside_the_users_pattern_is_a_gap_of_its_own(filled: Cluster) -> None:
    with redis.Redis.from_url(filled.redis_url) as client:
        client.execute_command(*ACL_SETUSER.replace("PASSWORD", "hunter2").replace("~*", "~un*").split())
    asked = source(filled.redis_url.replace("//", "//watchdog:hunter2@"))
    replies = asked.ask([ORDERS, HashSize("unacked")]).replies
    asked.close()
    assert "denies the key" in str(gaps(replies[ORDERS]))
    assert replies[HashSize("unacked")] == 2


@pytest.mark.parametrize(
    ("userinfo", "says_why"), [("", "requires a password"), (":wrong@", "does not accept"), ("nobody:hunter2@", "does not accept")]
)
def test_a_wrong_password_says_so(bare_cluster: Cluster, userinfo: str, says_why: str) -> None:
    bare_cluster.start_redis(None, "--requirepass", "hunter2")
    assert says_why in reason(source(bare_cluster.redis_url.replace("//", f"//{userinfo}")))


def test_a_password_that_redis_does_not_ask_for_says_so(redis_server: Cluster) -> None:
    assert "leave it out" in reason(source(redis_server.redis_url.replace("//", "//:hunter2@")))


def test_a_database_that_does_not_exist_says_so(redis_server: Cluster) -> None:
    assert "no database 99" in reason(source(redis_server.redis_url.replace("/0", "/99")))


# --- servers in a bad state -------------------------------------------------------------------------------------------------


def test_nothing_on_the_port_is_connection_refused() -> None:
    assert "connection refused" in reason(source(f"redis://{LOOPBACK}:{free_port()}/0"))


def test_a_host_that_does_not_exist_cannot_be_resolved() -> None:
    assert "cannot be resolved" in reason(source("redis://no-such-host.invalid/0"))


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_a_hung_server_costs_one_timeout(redis_server: Cluster, *, kept: bool) -> None:
    asked = source(redis_server.redis_url, timeout="300ms")
    if kept:
        asked.ask([Ping()])
    redis_server.stop_redis(signal.SIGSTOP)
    began = time.monotonic()
    assert "no answer" in reason(asked)
    took = time.monotonic() - began
    redis_server.resume_redis()
    assert took < 0.6


def test_a_server_killed_and_restarted_between_two_batches_answers_the_second(redis_server: Cluster) -> None:
    asked = source(redis_server.redis_url)
    asked.ask([Ping()])
    redis_server.stop_redis(signal.SIGKILL)
    redis_server.start_redis()
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


def test_a_server_that_died_is_connection_refused(redis_server: Cluster) -> None:
    asked = source(redis_server.redis_url)
    asked.ask([Ping()])
    redis_server.stop_redis(signal.SIGKILL)
    assert "connection refused" in reason(asked)


def test_a_server_that_loads_its_data_says_so(bare_cluster: Cluster) -> None:
    bare_cluster.start_redis(None, "--rdbcompression", "no")
    with redis.Redis.from_url(bare_cluster.redis_url) as client:
        client.mset({f"key{n}": "x" * 10_000 for n in range(1000)})
        client.save()
    bare_cluster.stop_redis()
    bare_cluster.start_redis(None, "--key-load-delay", "3000")  # it answers after each 2 MB
    assert "LOADING" in reason(source(bare_cluster.redis_url, timeout="5s"))


def test_a_replica_without_its_master_says_so(bare_cluster: Cluster) -> None:
    bare_cluster.start_redis(None, "--replicaof", LOOPBACK, str(free_port()), "--replica-serve-stale-data", "no")
    asked = source(bare_cluster.redis_url)
    replies = asked.ask([ReadServer(), ORDERS]).replies
    asked.close()
    server = replies[ReadServer()]
    assert isinstance(server, RedisServer)
    assert (server.role, server.replica_link_up) == ("slave", False)
    assert "MASTERDOWN" in str(gaps(replies[ORDERS]))


def test_a_read_only_replica_can_be_read(bare_cluster: Cluster) -> None:
    bare_cluster.start_redis(None, "--replicaof", LOOPBACK, str(free_port()))
    asked = source(bare_cluster.redis_url)
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


def start_clustered(cluster: Cluster) -> None:
    """It also takes the port 10,000 above its own, which somebody else may have: then another one."""
    for _ in range(3):
        with contextlib.suppress(ClusterError):
            cluster.start_redis(free_port(), "--cluster-enabled", "yes")
            return
    pytest.fail("no redis-server with cluster-enabled could be started")


def test_a_redis_cluster_is_named_for_every_question(bare_cluster: Cluster) -> None:
    start_clustered(bare_cluster)
    assert "Celery does not support" in reason(source(bare_cluster.redis_url), *EVERYTHING)


def is_let_in(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_a_server_that_takes_no_more_clients_says_so(bare_cluster: Cluster) -> None:
    bare_cluster.start_redis(None, "--maxclients", "1")
    with redis.Redis.from_url(bare_cluster.redis_url) as client:
        until(lambda: is_let_in(client), 5, "the server to let go of the one who saw it start")
        assert "maxclients" in reason(source(bare_cluster.redis_url))


# --- no Redis at all --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says_why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "web server"),
        (b"$abc\r\nhunter2\r\n", "another protocol"),
        (b"*1\r\n" * 5000, "another protocol"),
        (b"", "closed the connection"),
    ],
    ids=["http", "not a number", "nested", "hung up"],
)
def test_something_else_on_the_port_says_so(answer: bytes, says_why: str) -> None:
    with TcpServer(says(answer)) as server:
        assert says_why in reason(source(f"redis://{LOOPBACK}:{server.port}/0", timeout="500ms"))


@pytest.mark.parametrize(("answer", "says_why"), [(b"-ERR hunter2\r\n", "PING was refused"), (b"+NOPE\r\n", "expected PONG")])
def test_a_server_that_does_not_answer_ping_with_pong_is_not_redis(answer: bytes, says_why: str) -> None:
    with TcpServer(says(answer, times=4)) as server:
        assert says_why in reason(source(f"redis://{LOOPBACK}:{server.port}/0"))


@pytest.mark.parametrize("converse", [is_silent, drips(b"+" + b"x" * 1000, 0.02)], ids=["silent", "dripping"])
def test_a_server_that_does_not_come_to_an_end_costs_one_timeout(converse: Conversation) -> None:
    with TcpServer(converse) as server:
        began = time.monotonic()
        assert "within 0.3s" in reason(source(f"redis://{LOOPBACK}:{server.port}/0", timeout="300ms"))
        assert time.monotonic() - began < 0.6


def test_an_answer_without_end_keeps_what_was_answered_before_it() -> None:
    def converse(connection: socket.socket, closing: threading.Event) -> None:
        for answer in (b"+OK\r\n", b"+OK\r\n", b":7\r\n", b"$200000000\r\n" + b"x" * 70_000_000):
            connection.recv(65536)
            connection.sendall(answer)

    with TcpServer(converse) as server:
        asked = source(f"redis://{LOOPBACK}:{server.port}/0", timeout="20s")
        replies = asked.ask([OldestMessage("orders"), ORDERS]).replies
        asked.close()
    assert replies[ORDERS] == Held(frozenset({"orders"}), {"orders": 7})
    assert "64 MiB" in str(replies[OldestMessage("orders")])


# --- unix sockets and TLS -----------------------------------------------------------------------------------------------------


def test_a_unix_socket_is_asked(bare_cluster: Cluster) -> None:
    with tempfile.TemporaryDirectory(prefix="wd-") as folder:  # a socket's path may hold 107 characters
        path = f"{folder}/redis.sock"
        bare_cluster.start_redis(None, "--unixsocket", path)
        asked = source(f"unix://{path}?db=1")
        assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
        asked.close()


def test_a_unix_socket_that_is_missing_is_named(tmp_path: Path) -> None:
    assert f"no socket at unix://{tmp_path}/redis.sock" in reason(source(f"unix://{tmp_path}/redis.sock"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls_port(redis_server: Cluster, certificates: Certificates) -> Iterator[int]:
    """TLS ends in a proxy: the redis-server that comes as a Python package is built without it."""
    with TlsProxy(redis_server.redis_port, certificates.server_context()) as proxy:
        yield proxy.port


def test_tls_with_a_private_authority_is_asked(tls_port: int, certificates: Certificates) -> None:
    asked = source(f"rediss://{LOOPBACK}:{tls_port}/0", ca_file=str(certificates.ca))
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


def test_tls_that_is_not_to_be_checked_is_asked(tls_port: int) -> None:
    asked = source(f"rediss://{LOOPBACK}:{tls_port}/0?ssl_cert_reqs=none")
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


def test_a_certificate_of_another_host_is_not_trusted(redis_server: Cluster, certificates: Certificates) -> None:
    with TlsProxy(redis_server.redis_port, certificates.server_context(certificate=certificates.elsewhere)) as proxy:
        url = f"rediss://{LOOPBACK}:{proxy.port}/0"
        assert "for that host name" in reason(source(url, ca_file=str(certificates.ca)))
        asked = source(f"{url}?ssl_check_hostname=false", ca_file=str(certificates.ca))
        assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
        asked.close()


def test_a_certificate_of_another_authority_is_not_trusted(tls_port: int, tmp_path: Path) -> None:
    other = make_certificates(tmp_path)
    assert f"expected one signed by {other.ca}" in reason(source(f"rediss://{LOOPBACK}:{tls_port}/0", ca_file=str(other.ca)))


@pytest.fixture
def strict_port(redis_server: Cluster, certificates: Certificates) -> Iterator[int]:
    """It lets in only who has a certificate of its authority."""
    with TlsProxy(redis_server.redis_port, certificates.server_context(wants_client=True)) as proxy:
        yield proxy.port


def test_a_client_certificate_is_shown_where_one_is_wanted(strict_port: int, certificates: Certificates) -> None:
    files = {"ca_file": certificates.ca, "cert_file": certificates.client, "key_file": certificates.client_key}
    asked = source(f"rediss://{LOOPBACK}:{strict_port}/0", **{key: str(path) for key, path in files.items()})
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


def test_celerys_own_spelling_of_a_client_certificate_is_understood(strict_port: int, certificates: Certificates) -> None:
    files = f"ssl_ca_certs={certificates.ca}&ssl_certfile={certificates.client}&ssl_keyfile={certificates.client_key}"
    asked = source(f"rediss://{LOOPBACK}:{strict_port}/0?{files}")
    assert asked.ask([ORDERS]).replies == {ORDERS: NOTHING}
    asked.close()


def test_a_client_certificate_that_is_wanted_and_not_there_names_the_setting(strict_port: int, certificates: Certificates) -> None:
    said = reason(source(f"rediss://{LOOPBACK}:{strict_port}/0", ca_file=str(certificates.ca)))
    assert re.search("requires? a client certificate", said)
    assert "`cert_file` and `key_file` of redis" in said


def test_a_client_certificate_of_another_authority_is_told_apart(strict_port: int, certificates: Certificates, tmp_path: Path) -> None:
    other = make_certificates(tmp_path)
    files = {"ca_file": certificates.ca, "cert_file": other.client, "key_file": other.client_key}
    said = reason(source(f"rediss://{LOOPBACK}:{strict_port}/0", **{key: str(path) for key, path in files.items()}))
    assert "accept the client certificate" in said


def test_a_client_certificate_that_cannot_be_read_is_named(tls_port: int) -> None:
    said = reason(source(f"rediss://{LOOPBACK}:{tls_port}/0", cert_file="/no/such/client.pem"))
    assert "/no/such/client.pem (`cert_file` of redis)" in said


def test_an_untrusted_certificate_names_the_setting(tls_port: int) -> None:
    assert "set `ca_file`" in reason(source(f"rediss://{LOOPBACK}:{tls_port}/0"))


def test_a_plain_question_to_a_tls_port_names_the_scheme(tls_port: int) -> None:
    assert "rediss://" in reason(source(f"redis://{LOOPBACK}:{tls_port}/0"))


def test_tls_to_a_plain_port_says_so(redis_server: Cluster) -> None:
    assert "redis://?" in reason(source(redis_server.redis_url.replace("redis://", "rediss://")))


def test_a_ca_file_that_is_missing_is_named(redis_server: Cluster) -> None:
    url = redis_server.redis_url.replace("redis://", "rediss://")
    assert "/no/such/ca.pem" in reason(source(url, ca_file="/no/such/ca.pem"))
