"""Every question, every wrong answer: always a gap, never an exception, never a secret in its reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from redis import exceptions as redis_errors

from watchdog.core.model import queries
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    CountFlushes,
    FailedTasks,
    HashSize,
    HearWorkers,
    InspectAll,
    Inspected,
    InspectedNow,
    InspectOne,
    ListLengths,
    LowestScore,
    OfKeys,
    OldestMessage,
    Ping,
    PingResults,
    Query,
    QueueLengths,
    ReadEventCounters,
    ReadResultsServer,
    ReadServer,
    RecentTasks,
    RevokedTasks,
    RunningTasks,
    ScanKeys,
    SetMembers,
    StoredResult,
    SucceededTasks,
    TaskMeta,
    WaitingTasks,
    WholeTask,
    WorkerHeartbeats,
    WorkersTasks,
    WorkerStatus,
)
from watchdog.core.model.replies import KeysFound, MessageHead, RedisServer, StoredResultSeen, TaskMetaSeen
from watchdog.core.model.schedules import queries as periodic_queries
from watchdog.core.model.schedules.periodic import PeriodicTask, RedbeatEntry
from watchdog.core.model.schedules.queries import DjangoTasks, KeyLife, RedbeatEntries, ScoredMembers, WorkerPlans
from watchdog.sources.flower.source import FlowerSettings, FlowerSource
from watchdog.sources.redis.commands import command, packed, reply
from watchdog.sources.redis.reasons import denied

TASKS: list[Query] = [
    RunningTasks(),
    WaitingTasks(),
    FailedTasks(),
    RevokedTasks(),
    SucceededTasks("t"),
    WorkersTasks("celery@a"),
    RecentTasks(),
]
WORKERS: list[Query] = [WorkerStatus(), WorkerHeartbeats(), Inspected(), InspectedNow(), InspectOne("w@h"), InspectAll(), WorkerPlans()]
FLOWER: list[Query] = [*WORKERS, ReadEventCounters(), QueueLengths(), *TASKS, WholeTask("t1")]
REDIS: list[Query] = [
    Ping(),
    ReadServer(),
    CountFlushes(),
    ListLengths(("k",)),
    OldestMessage("k"),
    HashSize("k"),
    LowestScore("k"),
    SetMembers(("k",)),
    ScanKeys(0, "*", 100),
    TaskMeta("k"),
    StoredResult("k"),
    PingResults(),
    ReadResultsServer(),
    ScoredMembers("k", 5),
    RedbeatEntries(("k",)),
    KeyLife("k"),
]
READING = {"HGETALL", "PTTL", "PING", "INFO", "LLEN", "LINDEX", "HLEN", "HSCAN", "ZRANGE", "ZCOUNT", "SMEMBERS", "SCAN", "GET"}
RECORDED = Path(__file__).parent.parent / "answers"
SECRETS = ("hunter2", "tok3n")

HTML = b"<!DOCTYPE html><html><body>hunter2 tok3n</body></html>"
WRONG_BODIES = {
    "null": b"null",
    "list": b"[3]",
    "text": b'"x"',
    "number": b"3",
    "html": HTML,
    "truncated": b'{"celery@hunter2": {"stats": {"to',
    "empty": b"",
    "not utf-8": b'{"\xff\xfe": tr',
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "wrong values": b'{"a": "tok3n"}',
    "an error object": b'{"error": {"token": "tok3n"}}',
    "data of another kind": b'{"data": {"hunter2": 1}}',
    "data of numbers": b'{"data": [3]}',
    "nothing but a comment": b"# hunter2\n",
    "zeros": b"\0" * 100,
}
WRONG_STATUSES = {
    "500": (500, b""),
    "503 with text": (503, b"tok3n"),
    "401 without text": (401, b""),
    "401 with text": (401, b"FLOWER_UNAUTHENTICATED_API environment variable is required tok3n"),
    "401 from a proxy": (401, HTML),
    "403": (403, b"tok3n"),
    "404": (404, HTML),
    "405": (405, b"api is not available when auth is enabled"),
    "301": (301, b""),
    "204": (204, b""),
    "418": (418, b"tok3n"),
}


def flower(handler: Callable[[httpx.Request], httpx.Response], **more: object) -> FlowerSource:
    secret = {"username": "user", "password": SecretStr("hunter2"), "headers": {"X-Token": SecretStr("tok3n")}}
    settings = FlowerSettings.model_validate({"url": "http://flower.test:5555", **secret, **more})
    return FlowerSource(settings, transport=httpx.MockTransport(handler))


def reason(source: FlowerSource, query: Query) -> str:
    answer = source.ask([query]).replies[query]
    source.close()
    assert isinstance(answer, Gap), answer
    assert not any(secret in answer.reason for secret in SECRETS)
    assert answer.reason.startswith("flower: ")
    return answer.reason


def test_every_question_there_is_stands_in_these_tests() -> None:
    everywhere = [(module, name) for module in (queries, periodic_queries) for name in module.__all__]
    kinds = {kind for module, name in everywhere if isinstance(kind := getattr(module, name), type)} - {Query, OfKeys}
    # What is heard: tests/unit/sources/events; of a database: tests/integration/test_django_source.py.
    assert {type(query) for query in FLOWER + REDIS} | {HearWorkers, DjangoTasks} == kinds


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
@pytest.mark.parametrize("query", FLOWER, ids=lambda query: type(query).__name__)
def test_a_wrong_body_from_flower_is_a_gap(query: Query, body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"OK" if request.url.path == "/healthcheck" else body)

    assert "expected" in reason(flower(answer), query)


@pytest.mark.parametrize(("status", "body"), WRONG_STATUSES.values(), ids=WRONG_STATUSES)
@pytest.mark.parametrize("query", FLOWER, ids=lambda query: type(query).__name__)
def test_a_wrong_status_from_flower_is_a_gap(query: Query, status: int, body: bytes) -> None:
    location = {"location": "https://user:hunter2@login.test/start?token=tok3n"}
    assert str(status) in reason(flower(lambda _: httpx.Response(status, content=body, headers=location)), query)


@pytest.mark.parametrize("query", FLOWER, ids=lambda query: type(query).__name__)
def test_an_answer_that_is_too_large_is_a_gap(query: Query) -> None:
    source = flower(lambda _: httpx.Response(200, content=b"x" * 2000), max_answer_bytes=1000)
    assert "at most 1000 bytes" in reason(source, query)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
@pytest.mark.parametrize("query", FLOWER, ids=lambda query: type(query).__name__)
def test_no_answer_from_flower_is_a_gap(query: Query, error: type[httpx.TransportError]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("hunter2 tok3n")

    assert "flower.test" in reason(flower(answer), query)


@pytest.mark.parametrize(
    ("status", "body", "more", "names"),
    [
        (401, b"FLOWER_UNAUTHENTICATED_API environment variable is required", {}, "FLOWER_UNAUTHENTICATED_API=true"),
        (401, b"", {}, "does not accept the configured `username` and `password`"),
        (401, b"", {"username": None, "password": None, "headers": {}}, "set `username` and `password`"),
        (405, b"", {}, "Flower 1.x"),
        (404, b"", {}, "url_prefix"),
        (403, b"", {}, "forbidden"),
        (502, b"", {}, "proxy"),
    ],
)
def test_each_status_names_what_to_mend(status: int, body: bytes, more: dict[str, object], names: str) -> None:
    assert names in reason(flower(lambda _: httpx.Response(status, content=body), **more), WorkerStatus())


@pytest.mark.parametrize(("to", "names"), [("https://flower.test:5555/", "write https://"), ("/flower/", "url_prefix")])
def test_a_redirect_is_not_followed_and_says_what_is_missing(to: str, names: str) -> None:
    assert names in reason(flower(lambda _: httpx.Response(302, headers={"location": to})), WorkerStatus())


def test_where_the_first_question_fails_flower_is_asked_nothing_else() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(500)

    answers = flower(answer).ask(FLOWER)
    assert asked == ["/healthcheck"]
    assert len({str(gap) for gap in answers.replies.values()}) == 1


def test_where_another_question_fails_the_rest_is_still_asked() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"{}") if request.url.path != "/metrics" else httpx.Response(500)

    replies = flower(answer).ask([ReadEventCounters(), Inspected()]).replies
    assert isinstance(replies[ReadEventCounters()], Gap)
    assert replies[Inspected()] == {}


def test_after_one_timeout_the_rest_of_the_batch_does_not_wait() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ReadTimeout("")

    flower(answer).ask([Inspected(), WorkerHeartbeats(), ReadEventCounters()])
    assert asked == ["/"]


@pytest.mark.parametrize("name", ["flower22/unknown_worker.txt", "flower20/unknown_worker.txt", "flower12/unknown_worker.html"])
def test_an_unknown_worker_is_an_empty_answer(name: str) -> None:
    source = flower(lambda _: httpx.Response(404, content=(RECORDED / name).read_bytes()))
    assert source.ask([InspectOne("w@h")]).replies == {InspectOne("w@h"): {}}


@pytest.mark.parametrize("query", [query for query in FLOWER if query not in TASKS], ids=lambda query: type(query).__name__)
def test_an_empty_list_is_an_answer_only_where_tasks_are_asked_for(query: Query) -> None:
    source = flower(lambda request: httpx.Response(200, content=b"OK" if request.url.path == "/healthcheck" else b"[]"))
    assert isinstance(source.ask([query]).replies[query], Gap)


# --- Flower 1.x with authentication: no API, but a dashboard ----------------------------------------------------------------


def without_api(dashboard: httpx.Response) -> FlowerSource:
    """A Flower that answers as 1.2 does with `--basic_auth`: the API 405, the rest as given."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/api/"):
            return httpx.Response(405, content=b"api is not available when auth is enabled")
        return httpx.Response(200, content=b"OK") if request.url.path == "/healthcheck" else dashboard

    return flower(answer)


