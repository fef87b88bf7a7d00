"""No secret gets out: a configuration full of marked ones, every command, and servers and libraries that reveal all they know.

Every place where the configuration takes a secret holds the mark. It must be nowhere in what is printed, logged, kept or sent to people.
"""

import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import environment, running, watchdog_process
from tests.servers.certificates import make_certificates
from tests.servers.forward_proxy import ForwardProxy
from tests.servers.receiver import Answer, RecordingReceiver, Request
from tests.servers.smtp import SmtpServer
from tests.servers.tcp_server import TcpServer
from tests.servers.waiting import until
from watchdog.demo.processes import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
MARK = "s3cr3tM4RK"
Run = Callable[..., subprocess.CompletedProcess[str]]
OPEN = ("watchdog.toml", "broken.toml", "passw0rd", "rules.toml", "token")
"""What the user wrote, mark and all."""


def mark(place: str) -> str:
    return f"{MARK}-{place}"


def basic(user: str, place: str) -> bytes:
    """What a header makes of user and password; the part that does not depend on what follows."""
    return base64.b64encode(f"{user}:{mark(place)}".encode())[:-4]


class Echo(RecordingReceiver):
    """Answers every request with all that it received."""

    def take(self, request: Request) -> Answer:
        answer = super().take(request)
        told = f"{request.path} {json.dumps(dict(request.headers))} ".encode() + request.body
        return Answer(answer.status, answer.headers, told)


def repeats(connection: object, _closing: object) -> None:
    """A Redis whose refusal repeats the request."""
    said: bytes = connection.recv(65536)  # type: ignore[attr-defined]
    connection.sendall(b"-WRONGPASS " + said.replace(b"\r\n", b" ") + b"\r\n")  # type: ignore[attr-defined]


REDIRECT = Answer(302, {"location": f"https://login.example.com/{mark('location')}/x?token={mark('location')}"})


