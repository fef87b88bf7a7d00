"""Proof: whatever comes in is read, refused or left out; nothing of it does anything, to watchdog or to who reads what it writes.

`make proof-hostile`, `COUNT=5000` for more examples each. Three parts: every parser against Hypothesis; hostile names through a real
Redis, a real daemon and every way out; and rules that would exhaust a machine, in children that may not.
"""

import json
import re
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.processes.cluster import Cluster
from tests.processes.running import COMMAND, environment, running, watchdog_process
from tests.proofs.hostile_texts import NAMES, documents, painting, texts
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.tcp_server import TcpServer, says
from tests.servers.waiting import until
from watchdog.config.load import ConfigError, load_settings
from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.expectations import read_expectation
from watchdog.core.model.queries import Ping, Query, ReadServer
from watchdog.core.model.replies import Pong
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import Target, matches
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.templates import check_template, render
from watchdog.core.sql.conditions import ConditionError, check_condition, check_select
from watchdog.core.sql.tables import SqlTables, StoppedError, schema_of
from watchdog.core.sql.tokens import with_real_numbers
from watchdog.core.text.durations import format_duration, parse_duration
from watchdog.polling.check import Checker
from watchdog.polling.poller import Poller
from watchdog.receivers.http.outcome import _retry_after_s
from watchdog.receivers.slack.settings import SlackSettings
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.sources.base import Answers
from watchdog.sources.flower.metrics import event_counters
from watchdog.sources.flower.source import FlowerSettings, FlowerSource
from watchdog.sources.redis.address import parse_address
from watchdog.sources.redis.commands import reply
from watchdog.sources.redis.source import RedisSettings, RedisSource
from watchdog.tables import TABLES

Figure = Callable[[str], None]
Count = Callable[[int], int]


def each(examples: int, strategy: st.SearchStrategy[Any], work: Callable[[Any], object]) -> None:
    """Hypothesis tries so many examples; none may raise what `work` lets through, nor take longer than two seconds."""

    @settings(deadline=2000, max_examples=examples, suppress_health_check=list(HealthCheck), database=None)
    @given(strategy)
    def tried(example: Any) -> None:
        work(example)

    tried()


def pieces(*words: str) -> st.SearchStrategy[str]:
    """Texts of these words and of anything."""
    return st.lists(st.sampled_from(words) | texts(5), max_size=15).map("".join)


# --- what people write ----------------------------------------------------------------------------------------------------

TOML = (
    "[[rule]]\n", 'name = "A"\n', 'from = "queues"\n', 'when = "length > :a"\n', "params = { a = 5 }\n", 'for = "5m"\n', "key = []\n",
    "[rule.labels]\n", "[[target]]\n", 'redis = "redis://u:hunter2@h:1/0"\n', "[[receiver]]\n", 'type = "webhook"\n', "url = ",
    '"http://h"\n',
    "[[override]]\n", 'match = { name = "*" }\n', "interval = ", '"1s"\n', "include = ", "[", "]", "{", "}", "=",
    ",", '"', "'''", '"""', "\\u",
    "${HOME}", "${file:/dev/null}", "${", "1e999", "nan", "2020-01-01", "a.b.c.", "\n",
)  # fmt: skip
SQL = (
    "length", "name", "consumers", " > ", " and ", "5", "'x'", "(", ")", ":a", " regexp ", " like ", " glob ", "case when ",
    " then ", " end",
    "coalesce(", ", ", "printf('%d', ", "json_extract(", " in (", "not ", " is null", "||", "-", "1e999", "replace(", "cast(",
    " as text)", "--", ";",
)  # fmt: skip
SELECTS = (
    *SQL,
    "select ",
    " from queues",
    " as breach",
    "name as queue",
    " join workers",
    " on 1",
    " group by 1",
    " order by 1",
    "with a as (",
    "*",
)
BOMBS = {
    "brackets": "a = " + "[" * 100_000,
    "dotted keys": ".".join("a" * 50_000) + " = 1",
    "inline tables": "a = " + "{a=" * 20_000,
    "digits": "a = " + "9" * 1_000_000,
    "a text without end": 'a = "' + "x" * 1_000_000,
    "tables": "[[rule]]\n" * 20_000,
    "keys": "".join(f"a{number} = 1\n" for number in range(20_000)),
    "quotes": "a = " + '"' * 100_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_rule_file_that_is_made_to_be_read_for_ever_is_read_soon(text: str) -> None:
    began = time.process_time()
    read_rules({"a.toml": text}, TABLES)
    assert time.process_time() - began < 10


def test_every_rule_file_is_rules_or_faults(count: Count) -> None:
    def read(text: str) -> None:
        _, faults, _ = read_rules({"a.toml": text}, TABLES)
        assert all(fault.file == "a.toml" for fault in faults)

    each(count(200), pieces(*TOML), read)


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_configuration_that_is_made_to_be_read_for_ever_is_refused_soon(text: str, tmp_path: Path) -> None:
    path = tmp_path / "watchdog.toml"
    path.write_text(text)
    began = time.process_time()
    with pytest.raises(ConfigError):
        load_settings(config=path, environ={}, flags={}, cwd=tmp_path)
    assert time.process_time() - began < 10


def test_every_configuration_is_settings_or_faults_and_no_fault_tells_a_secret(count: Count, tmp_path: Path) -> None:
    path = tmp_path / "watchdog.toml"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        try:
            load_settings(config=path, environ={}, flags={}, cwd=tmp_path)
        except ConfigError as error:
            refused = str(error)
        else:
            return
        assert refused
        assert "hunter2" not in refused

    each(count(200), pieces(*TOML).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=100), read)


