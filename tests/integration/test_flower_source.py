"""The flower source against servers that misbehave on real sockets, and against a real Flower with real workers."""

import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import Conversation, TcpServer, drips, is_silent, says
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectAll, Inspected, InspectOne, Query, ReadEventCounters, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import EventCounters, WorkerBeat, WorkerInspection
from watchdog.demo.processes import free_port
from watchdog.sources.flower.source import FlowerSettings, FlowerSource

WEB, GPU = "celery@web-1", "celery@gpu-1"


def flower(url: str, **more: object) -> FlowerSource:
    return FlowerSource(FlowerSettings.model_validate({"url": url, **more}))


def impatient(port: int, **more: object) -> FlowerSource:
    return flower(f"http://127.0.0.1:{port}", **{"timeout": "300ms", **more})


def reason(source: FlowerSource, query: Query) -> str:
    answer = source.ask([query]).replies[query]
    source.close()
    assert isinstance(answer, Gap), answer
    return answer.reason


def response(body: bytes, length: int | None = None, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body) if length is None else length, body)


# --- servers that misbehave -----------------------------------------------------------------------------------------------


def test_a_closed_port_is_connection_refused() -> None:
    assert "connection refused" in reason(impatient(free_port()), WorkerStatus())


def test_a_host_that_does_not_exist_is_a_name_that_cannot_be_resolved() -> None:
    assert "cannot be resolved" in reason(flower("http://no-such-host.invalid:5555"), WorkerStatus())


def test_a_server_that_says_nothing_costs_one_timeout_for_the_whole_batch() -> None:
    with TcpServer(is_silent) as server:
        source = impatient(server.port)
        began = time.monotonic()
        answers = source.ask([WorkerStatus(), WorkerHeartbeats(), ReadEventCounters(), Inspected()])
        took = time.monotonic() - began
        source.close()
    assert took < 1
    assert all("within 0.3s" in str(gap) for gap in answers.replies.values())


@pytest.mark.parametrize("answer", [response(b"{" * 1000), b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000], ids=["body", "headers"])
def test_a_server_that_drips_costs_no_more_than_the_timeout(answer: bytes) -> None:
    with TcpServer(drips(answer, every_s=0.02)) as server:
        began = time.monotonic()
        assert "within 0.3s" in reason(impatient(server.port), Inspected())
        assert time.monotonic() - began < 0.6


@pytest.mark.parametrize(
    ("answer", "says_why"),
    [
        (response(b'{"w": true', length=5000), "truncated"),
        (b"", "closed or something else"),
        (b"+PONG\r\n", "closed or something else"),
        (response(b"x" * 5000), "at most 1000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", "damaged"),
    ],
    ids=["truncated", "hung up", "not http", "too large", "wrongly compressed"],
)
def test_a_broken_answer_is_a_gap_with_its_own_sentence(answer: bytes, says_why: str) -> None:
    with TcpServer(says(answer)) as server:
        assert says_why in reason(impatient(server.port, max_answer_bytes=1000), Inspected())


def test_a_connection_closed_between_two_cycles_is_no_gap() -> None:
    with TcpServer(says(response(b"{}"))) as server:
        source = impatient(server.port)
        replies = [source.ask([Inspected()]).replies[Inspected()] for _ in range(2)]
        source.close()
    assert replies == [{}, {}]


def test_a_connection_is_kept_between_cycles() -> None:
    def converse(connection: socket.socket, closing: threading.Event) -> None:
        while connection.recv(65536):
            connection.sendall(response(b"{}"))

    with TcpServer(converse) as server:
        source = impatient(server.port)
        for _ in range(3):
            source.ask([Inspected()])
        source.close()
        assert server.connections == 1


def test_credentials_and_headers_are_sent_and_redirects_are_not_followed(receiver: RecordingReceiver) -> None:
    receiver.default = Answer(302, {"location": f"http://127.0.0.1:{receiver.port}/elsewhere"})
    source = flower(f"http://user:hunter2@127.0.0.1:{receiver.port}/prefix", headers={"X-Token": "tok3n"})
    assert "redirect" in reason(source, InspectOne("w@h"))
    (request,) = receiver.requests
    assert request.path == "/prefix/api/workers?refresh=1&workername=w@h"
    assert (request.headers["authorization"], request.headers["x-token"]) == ("Basic dXNlcjpodW50ZXIy", "tok3n")