class Stage:
    """The servers, the folder with the configuration, and all that was printed."""

    def __init__(self, folder: Path, redis_port: int, stack: ExitStack) -> None:
        self.folder, self.printed = folder, b""
        self.echo = stack.enter_context(Echo(Answer(500)))
        self.slack = stack.enter_context(Echo(Answer(200)))
        self.endpoint = stack.enter_context(Echo(Answer(400)))
        self.pagerduty = stack.enter_context(Echo(Answer(400)))
        self.redirects = stack.enter_context(RecordingReceiver(REDIRECT))
        self.proxy = stack.enter_context(ForwardProxy(refuses=407))
        self.redis = stack.enter_context(TcpServer(repeats))
        self.mail = stack.enter_context(SmtpServer(login=("ann", "an0ther-password")))  # its refusal repeats what it was given
        certificates = make_certificates(folder)
        self.secure = stack.enter_context(RecordingReceiver(context=certificates.server_context()))
        (folder / "passw0rd").write_text(mark("file"))
        (folder / "token").write_text(mark("token-file"))
        self.environ = {
            "SLACK_PATH": mark("variable"),
            "HTTPS_PROXY": f"http://ann:{mark('environment')}@127.0.0.1:{self.proxy.port}",
        }
        (folder / "watchdog.toml").write_text(self.config(redis_port))

    def config(self, redis_port: int) -> str:
        echo, proxy = f"127.0.0.1:{self.echo.port}", f"http://ann:{mark('proxy')}@127.0.0.1:{self.proxy.port}"
        slack, closed = f"127.0.0.1:{self.slack.port}", free_port()
        return f"""
interval = "0.5s"
database = "watchdog.db"
log_level = "debug"
heartbeat.url = "http://ann:{mark("beat")}@{echo}/{mark("beat-path")}?k={mark("beat-query")}"
heartbeat.every = "1s"
heartbeat.headers = {{ X = "{mark("beat-header")}" }}

[[target]]
name = "repeats"
flower.url = "http://{echo}"
flower.username = "ann"
flower.password = "{mark("flower")}"
flower.headers = {{ X-Token = "Bearer {mark("flower-header")}" }}
redis = "redis://:{mark("redis")}@127.0.0.1:{self.redis.port}/0"
results = "redis://:{mark("results")}@127.0.0.1:{closed}/0"

[[target]]
name = "refuses"
flower = "http://ann:{mark("flower-url")}@127.0.0.1:{self.redirects.port}"
redis = "redis://:{mark("real-redis")}@127.0.0.1:{redis_port}/0"

[[target]]
name = "tls"
flower = {{ url = "https://ann:${{file:passw0rd}}@127.0.0.1:{self.secure.port}" }}
redis = "rediss://ann:{mark("rediss")}@{echo}/0"

[[target]]
name = "proxied"
flower = {{ url = "https://flower.example", password = "{mark("far-flower")}", proxy = "{proxy}" }}

[[target]]
name = "sentinels"
redis.url = "sentinel://:{mark("master")}@127.0.0.1:{self.redis.port}/mymaster/0"
redis.sentinel_password = "{mark("sentinel")}"

[[target]]
name = "token of a command"
flower = {{ url = "http://{echo}", token_command = ["echo", "{mark("token")}"], token_header = "X-Token" }}

[[target]]
name = "token of a failing command"
flower.url = "http://{echo}"
flower.token_command = ["sh", "-c", "echo $1; echo no $1 $2 >&2; exit 1", "sh", "{mark("said")}", "--key={mark("key")}"]

[[target]]
name = "token of a file"
flower = {{ url = "http://127.0.0.1:{self.redirects.port}", token_file = "token", token_cookie = "session" }}

[[target]]
name = "token of a grant"
flower.url = "http://{echo}"
flower.oauth.token_url = "http://127.0.0.1:{self.endpoint.port}/{mark("token-url")}"
flower.oauth.client_id = "wd"
flower.oauth.client_secret = "{mark("client")}"
flower.oauth.client_auth = "post"

[[receiver]]
name = "ops"
type = "webhook"
url = "http://ann:{mark("hook")}@{echo}/{mark("hook-path")}?key={mark("hook-query")}"
secret = "whsec_{MARK}{"A" * 30}"
headers = {{ Authorization = "Bearer {mark("hook-header")}" }}

[[receiver]]
name = "chat"
type = "slack"
url = "http://{slack}/services/${{SLACK_PATH}}"

[[receiver]]
name = "moved"
type = "webhook"
url = "http://127.0.0.1:{self.redirects.port}/{mark("moved")}"

[[receiver]]
name = "untrusted"
type = "webhook"
url = "https://127.0.0.1:{self.secure.port}/{mark("untrusted")}"

[[receiver]]
name = "refused"
type = "webhook"
url = "http://127.0.0.1:{closed}/{mark("refused")}"

[[receiver]]
name = "proxied"
type = "webhook"
url = "https://far.example/{mark("far")}"
proxy = "{proxy}"

[[receiver]]
name = "proxied-by-environment"
type = "slack"
url = "https://far.example/{mark("far-slack")}"

[[receiver]]
name = "oncall"
type = "pagerduty"
url = "http://127.0.0.1:{self.pagerduty.port}/{mark("pagerduty")}"
routing_key = "{MARK}{"A" * 22}"

[[alertmanager]]
url = "http://ann:{mark("alertmanager")}@{slack}"
headers = {{ X = "{mark("alertmanager-header")}" }}

[[receiver]]
name = "mail"
type = "email"
host = "127.0.0.1"
port = {self.mail.port}
security = "none"
username = "ann"
password = "{mark("mail")}"
from = "watchdog@example.com"
to = "ops@example.com"

[[override]]
rule = "*"
for = "0s"
keep_firing_for = "1s"
"""

    def run(self, *args: str, more: Mapping[str, str] | None = None, by: Run = watchdog) -> subprocess.CompletedProcess[str]:
        done = by(*args, cwd=self.folder, environ={**self.environ, **(more or {})})
        self.printed += f"\n--- {args}\n".replace(MARK, "").encode() + done.stdout.encode() + done.stderr.encode()
        assert "Traceback" not in done.stderr, done.stderr.replace(MARK, "MARK")
        return done

    def leaks(self) -> list[str]:
        """Where the mark is: a little of what is around it."""
        kept = {path.name: path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name not in OPEN}
        sent = {f"sent to {s.port}": b"\n".join(r.body for r in s.requests) for s in (self.echo, self.slack, self.redirects)}
        signs = [MARK.encode(), basic("ann", "flower"), basic("ann", "hook"), basic("ann", "proxy"), basic("", "far-flower")]
        return [
            f"{where}: …{content[max(at - 200, 0) : at + 60].decode('utf-8', 'replace')}…"
            for where, content in {"printed": self.printed, **kept, **sent}.items()
            for sign in signs
            if (at := content.find(sign)) >= 0
        ]


@pytest.fixture
def stage(tmp_path: Path, redis_server: Cluster) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path, redis_server.redis_port, stack)