def test_where_there_is_no_api_the_dashboard_tells_who_is_online() -> None:
    source = without_api(httpx.Response(200, content=(RECORDED / "flower12/heartbeats.json").read_bytes()))
    assert source.ask([WorkerStatus()]).replies == {WorkerStatus(): {"w1@lab": True, "w2@lab": True}}


def test_where_there_is_no_api_its_questions_are_not_asked_and_say_what_to_do() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(405) if request.url.path.startswith("/api/") else httpx.Response(200, content=b'{"data": []}')

    answers = flower(answer).ask([WorkerStatus(), Inspected(), InspectOne("w"), *TASKS])
    assert asked == ["/healthcheck", "/api/workers", "/"]
    why = [str(answers.replies[query]) for query in (Inspected(), InspectOne("w"), *TASKS)]
    assert all("use Flower 2.x" in gap for gap in why)


def test_a_flower_that_has_an_api_again_is_asked_again() -> None:
    statuses = [405, 200]

    def answer(request: httpx.Request) -> httpx.Response:
        status = statuses[0] if request.url.path.startswith("/api/") else 200
        return httpx.Response(status, content=b"{}" if request.url.path != "/" else b'{"data": []}')

    source = flower(answer)
    source.ask([WorkerStatus(), Inspected()])
    del statuses[0]
    assert source.ask([WorkerStatus(), Inspected()]).replies == {WorkerStatus(): {}, Inspected(): {}}


