"""amtool and `watchdog silence` beside a running daemon: what one sets, the other sees and ends."""

import json
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from tests.processes.serving import UNREACHABLE, serving
from tests.servers.alertmanager import AMTOOL, amtool
from tests.servers.waiting import until

pytestmark = pytest.mark.skipif(AMTOOL is None, reason="no amtool on PATH (Debian: prometheus-alertmanager; make peers)")

TOKEN = "a-token-of-24-characters"
BROKER = "BrokerUnreachable"


def tool(url: str, home: Path, *args: str) -> str:
    done = amtool(url.replace("http://", f"http://ada:{TOKEN}@"), *args, home=home)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ours(folder: Path, *args: str) -> str:
    done = watchdog(*args, cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


CONFIG = f'{UNREACHABLE}[[override]]\nrule = "*"\nfor = "0s"\n[[receiver]]\nname = "ops"\ntype = "console"\n'


def test_silences_go_both_ways(tmp_path: Path) -> None:
    with serving(tmp_path, f'token = "{TOKEN}"\nalertmanager_api = true', more=CONFIG) as (_, url):
        until(lambda: BROKER in tool(url, tmp_path, "alert", "query", "--receiver=ops"), 30, f"{BROKER} to be an alert")

        named = tool(url, tmp_path, "silence", "add", BROKER, "target=~pro.", "--comment=moving it", "--author=root", "-d", "1h")
        (silence,) = json.loads(ours(tmp_path, "silence", "list", "--format", "json"))["silences"]
        assert (silence["id"], silence["author"], silence["comment"], len(silence["hides"])) == (named, "ada", "moving it", 1)
        assert named[:12] in ours(tmp_path, "incidents")
        assert BROKER not in tool(url, tmp_path, "alert", "query")
        assert BROKER in tool(url, tmp_path, "alert", "query", "--silenced")

        ours(tmp_path, "silence", "expire", named)
        assert named not in tool(url, tmp_path, "silence", "query")
        assert BROKER in tool(url, tmp_path, "alert", "query")

        ours(tmp_path, "silence", "add", f"rule={BROKER}", "--for", "1h", "--comment", "again", "--author", "bob")
        (other,) = tool(url, tmp_path, "silence", "query", "-q", f"alertname={BROKER}").split()
        tool(url, tmp_path, "silence", "expire", other)
        assert json.loads(ours(tmp_path, "silence", "list", "--format", "json"))["silences"] == []