def test_no_command_prints_a_secret(stage: Stage) -> None:
    for style in ("text", "json", "junit", "github", "nagios"):
        assert stage.run("check", "--once", "--format", style).returncode in {2, 3}
    stage.run("check", "--once", "--verbose", "--expect", "cluster: workers_online > 0", by=watchdog_process)
    stage.run("query", "SELECT * FROM sources")
    assert stage.run("task", "00000000-0000-0000-0000-000000000000").returncode == 3
    stage.run("config", "check")
    shown = stage.run("config", "show").stdout
    assert shown.count("***") > 20
    stage.run("rules", "list")
    stage.run("tables")
    tested = stage.run("receivers", "test", "--all", by=watchdog_process).stdout
    assert len(re.findall("^[a-z-]+: (not delivered|refused): ", tested, re.MULTILINE)) == 9
    stage.run("check", f"redis://ann:{mark('argument')}@localhost")
    stage.run("check", "--once", "--redis", f"redis://ann:{mark('flag')}@127.0.0.1:1/0")
    stage.run("check", "--once", "--redis", f"redis://ann:{mark('flag')}@127.0.0.1:1/zero")
    stage.run("check", "--once", more={"WATCHDOG_FLOWER": f"http://ann:{mark('variable')}@127.0.0.1:1"})
    stage.run("check", "--once", more={"WATCHDOG_FLOWER": f"ftp://ann:{mark('variable')}@127.0.0.1:1"})
    places = "--redis", f"redis://ann:{mark('flag')}@127.0.0.1:1/0", "--flower", f"http://ann:{mark('flag')}@127.0.0.1:1"
    stage.run("init", *places, "--output", "first.toml")
    assert stage.run("init", *places, "--output", "-").stdout == (stage.folder / "first.toml").read_text()
    stage.run("check", "--help", more={"WATCHDOG_REDIS": f"redis://ann:{mark('variable')}@h"})
    assert stage.leaks() == []


@pytest.mark.parametrize("style", ["logfmt", "console"])
def test_no_log_no_database_and_no_message_holds_a_secret(stage: Stage, style: str) -> None:
    with running(stage.folder, {**stage.environ, "WATCHDOG_LOG_FORMAT": style}) as daemon:
        daemon.wait_for("heartbeat_failed")
        for receiver in ("ops", "chat", "moved", "untrusted", "refused", "proxied", "proxied-by-environment", "oncall", "mail"):
            until(lambda name=receiver: any(name in line for line in _tried(daemon.text)), 30, f"an attempt at {receiver}")  # type: ignore[misc]
        config = stage.folder / "watchdog.toml"
        config.write_text(config.read_text().replace('type = "slack"', f'type = "{mark("type")}"', 1))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("reload_rejected")
        config.write_text(config.read_text().replace(f'type = "{mark("type")}"', 'type = "slack"', 1))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("configuration_reloaded", timeout=40)
        assert daemon.end() == 0
    listed = stage.run("incidents").stdout
    for incident in [word for word in listed.split() if len(word) == 26 and word.startswith("01")][:5]:
        stage.run("incidents", "show", incident)
    stage.run("outbox")
    assert stage.slack.requests
    assert stage.leaks() == []


def _tried(text: str) -> list[str]:
    return [line for line in text.splitlines() if "message_deferred" in line or "message_refused" in line]


WRONG = {
    "unclosed": f'[[target]]\nname = "a"\nredis = "redis://:{MARK}@h',
    "no equals": f'[[target]]\nname = "a"\nredis "redis://:{MARK}@h"',
    "scheme": f'[[target]]\nname = "a"\nredis = "ftp://:{MARK}@h"\nflower = "gopher://{MARK}"',
    "port": f'[[target]]\nname = "a"\nredis = "redis://h:{MARK}"\nflower = "http://h:{MARK}"',
    "database": f'[[target]]\nname = "a"\nredis = "redis://h/{MARK}"',
    "option": f'[[target]]\nname = "a"\nredis = "redis://h?{MARK}={MARK}"',
    "slash in password": f'[[target]]\nname = "a"\nredis = "redis://u:x/{MARK}@h"\nflower = "http://u:x/{MARK}@h"',
    "twice": f'[[target]]\nname = "a"\nflower = {{ url = "http://u:{MARK}@h", password = "{MARK}" }}',
    "types": f'[[target]]\nname = "a"\nredis = ["redis://:{MARK}@h"]\nflower = {{ url = 5, password = ["{MARK}"], timeout = "{MARK}" }}',
    "headers": f'[[target]]\nname = "a"\nflower = {{ url = "http://h", headers = {{ X = "{MARK}\\n" }} }}',
    "command": f'[[target]]\nname = "a"\nflower = {{ url = "http://h", token_command = "echo {MARK}" }}',
    "two tokens": f'[[target]]\nname = "a"\nflower = {{ url = "http://h", token_command = ["echo", "{MARK}"], token_file = "t" }}',
    "oauth": f'[[target]]\nname = "a"\nflower = {{ url = "http://h", oauth = {{ client_secret = "{MARK}", token_url = "{MARK}" }} }}',
    "unknown key": f'[[target]]\nname = "a"\nflower = {{ url = "http://h", pasword = "{MARK}" }}',
    "receiver": f'[[receiver]]\nname = "a"\ntype = "webhook"\nurl = "htp://{MARK}"\nsecret = "{MARK}!"\nheaders = {{ A = "{MARK}\\t" }}',
    "proxy": f'[[receiver]]\nname = "a"\ntype = "slack"\nurl = "http://h/{MARK}"\nproxy = "socks5://{MARK}"',
    "heartbeat": f'heartbeat = "{MARK}"\n[[target]]\nname = "a"\nredis = "redis://h"',
    "heartbeat table": f'heartbeat = {{ url = "https://h/{MARK}", fail_url = 5, every = "{MARK}", headers = "{MARK}" }}',
    "secret in place of a table": f'receiver = "{MARK}"\ntarget = ["{MARK}"]',
    "reference": '[[target]]\nname = "a"\nredis = "${PASSW}"\nflower = { url = "http://h", timeout = "${PASSW}" }',
}