@pytest.mark.parametrize(
    ("dashboard", "says"),
    [
        (httpx.Response(401, content=b"Access denied"), "does not accept the configured `username` and `password`"),
        (httpx.Response(302, headers={"location": "/login"}), "use Flower 2.x"),
        (httpx.Response(200, content=HTML), "use Flower 2.x"),
        (httpx.Response(500), "use Flower 2.x"),
    ],
    ids=["wrong credentials", "login page", "html", "broken"],
)
def test_where_the_dashboard_does_not_tell_either_the_first_question_fails(dashboard: httpx.Response, says: str) -> None:
    assert says in reason(without_api(dashboard), WorkerStatus())


# --- refreshes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [InspectOne("w"), InspectAll()], ids=lambda query: type(query).__name__)
@pytest.mark.parametrize("status", [500, 503])
def test_a_refresh_that_fails_asks_after_the_broker(query: Query, status: int) -> None:
    assert "can it reach the broker?" in reason(flower(lambda _: httpx.Response(status, content=b"Failed to update workers")), query)


def test_a_refresh_that_takes_too_long_says_what_it_waits_for() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    assert "waits for workers" in reason(flower(answer), InspectAll())


def test_inspecting_one_worker_gives_its_entry_alone() -> None:
    source = flower(lambda _: httpx.Response(200, content=b'{"w@h": {"timestamp": 1}, "other": {"timestamp": 2}}'))
    answer = source.ask([InspectOne("w@h")]).replies[InspectOne("w@h")]
    assert isinstance(answer, dict)
    assert list(answer) == ["w@h"]


def test_slow_answers_cannot_add_up_to_a_hang() -> None:
    now = [0.0]

    def answer(request: httpx.Request) -> httpx.Response:
        now[0] += 4.9
        return httpx.Response(200, content=b"{}")

    settings = FlowerSettings.model_validate({"url": "http://flower.test"})
    source = FlowerSource(settings, transport=httpx.MockTransport(answer), clock=lambda: now[0])
    replies = source.ask([InspectOne(str(n)) for n in range(100)]).replies
    assert now[0] <= source.longest_s
    assert isinstance(replies[InspectOne("99")], Gap)