def test_two_targets_never_ask_one_flower_at_the_same_moment(receiver: RecordingReceiver) -> None:
    receiver.default = Answer(200, body=b"{}", delay_s=0.15)
    sources = [flower(f"http://127.0.0.1:{receiver.port}") for _ in range(3)]
    threads = [threading.Thread(target=source.ask, args=([Inspected()],)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for source in sources:
        source.close()
    at = sorted(request.at for request in receiver.requests)
    assert min(later - earlier for earlier, later in pairwise(at)) >= 0.14


# --- TLS --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls_port(certificates: Certificates) -> Iterator[int]:
    with TcpServer(says(response(b"{}")), certificates.server_context()) as server:
        yield server.port


def test_a_ca_file_makes_a_private_certificate_trusted(tls_port: int, certificates: Certificates) -> None:
    source = flower(f"https://127.0.0.1:{tls_port}", ca_file=str(certificates.ca))
    assert source.ask([Inspected()]).replies == {Inspected(): {}}
    source.close()


@pytest.fixture
def strict_port(certificates: Certificates) -> Iterator[int]:
    """It lets in only who has a certificate of its authority."""
    with TcpServer(says(response(b"{}")), certificates.server_context(wants_client=True)) as server:
        yield server.port


def test_a_client_certificate_is_shown_where_one_is_wanted(strict_port: int, certificates: Certificates) -> None:
    files = {"ca_file": certificates.ca, "cert_file": certificates.client, "key_file": certificates.client_key}
    source = flower(f"https://127.0.0.1:{strict_port}", **{name: str(path) for name, path in files.items()})
    assert source.ask([Inspected()]).replies == {Inspected(): {}}
    source.close()


def test_a_client_certificate_that_is_wanted_and_not_there_names_the_settings(strict_port: int, certificates: Certificates) -> None:
    said = reason(flower(f"https://127.0.0.1:{strict_port}", ca_file=str(certificates.ca)), Inspected())
    assert "requires a client certificate: set `cert_file` and `key_file` of flower" in said


def test_a_client_certificate_of_another_authority_is_told_apart(strict_port: int, certificates: Certificates, tmp_path: Path) -> None:
    other = make_certificates(tmp_path)
    files = {"ca_file": certificates.ca, "cert_file": other.client, "key_file": other.client_key}
    source = flower(f"https://127.0.0.1:{strict_port}", **{name: str(path) for name, path in files.items()})
    assert f"does not accept the client certificate {other.client}" in reason(source, Inspected())


def test_a_renewed_client_certificate_is_used_without_a_restart(strict_port: int, certificates: Certificates, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    files = {"cert_file": tmp_path / "client.pem", "key_file": tmp_path / "client.key"}
    source = flower(f"https://127.0.0.1:{strict_port}", ca_file=str(certificates.ca), **{name: str(path) for name, path in files.items()})
    assert isinstance(source.ask([Inspected()]).replies[Inspected()], Gap)
    for old, new in ((files["cert_file"], certificates.client), (files["key_file"], certificates.client_key)):
        old.write_bytes(new.read_bytes())
    assert source.ask([Inspected()]).replies == {Inspected(): {}}
    source.close()


def test_a_key_that_is_not_the_certificates_is_named(certificates: Certificates) -> None:
    files = {"cert_file": certificates.client, "key_file": certificates.key}
    source = flower("https://127.0.0.1:1", **{name: str(path) for name, path in files.items()})
    assert f"{certificates.client} (`cert_file`), {certificates.key} (`key_file`) of flower" in reason(source, Inspected())


def test_an_untrusted_certificate_names_the_setting(tls_port: int) -> None:
    assert "set `ca_file`" in reason(flower(f"https://127.0.0.1:{tls_port}"), Inspected())


@pytest.mark.parametrize("converse", [says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), is_silent], ids=["plain", "silent"])
def test_https_to_a_port_without_tls_says_so(converse: Conversation) -> None:
    with TcpServer(converse) as server:
        assert "http://?" in reason(flower(f"https://127.0.0.1:{server.port}"), Inspected())


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_read_is_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    assert str(path) in reason(flower("https://127.0.0.1:1", ca_file=str(path)), Inspected())


# --- a real Flower ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def real(cluster: Cluster) -> Iterator[FlowerSource]:
    source = flower(cluster.flower_url)
    yield source
    source.close()


def test_a_real_flower_answers_every_question(real: FlowerSource, cluster: Cluster) -> None:
    cluster.flood("analysis", 2)
    until(lambda: finished(real) >= 2, 15, "two tasks to be counted")
    until(lambda: len(everyone_inspected(real)) == 2, 15, "a refresh that is not the one of Flower's own start")
    answers = real.ask([InspectAll(), Inspected(), InspectOne(WEB), WorkerHeartbeats(), ReadEventCounters(), WorkerStatus()])
    assert answers.latency_ms is not None
    assert {query: gap for query, gap in answers.replies.items() if isinstance(gap, Gap)} == {}
    status, everyone, one = (answers.replies[q] for q in (WorkerStatus(), InspectAll(), InspectOne(WEB)))
    assert status == {WEB: True, GPU: True}
    assert isinstance(everyone, dict)
    assert isinstance(one, dict)
    assert (set(everyone), set(one)) == ({WEB, GPU}, {WEB})


def everyone_inspected(source: FlowerSource) -> dict[str, WorkerInspection]:
    found = source.ask([InspectAll()]).replies[InspectAll()]
    assert isinstance(found, dict)
    return found


def finished(source: FlowerSource) -> float:
    counters = source.ask([ReadEventCounters()]).replies[ReadEventCounters()]
    assert isinstance(counters, EventCounters)
    return sum(count for _, _, event, count in counters.each() if event == "succeeded")


def test_a_real_worker_tells_its_beat(real: FlowerSource) -> None:
    beats = real.ask([WorkerHeartbeats()]).replies[WorkerHeartbeats()]
    assert isinstance(beats, dict)
    beat = beats[GPU]
    assert isinstance(beat, WorkerBeat)
    assert (beat.online, beat.freq_s, beat.active) == (True, 2.0, 0)
    assert abs(time.time() - beat.heartbeats[-1]) < 5


def test_a_real_worker_tells_its_queues_and_pool(real: FlowerSource) -> None:
    found = real.ask([InspectOne(WEB)]).replies[InspectOne(WEB)]
    assert isinstance(found, dict)
    entry = found[WEB]
    assert isinstance(entry, WorkerInspection)
    assert (set(entry.queues or ()), entry.pool, entry.pool_size, entry.reserved) == ({"indexing", "priority"}, "prefork", 2, 0)
    assert entry.conf is not None
    assert entry.conf.visibility_timeout_s == 3600.0
    assert entry.at is not None
    assert abs(time.time() - entry.at) < 5


def test_a_worker_that_flower_does_not_know_is_an_empty_answer(real: FlowerSource) -> None:
    assert real.ask([InspectOne("nobody@nowhere")]).replies == {InspectOne("nobody@nowhere"): {}}


def test_a_flower_whose_api_is_off_names_the_setting(bare_cluster: Cluster) -> None:
    bare_cluster.start_flower(environment={"FLOWER_UNAUTHENTICATED_API": "false"})
    assert "FLOWER_UNAUTHENTICATED_API=true" in reason(flower(bare_cluster.flower_url), WorkerStatus())


def test_a_flower_with_a_prefix_and_a_password(bare_cluster: Cluster) -> None:
    bare_cluster.start_flower("--url_prefix=flower", "--basic_auth=ops:hunter2")
    port = bare_cluster.flower_port
    right = flower(f"http://ops:hunter2@127.0.0.1:{port}/flower")
    assert right.ask([WorkerStatus(), WorkerHeartbeats()]).replies == {WorkerStatus(): {}, WorkerHeartbeats(): {}}
    right.close()
    assert "url_prefix" in reason(flower(f"http://ops:hunter2@127.0.0.1:{port}"), WorkerStatus())
    assert "does not accept" in reason(flower(f"http://ops:wrong@127.0.0.1:{port}/flower"), WorkerStatus())
    assert "requires credentials" in reason(flower(f"http://127.0.0.1:{port}/flower"), WorkerHeartbeats())