def test_no_fault_of_a_configuration_tells_a_secret(stage: Stage) -> None:
    for text in WRONG.values():
        (stage.folder / "broken.toml").write_text(text)
        assert stage.run("config", "check", "broken.toml", more={"PASSW": MARK}).returncode == 2
    assert stage.run("run", "--config", "broken.toml", more={"PASSW": MARK}, by=watchdog_process).returncode == 2
    assert stage.leaks() == []


TRIP = """
import importlib, os, sys
module, _, path = sys.argv.pop(1).partition(":")
*owners, name = path.split(".")
owner = importlib.import_module(module)
for part in owners:
    owner = getattr(owner, part)
text = os.environ["SAYS"]
def trip(*args, **kwargs):
    secret_local = text
    raise RuntimeError(text)
setattr(owner, name, trip)
from watchdog.__main__ import main
main()
"""
SAYS = f"at http://ann:{mark('flower')}@host, " + " ".join(map(mark, ["hook-path", "redis", "variable", "file", "beat-path", "proxy"]))


def tripping(stage: Stage, place: str, *args: str) -> subprocess.Popen[bytes]:
    environ = environment(stage.folder, {**stage.environ, "SAYS": SAYS})
    command = [sys.executable, "-W", "error", "-c", TRIP, place, *args]
    log = (stage.folder / "tripping.log").open("ab")
    with log:
        return subprocess.Popen(command, cwd=stage.folder, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("place", "args"),
    [
        ("httpx:Request.__init__", ["check", "--once"]),
        ("httpx:Client.stream", ["receivers", "test", "--all"]),
        ("httpx:Response.__init__", ["check", "--once", "--verbose"]),
        ("httpx:Client.__init__", ["receivers", "test", "--all"]),
        ("redis.connection:AbstractConnection.connect", ["check", "--once", "--format", "json"]),
        ("watchdog.core.text.sanitize:one_line", ["receivers", "test", "--all"]),
        ("watchdog.config.load:_layered", ["config", "check"]),
        ("watchdog.config.load:sentences", ["config", "check", "broken.toml"]),
        ("watchdog.app.configured:read_rule_book", ["rules", "list"]),
        ("watchdog.config.show:to_toml", ["config", "show"]),
        ("sqlite3:connect", ["query", "SELECT 1 FROM sources"]),
    ],
)
def test_an_exception_that_tells_all_ends_a_command_in_a_sentence(stage: Stage, place: str, args: list[str]) -> None:
    (stage.folder / "broken.toml").write_text(WRONG["types"])
    process = tripping(stage, place, *args)
    assert process.wait(60) != 0
    text = (stage.folder / "tripping.log").read_text()
    assert text
    assert "Traceback" not in text
    assert stage.leaks() == []


@pytest.mark.parametrize(
    ("place", "event", "style"),
    [
        ("watchdog.daemon.cycle:read_tables", "cycle_crashed", "logfmt"),
        ("watchdog.daemon.beside.heartbeat:ping", "heartbeat_crashed", "json"),
        ("watchdog.receivers.webhook.receiver:encode", "rendering_crashed", "console"),
        ("httpx:Client.stream", "message_deferred", "logfmt"),
        ("watchdog.store.outbox.settling:settle", "outcome_not_written", "json"),
        ("watchdog.store.outbox.queue:next_due", "outbox_failed", "console"),
    ],
)
def test_the_daemons_tracebacks_hold_no_secret_and_tell_where_it_happened(stage: Stage, place: str, event: str, style: str) -> None:
    config = stage.folder / "watchdog.toml"
    config.write_text(f'log_format = "{style}"\n' + config.read_text())
    log = stage.folder / "tripping.log"
    process = tripping(stage, place, "run")
    try:
        until(lambda: event in log.read_text(), 40, f"{event} with {place}")
    finally:
        process.terminate()
        process.wait(40)
    text = log.read_text()
    assert not event.endswith("_crashed") or ("in trip" in text and "RuntimeError: at http://***" in text)
    assert stage.leaks() == []