def test_a_kept_connection_that_was_closed_meanwhile_is_tried_once_more() -> None:
    faults = [httpx.RemoteProtocolError("Server disconnected without sending a response.")]

    def answer(request: httpx.Request) -> httpx.Response:
        if faults:
            raise faults.pop()
        return httpx.Response(200, content=b"{}")

    assert flower(answer).ask([Inspected()]).replies == {Inspected(): {}}


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_from_flower_are_an_exception(body: bytes) -> None:
    source = flower(lambda request: httpx.Response(200, content=body))
    for query in FLOWER:
        source.ask([query])


# --- Redis ------------------------------------------------------------------------------------------------------------

WRONG_REPLIES: dict[str, object] = {
    "nothing": None,
    "text": b"x",
    "number": 3,
    "empty list": [],
    "list of one": [b"x"],
    "list of two": [b"x", b"y"],
    "list of lists": [[b"x"], [b"y"]],
    "not utf-8": b"\xff",
    "nested nothing": [None, None],
    "json": b'{"headers": 3}',
}
RIGHT = {
    Ping(): (b"PONG", True),
    ListLengths(("k",)): (3, 3),
    HashSize("k"): (3, 3),
    LowestScore("k"): ([b"tag", b"1700000000.5"], 1700000000.5),
    SetMembers(("k",)): ([b"a", b"b", b"\xff"], frozenset({"a", "b"})),
    ScanKeys(0, "*", 100): ([b"17", [b"a", b"\xff"]], KeysFound(17, ("a",))),
    OldestMessage("k"): (b'{"body": "x", "headers": {"id": "i", "published_at": 5}}', MessageHead("i", 5.0)),
    TaskMeta("k"): (b'{"status": "PROGRESS", "result": {"progress": 0.5}}', TaskMetaSeen("PROGRESS", 0.5, None, '{"progress":0.5}')),
    StoredResult("k"): (b'{"status": "SUCCESS", "result": 3}', StoredResultSeen("SUCCESS", TaskMetaSeen("SUCCESS"), "3")),
    ScoredMembers("k", 5): ([b"a", b"b", b"\xff"], ("a", "b")),
    KeyLife("k"): (1500, 1.5),
    RedbeatEntries(("k",)): (
        [b"definition", b'{"name": "tick", "task": "t", "schedule": {"__type__": "interval", "every": 5}}'],
        RedbeatEntry(PeriodicTask("tick", "t", 5.0)),
    ),
}


@pytest.mark.parametrize("raw", WRONG_REPLIES.values(), ids=WRONG_REPLIES)
@pytest.mark.parametrize("query", REDIS, ids=lambda query: type(query).__name__)
def test_any_reply_of_redis_is_the_right_type_or_a_gap(query: Query, raw: object) -> None:
    answer = reply(query, raw)
    right = (int, float, frozenset, tuple, KeysFound, MessageHead, RedisServer, TaskMetaSeen, StoredResultSeen, RedbeatEntry)
    assert isinstance(answer, (Gap, *right))


@pytest.mark.parametrize(("query", "raw"), [(query, raw) for query, (raw, _) in RIGHT.items()], ids=lambda v: type(v).__name__)
def test_the_right_reply_is_read(query: Query, raw: object) -> None:
    assert reply(query, raw) == RIGHT[query][1]


@pytest.mark.parametrize("query", [q for q in REDIS if not isinstance(q, OldestMessage)], ids=lambda query: type(query).__name__)
def test_a_reply_of_another_type_says_what_was_expected(query: Query) -> None:
    answer = reply(query, object())
    assert isinstance(answer, Gap)
    assert answer.reason.startswith("redis: expected")


@pytest.mark.parametrize(
    ("message", "head"),
    [
        (None, (None, None, None, None, None, True)),
        (b"not json", (None, None)),
        (b'{"headers": null}', (None, None)),
        (b'{"headers": {"id": 3, "published_at": "soon"}}', (None, None)),
        (b'{"headers": {"id": "i", "enqueued_at": "7.5"}}', ("i", 7.5)),
        (b'{"headers": {"id": "i", "published_at": 8, "enqueued_at": 7}}', ("i", 8.0)),
        (b"[" * 10_000, (None, None)),
        (b'{"headers": {"id": "i", "task": "shop.a", "origin": "gen7@web"}}', ("i", None, "shop.a", "gen7@web")),
        (b'{"headers": {"id": "i", "task": "shop.a", "shadow": "nightly"}}', ("i", None, "nightly")),
        (b'{"headers": {"id": "i", "task": "shop.a", "shadow": null}}', ("i", None, "shop.a")),
        (b'{"headers": {"id": "i", "task": "%s", "origin": 7}}' % (b"x" * 501), ("i", None)),
        (b'{"headers": {"id": "i", "eta": "1970-01-01T00:01:00+00:00"}}', ("i", None, None, None, 60.0)),
        (b'{"headers": {"id": "i", "eta": "1970-01-01T00:01:00"}}', ("i", None, None, None, 60.0)),
        (b'{"headers": {"id": "i", "eta": "soon"}}', ("i", None)),
        (b'{"headers": {"id": "i", "eta": "0001-01-01T00:00:00+14:00"}}', ("i", None, None, None, -62135647200.0)),
    ],
)
def test_the_head_of_a_message_is_read_leniently(message: bytes | None, head: tuple[Any, ...]) -> None:
    assert reply(OldestMessage("k"), message) == MessageHead(*head)