def test_every_duration_is_seconds_or_a_fault(count: Count) -> None:
    def read(given: Any) -> None:
        with suppress(ValueError):
            assert 0 <= parse_duration(given) <= 36525 * 86400
        if isinstance(given, float):
            format_duration(given)

    each(count(500), pieces("1", "30", ".", "s", "ms", "h", "w", " ", "9" * 400) | st.floats() | st.integers() | st.booleans(), read)


def test_every_url_is_an_address_or_a_fault(count: Count) -> None:
    parts = pieces(
        "redis",
        "rediss",
        "unix",
        "http",
        "https",
        "://",
        "user:hunter2@",
        "host",
        "[",
        "::1",
        "]",
        ":",
        "6379",
        "/",
        "0",
        "?db=",
        "#",
        "%",
        "@",
    )

    def read(url: str) -> None:
        for make in (
            parse_address,
            lambda url: RedisSettings(url=url).masked_url(),
            lambda url: FlowerSettings(url=url).masked_url(),
            lambda url: WebhookSettings(name="a", type="webhook", url=url).attempt().longest_s,
            lambda url: SlackSettings(name="a", type="slack", url=url).attempt().longest_s,
        ):
            refused = ""
            try:
                make(url)
            except ValueError as error:  # pydantic's ValidationError is one
                refused = str(error)
            assert "hunter2" not in refused

    each(count(500), parts, read)


def test_every_glob_matches_or_does_not_and_soon(count: Count) -> None:
    globs = st.lists(st.sampled_from(["*", "?", "[a-z]", "[!", "]", "a", "*a*a*a*a*a*b", "**"]) | texts(3), max_size=40).map("".join)
    each(count(300), globs, lambda glob: matches("a" * 5000, (glob,)))


def test_every_expectation_is_one_or_faults(count: Count) -> None:
    def read(text: str) -> None:
        with suppress(ConditionError):
            read_expectation(TABLES, text)

    each(count(300), pieces("cluster", "queues", ": ", *SELECTS), read)


def test_every_condition_that_is_taken_can_be_asked(count: Count) -> None:
    tables = SqlTables(schema_of(TABLES), stopwatch=time.monotonic)
    width = len(TABLES["queues"].columns)
    tables.fill(
        "queues", list(schema_of(TABLES)["queues"]), [(number, f"q{number}", *[float(number)] * (width - 1)) for number in range(30)]
    )

    def ask(text: str) -> None:
        with suppress(ConditionError, StoppedError):
            check_condition(TABLES, "queues", text, {"a": 5.0})
            tables.run(f"SELECT ({with_real_numbers(text)}) FROM queues", {"a": 5.0}, 100)
        with suppress(ConditionError, StoppedError):
            check_select(TABLES, text)
            tables.run(with_real_numbers(text), {}, 100)

    each(count(500), pieces(*SQL) | pieces(*SELECTS), ask)


TEMPLATE_BOMBS = [
    "{% for a in name %}x{% endfor %}", "{% for a in range(10**9) %}x{% endfor %}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ 'a' * 10**9 }}", "{{ name * 9999999 }}", "{{ name | center(10**9) }}", "{{ name | replace('a', 'aaaa') }}",
    "{{ length ** length }}",
    "{{ name.join(name) }}", "{{ name.__class__.__mro__ }}", "{{ ''['__class__'] }}", "{{ cycler }}", "{{ self }}", "{{ lipsum(10**6) }}",
    "{% set a = name %}{{ a ~ a }}", "{% include '/etc/passwd' %}", "{% import '/etc/passwd' as p %}", "{{ [name] * 10**9 }}",
    "{{ 9 ** 9 ** 9 }}", "{% call name() %}{% endcall %}", "{{ name | format(1) }}", "{{ '%1000000000d' % 1 }}", "{% raw %}" * 3000,
    "{% if name %}" * 3000, "{{" * 4000, "(" * 5000, "{{ " + "not " * 3000 + "name }}", "{{ " + "(" * 4000 + "name" + ")" * 4000 + " }}",
]  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATE_BOMBS, ids=lambda template: template[:40])
def test_a_template_cannot_loop_call_or_grow(template: str) -> None:
    began = time.process_time()
    fine = not check_template(template, ("name", "length")).faults
    if fine:
        assert len(render(template, {"name": "n" * 10**6, "length": 1e9}, {})) <= 2000
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "template", ["{{ name }}" * 900, "{% if length > 1 %}" * 20 + "{{ name }}" + "{% endif %}" * 20], ids=["long", "deep"]
)
def test_the_largest_template_is_rendered_soon_and_cut(template: str) -> None:
    assert not check_template(template, ("name", "length")).faults
    began = time.process_time()
    assert len(render(template, {"name": "n" * 10**6, "length": 60.0}, {})) <= 2000
    assert time.process_time() - began < 2


# --- what servers answer --------------------------------------------------------------------------------------------------