ERRORS: dict[str, tuple[Exception, str]] = {
    "denied command": (redis_errors.NoPermissionError("this user has no permissions to run the 'llen' command"), "denies the command"),
    "denied key": (redis_errors.NoPermissionError("No permissions to access a key"), "denies the key"),
    "wrong type": (redis_errors.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), "found another type"),
    "moved": (redis_errors.MovedError("866 10.0.0.1:6379"), "Redis Cluster"),
    "cluster down": (redis_errors.ClusterDownError("Hash slot not served"), "Redis Cluster"),
    "master down": (redis_errors.MasterDownError("Link with MASTER is down"), "lost its master"),
    "read only": (redis_errors.ReadOnlyError("You can't write against a read only replica."), "READONLY"),
    "unknown": (redis_errors.ResponseError("unknown command 'LLEN', with args beginning with: 'k' "), "renamed"),
    "other": (redis_errors.ResponseError("BUSY script"), "BUSY"),
}


@pytest.mark.parametrize(("error", "says"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("query", [ListLengths(("k",)), OldestMessage("k"), ScanKeys(0, "k", 1)], ids=lambda query: type(query).__name__)
def test_each_refusal_of_redis_has_its_sentence(query: Query, error: Exception, says: str) -> None:
    assert says in denied(query, error)


def test_a_denial_names_the_command_or_the_key() -> None:
    assert "LLEN" in denied(ListLengths(("orders",)), ERRORS["denied command"][0])
    assert '"orders"' in denied(ListLengths(("orders",)), ERRORS["denied key"][0])


@pytest.mark.parametrize("query", REDIS, ids=lambda query: type(query).__name__)
def test_only_commands_that_read_are_ever_sent(query: Query) -> None:
    assert command(query)[0] in READING


@given(st.text())
def test_a_key_of_any_characters_is_packed_by_its_length_in_bytes(key: str) -> None:
    encoded = key.encode()
    assert packed(ListLengths((key,))) == b"*2\r\n$4\r\nLLEN\r\n$%d\r\n%b\r\n" % (len(encoded), encoded)


@pytest.mark.parametrize("cursor", [b"inf", b"1.5", b"-1", b"nan", b""])
def test_a_cursor_that_is_no_whole_number_is_a_gap(cursor: bytes) -> None:
    assert isinstance(reply(ScanKeys(0, "*", 100), [cursor, [b"a"]]), Gap)


def test_names_that_nobody_could_have_given_are_left_out() -> None:
    """A megabyte: Celery and AMQP end at 255 bytes."""
    endless = b"m" * 1_000_000
    assert reply(SetMembers(("k",)), [b"a", endless]) == frozenset({"a"})
    assert reply(ScanKeys(0, "*", 1), [b"0", [endless, b"a"]]) == KeysFound(0, ("a",))

    def answer(request: httpx.Request) -> httpx.Response:
        by_path = {
            "/healthcheck": b"OK",
            "/api/workers": b'{"w": %(w)b, "M": %(w)b}' % {b"w": b"true" if "status" in str(request.url) else b'{"timestamp": 1}'},
            "/": b'{"data": [{"hostname": "w", "status": true}, {"hostname": "M", "status": true}]}',
            "/api/queues/length": b'{"active_queues": [{"name": "w", "messages": 1}, {"name": "M", "messages": 1}]}',
        }
        return httpx.Response(200, content=by_path[request.url.path].replace(b"M", endless))

    source = flower(answer)
    for query in (WorkerStatus(), WorkerHeartbeats(), Inspected(), QueueLengths()):
        found = source.ask([query]).replies[query]
        assert isinstance(found, dict)
        assert list(found) == ["w"]