DOCUMENTS = documents()
STATUSES = st.dictionaries(texts(), st.booleans(), max_size=3)
AGAIN = pieces(
    "Wed, 21 Oct 2026 07:28:00 GMT",
    "Wed, ",
    "21",
    " Oct ",
    "9999",
    "0001",
    " 23:59:59",
    " +9999",
    " GMT",
    "120",
    ".5",
    "-1",
    "1e9",
    ":",
    "inf",
)
METRICS = pieces(
    "# TYPE flower_events_total counter\n", "flower_events_total{", 'worker="w"', 'task="t"', 'type="task-failed"', ",", "} ",
    "1.0", "nan", "1e999",
    "\n", '\\"', "process_start_time_seconds 5\n", "# TYPE process_start_time_seconds gauge\n", "{", '"',
)  # fmt: skip
INFO = pieces(
    "redis_version:", "7.2.4", "\r\n", "used_memory:", "maxmemory:", "1e400", "-5", "nan", "connected_clients:", "role:master",
    "master_link_status:",
    "cluster_enabled:1", "run_id:", "rdb_last_bgsave_status:", ":", "# Server", "9" * 400,
)  # fmt: skip
RESP = st.lists(
    st.sampled_from([b"*2\r\n", b"*-1\r\n", b"*9999999\r\n", b"$5\r\nhello\r\n", b"$-1\r\n", b"$999999999\r\n", b":1\r\n",
    b":x\r\n", b"+PONG\r\n",
                     b"-ERR no\r\n", b"-NOAUTH x\r\n", b"%1\r\n", b"~2\r\n", b"*1\r\n" * 500, b"\r\n", b">2\r\n"]) | st.binary(max_size=10),
    max_size=8,
).map(b"".join)  # fmt: skip
REPLIES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | DOCUMENTS.map(lambda made: json.dumps(made).encode()) | st.binary(max_size=20) | INFO.map(
        lambda text: text.encode("utf-8", "replace")
    ) | st.sampled_from([b"PONG", b"0", b"inf", b"1700000000.5"]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def test_every_retry_after_is_seconds_or_nothing(count: Count) -> None:
    def read(header: str) -> None:
        pause = _retry_after_s(header, 1.8e9)
        assert pause is None or pause >= 0

    each(count(500), AGAIN, read)


def test_every_text_of_metrics_is_counters_or_a_gap(count: Count) -> None:
    each(count(300), METRICS, lambda text: event_counters(text.encode("utf-8", "replace")))


@pytest.mark.parametrize(
    "line", [b'worker="' + b"\\" * 2_000_000, b"a" * 2_000_000, b'a="b",' * 400_000], ids=["escapes", "a word", "labels"]
)
def test_metrics_that_are_made_to_be_read_for_ever_are_read_soon(line: bytes) -> None:
    began = time.process_time()
    event_counters(b"# TYPE flower_events_total counter\nflower_events_total{" + line + b"} 1.0\n")
    assert time.process_time() - began < 5


def test_whatever_bytes_come_from_redis_every_question_has_an_answer(count: Count) -> None:
    queries: list[Query] = [Ping(), ReadServer()]
    wire = [b""]

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        says(wire[0])(connection, closing)

    with TcpServer(converse) as server:

        def ask(answer: bytes) -> None:
            wire[0] = answer
            source = RedisSource(RedisSettings.model_validate({"url": f"redis://127.0.0.1:{server.port}", "timeout": "0.2s"}))
            assert set(source.ask(queries).replies) == set(queries)
            source.close()

        each(count(50), RESP, ask)


class AnyRedis:
    """A source that gives these answers in turn; they are read as those of a real one."""

    name = "redis"
    longest_s = 1.0

    def __init__(self, replies: list[Any]) -> None:
        self._next = cycle(replies)

    def ask(self, queries: Any) -> Answers:
        return Answers({q: Pong(1.0) if isinstance(q, Ping) else reply(q, next(self._next)) for q in queries}, 1.0)

    def close(self) -> None:
        """Nothing is open."""


def any_flower(statuses: dict[str, bool], metrics: str, answers: list[Any]) -> FlowerSource:
    """A Flower that is up, and gives these answers in turn."""
    bodies = cycle([json.dumps(answer) for answer in answers])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/healthcheck":
            return httpx.Response(200, content=b"OK")
        if "status=true" in str(request.url):
            return httpx.Response(200, content=json.dumps(statuses))  # httpx's own JSON cannot hold half of a surrogate pair
        return httpx.Response(200, content=metrics.encode("utf-8", "replace") if "metrics" in request.url.path else next(bodies))

    return FlowerSource(FlowerSettings(url="http://flower.test"), transport=httpx.MockTransport(answer))


def test_whatever_flower_and_redis_answer_the_shipped_rules_are_judged_twice(count: Count) -> None:
    rules = rules_for(read_rule_book([], TABLES), "prod", TABLES)
    evaluator = Evaluator(TABLES, stopwatch=time.monotonic)
    target = Target("prod", frozenset({"flower", "redis"}), min_workers=1, expected_workers=("celery@*",))

    def look(given: tuple[dict[str, bool], str, list[Any], list[Any]]) -> None:
        statuses, metrics, answers, replies = given
        poller = Poller(target, {"redis": AnyRedis(replies), "flower": any_flower(statuses, metrics, answers)}, TABLES)
        now = iter([1.8e9, 1.8e9 + 10])
        checker = Checker([poller], TABLES, {"prod": rules}, (), lambda: evaluator, lambda: next(now))
        for _ in range(2):
            assert all(not painting(firing.summary) for firing in checker.check(Severity.WARNING).firing)
        poller.close()

    some = st.tuples(STATUSES, METRICS, st.lists(DOCUMENTS, min_size=1, max_size=4), st.lists(REPLIES, min_size=1, max_size=4))
    each(count(30), some, look)


# --- what people read -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile_redis(redis_server: Cluster) -> Cluster:
    """A broker on which every hostile name is a queue that fires."""
    with redis.Redis.from_url(redis_server.redis_url) as client:
        for name in NAMES.values():
            client.sadd("_kombu.binding.celery", f"{name}\x06\x16\x06\x16{name}")
            client.rpush(name, *["{}"] * 60)
    return redis_server


RECEIVER = '[[receiver]]\nname = "{name}"\ntype = "{type}"\n{more}\n'


def write_config(folder: Path, redis_url: str, hook: str, slack: str) -> None:
    text = f'interval = "0.5s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "{redis_url}"\n'
    text += RECEIVER.format(name="hook", type="webhook", more=f'url = "{hook}"')
    text += RECEIVER.format(name="team", type="slack", more=f'url = "{slack}"')
    text += RECEIVER.format(name="lines", type="console", more="")
    text += RECEIVER.format(name="documents", type="console", more='format = "json"')
    (folder / "watchdog.toml").write_text(text + '[[override]]\nrule = "*"\nfor = "0s"\n')


SHORT = {name for name in NAMES.values() if len(name) < 500}


def test_no_way_out_lets_a_name_do_anything(hostile_redis: Cluster, receiver: RecordingReceiver, tmp_path: Path, figure: Figure) -> None:
    largest: dict[str, int] = {}

    def shown(way: str, text: str) -> str:
        largest[way] = len(text.encode())
        assert painting(text) == set(), way
        assert "m" * 501 not in text, f"{way}: a name of a megabyte"
        return text

    with RecordingReceiver(Answer(body=b"ok")) as slack:
        write_config(tmp_path, hostile_redis.redis_url, receiver.url, slack.url)
        looked = {
            way: watchdog_process("check", "--once", "--format", way, cwd=tmp_path) for way in ("text", "json", "junit", "github", "nagios")
        }
        assert {way: shown(f"check {way}", done.stdout + done.stderr) != "" and done.returncode for way, done in looked.items()} == {
            "text": 1, "json": 1, "junit": 1, "github": 1, "nagios": 1,
        }  # fmt: skip
        for ways in (["query", "SELECT * FROM queues"], ["query", "--format", "csv", "SELECT name FROM queues"]):
            shown(" ".join(ways[:3]), watchdog_process(*ways, cwd=tmp_path).stdout)
        with running(tmp_path) as daemon:
            until(
                lambda: receiver.requests and slack.requests and daemon.text.count("message_delivered") >= 4,
                30,
                "all notifications",
            )
            listed = shown("incidents", watchdog_process("incidents", cwd=tmp_path).stdout)
            as_json = shown("incidents json", watchdog_process("incidents", "--format", "json", cwd=tmp_path).stdout)
            one = json.loads(as_json)["incidents"][0]["id"]
            shown("incidents show", watchdog_process("incidents", "show", one, cwd=tmp_path).stdout)
            assert daemon.end() == 0
        log = shown("log and console", daemon.text)
    told = json.loads(shown("webhook", receiver.requests[0].body.decode()))["data"]["incidents"]
    said = shown("slack", slack.requests[0].body.decode())

    assert {name for i in told for name in i["key"].values()} >= {name.encode("utf-8", "replace").decode() for name in SHORT}
    assert len(listed.splitlines()) == len(told) + 2
    assert not re.search(r"(^|\n)level=error event=forged", log)
    _github_says_only_what_was_meant(looked["github"].stdout)
    ET.fromstring(looked["junit"].stdout)
    first, *below = looked["nagios"].stdout.splitlines()
    assert first.count("|") == 1
    assert not any("|" in line for line in below)
    assert "<!channel>" not in said
    assert "<@U024BE7LH>" not in said
    assert json.loads(said)
    widest = max(largest, key=largest.__getitem__)
    widest = max(largest, key=largest.__getitem__)
    figure(f"hostile names: {len(NAMES)}, one of 1,000,000 characters; the longest text shown: {largest[widest]:,} bytes ({widest})")


def _github_says_only_what_was_meant(text: str) -> None:
    commands = [line for line in text.splitlines() if line.startswith("::")]
    assert all(re.fullmatch(r"::(error|warning|notice) title=[^:,]*::[^\r\n]*", line) for line in commands)
    assert not any(re.match(r"::error::", line) for line in commands)
    assert not any("##[" in line for line in text.splitlines() if line not in commands)


# --- what rules could do --------------------------------------------------------------------------------------------------

NOT_LOADED = {
    "attach": "ATTACH '/tmp/x' AS x",
    "writing": "DELETE FROM queues",
    "a pragma": "PRAGMA temp_store_directory = '/tmp'",
    "a pragma's function": "SELECT name AS queue, 1 AS breach FROM pragma_database_list",
    "the schema": "SELECT name AS queue, 1 AS breach FROM sqlite_master",
    "an extension": "SELECT load_extension('/tmp/x.so') AS queue, 1 AS breach",
    "a file": "SELECT readfile('/etc/passwd') AS queue, 1 AS breach",
    "writing a file": "SELECT writefile('/tmp/x', 'x') AS queue, 1 AS breach",
    "an editor": "SELECT edit('x') AS queue, 1 AS breach",
    "a tokenizer": "SELECT fts3_tokenizer('simple') AS queue, 1 AS breach",
    "VACUUM INTO": "VACUUM INTO '/tmp/x'",
    "a recursive table": "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT x AS queue, 1 AS breach FROM a",
    "a random blob": "SELECT randomblob(1000000000) AS queue, 1 AS breach",
    "a blob of zeros": "SELECT zeroblob(1000000000) AS queue, 1 AS breach",
    "generated rows": "SELECT value AS queue, 1 AS breach FROM generate_series(1, 1000000000)",
    "the rows of a document": "SELECT value AS queue, 1 AS breach FROM json_each('[1]')",
    "a table in memory": "SELECT * FROM sqlite_stmt",
    "two statements": "SELECT 1 AS queue, 1 AS breach; DROP TABLE queues",
    "deep brackets": "SELECT " + "(" * 5000 + "1" + ")" * 5000 + " AS queue, 1 AS breach",
    "a long sum": "SELECT " + "+".join(["1"] * 15_000) + " AS queue, 1 AS breach",
    "a literal of a megabyte": "SELECT '" + "x" * 1_000_000 + "' AS queue, 1 AS breach",
    "many unions": " UNION ALL ".join(["SELECT 1 AS queue, 1 AS breach"] * 500),
}
"""What it is -> a query of a rule that may not be loaded."""

QUEUES = {number: ", ".join(f"queues {name}" for name in "abcdef"[:number]) for number in range(2, 7)}

STOPPED = {
    "a printf of a thousand million": "SELECT printf('%1000000000d', length) || name AS queue, 1 AS breach FROM queues WHERE length > "
    "1e9",
    "a join of a join": f"SELECT count(*) AS queue, 1 AS breach FROM {QUEUES[6]}",
    "sorting": f"SELECT a.name AS queue, 1 AS breach FROM {QUEUES[3]} ORDER BY printf('%0190000d', a.length + b.length)",
    "many long answers": f"SELECT printf('%0190000d', a.length) || b.name AS queue, 1 AS breach FROM {QUEUES[3]}",
    "different long texts": "SELECT count(DISTINCT printf('%0190000d', a.length) || b.name || c.name) AS queue, 1 AS breach FROM "
    f"{QUEUES[3]}",
    "a growing text": "SELECT replace(printf('%0190000d', length), '0', '00000000') AS queue, 1 AS breach FROM queues",
    "collecting": f"SELECT group_concat(printf('%0190000d', a.length)) AS queue, 1 AS breach FROM {QUEUES[2]}",
    "collecting JSON": f"SELECT json_group_array(printf('%0190000d', a.length)) AS queue, 1 AS breach FROM {QUEUES[2]}",
    "collecting in windows": "SELECT group_concat(printf('%09000d', a.length)) OVER (ORDER BY a.name, b.name) AS queue, 1 AS "
    f"breach FROM {QUEUES[2]}",
    "hexadecimals": "SELECT hex(hex(hex(printf('%090000d', length)))) AS queue, 1 AS breach FROM queues",
    "deep JSON": "SELECT json(printf('%.*c', 90000, '[') || printf('%.*c', 90000, ']')) AS queue, 1 AS breach FROM queues",
    "a pattern that goes back": f"SELECT name AS queue, name REGEXP '{'a?' * 26}aaaaaaaaaaaaaaaaab' AS breach FROM queues",
    "many comparisons": "SELECT count(*) AS queue, sum(printf('%.*c', 190000, a.name) LIKE '%' || printf('%.*c', 90, b.name) "
    f"|| '!') AS breach FROM {QUEUES[4]}",
    "trimming": "SELECT count(trim(printf('%0100000d', a.length), hex(printf('%050000d', b.length)) || 'z')) AS "
    f"queue, 1 AS breach FROM {QUEUES[3]}",
    "searching": "SELECT sum(instr(printf('%0100000d', a.length), printf('%050000d', b.length) || '1')) AS queue, 1 "
    f"AS breach FROM {QUEUES[3]}",
}  # fmt: skip
"""What it is -> a query that may be loaded, and must be stopped or bounded while it runs. 30 queues: `a, b, c` are 27,000 rows."""

MOST_MB = 450
"""What the whole process may hold: itself (60), SQLite's most (256), an answer's most, and Python's copies of it."""
MOST_S_EACH = 20.0
"""CPU: five seconds by the clock, and what the last step costs."""


def rule_file(path: Path, query: str) -> Path:
    path.write_text(f'[[rule]]\nname = "Bomb"\nkey = ["queue"]\nquery = {json.dumps(query)}\nsummary = "x"\n')
    return path


@pytest.mark.parametrize("query", NOT_LOADED.values(), ids=NOT_LOADED)
def test_a_rule_that_reaches_out_is_not_loaded(query: str, tmp_path: Path) -> None:
    text = rule_file(tmp_path / "a.toml", query).read_text()
    began = time.process_time()
    rules, faults, _ = read_rules({"a.toml": text}, TABLES)
    assert not rules
    assert faults
    assert time.process_time() - began < 5


@pytest.fixture(scope="module")
def thirty_queues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a configuration of thirty queues on a Redis of its own."""
    folder = tmp_path_factory.mktemp("thirty")
    with Cluster() as cluster:
        cluster.start_redis()
        with redis.Redis.from_url(cluster.redis_url) as client:
            for number in range(30):
                client.rpush(f"q{number:02}", *["{}"] * (number + 1))
        names = json.dumps([f"q{number:02}" for number in range(30)])
        config = f'shipped_rules = false\n[[target]]\nname = "prod"\nredis = {{ url = "{cluster.redis_url}", queues = {names} }}\n'
        (folder / "watchdog.toml").write_text(config)
        yield folder


def limited() -> None:
    """In the child: so much memory and no more, whatever it is; and no file larger than a megabyte."""
    resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024**2, 1024**2))


@pytest.mark.alone
def test_a_rule_that_would_exhaust_the_machine_is_stopped(thirty_queues: Path, figure: Figure) -> None:
    worst_s, worst_mb = 0.0, 0.0
    for what, query in STOPPED.items():
        rules = rule_file(thirty_queues / "bomb.toml", query)
        command = [*COMMAND, "check", "--once", "--format", "json", "--rules", str(rules)]
        before = _children_s()
        child = subprocess.Popen(
            command,
            cwd=thirty_queues,
            env=environment(thirty_queues, {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limited,  # noqa: PLW1509 - it only sets limits
        )
        peak = _peak_mb(child)
        out, err = child.communicate(timeout=120)
        took = _children_s() - before
        assert child.returncode in (0, 1, 3), (what, err.decode())
        assert b"Traceback" not in err, what
        assert json.loads(out)["rules"] == 1
        assert took < MOST_S_EACH, (what, took)
        assert peak() < MOST_MB, (what, peak())
        worst_s, worst_mb = max(worst_s, took), max(worst_mb, peak())
    figure(f"hostile rules: {len(NOT_LOADED)} not loaded, {len(STOPPED)} run; most CPU {worst_s:.1f}s, most memory {worst_mb:.0f} MB")


def _children_s() -> float:
    """CPU time of all children so far: unlike the time that passes, it is the same on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mb(child: "subprocess.Popen[bytes]") -> Callable[[], float]:
    """What it holds at most, as the kernel counts (asked again and again until it ends)."""
    seen = [0.0]

    def look() -> None:
        while child.poll() is None:
            with suppress(OSError, IndexError):
                status = Path(f"/proc/{child.pid}/status").read_text()
                seen[0] = max(seen[0], int(status.split("VmHWM:")[1].split()[0]) / 1024)
            time.sleep(0.02)

    thread = threading.Thread(target=look)
    thread.start()

    def peak() -> float:
        thread.join()
        return seen[0]

    return peak
