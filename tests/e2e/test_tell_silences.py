"""`tell_silences`: a real daemon tells real receivers of the start and the end of each silence. The only fire is a broker that is away."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

RECEIVERS = {"asks": "tell_silences = true", "ops": "", "staging": 'tell_silences = true\nmatch = "target=staging"'}


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[dict[str, RecordingReceiver]]:
    """Three receivers, in a configuration: one asks for everything, one for nothing, one for what concerns another target."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(RecordingReceiver()) for name in RECEIVERS}
        text = 'interval = "0.3s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1/0"\n'
        text += '[[override]]\nrule = "BrokerUnreachable"\nfor = "0s"\n'
        for name, more in RECEIVERS.items():
            text += f'[[receiver]]\nname = "{name}"\ntype = "webhook"\nurl = "{found[name].url}"\n{more}\n'
        (tmp_path / "watchdog.toml").write_text(text)
        yield found


def said(receiver: RecordingReceiver) -> list[tuple[str, str]]:
    return [(rule, event) for _, rule, event in told(receiver)]


def summaries(receiver: RecordingReceiver, rule: str) -> list[str]:
    incidents = [one for request in receiver.requests for one in json.loads(request.body)["data"]["incidents"]]
    return [one["summary"] for one in incidents if one["rule"] == rule]


def test_the_start_and_the_end_of_a_silence_are_told_to_those_who_ask_and_whom_it_affects(
    tmp_path: Path, receivers: dict[str, RecordingReceiver]
) -> None:
    asks, ops, staging = receivers.values()
    with running(tmp_path) as daemon:
        until(lambda: said(asks) == said(ops) == [("BrokerUnreachable", "first")], 30, "the fire")
        options = ["--for", "1h", "--comment", "new redis", "--author", "ann"]
        added = watchdog("silence", "add", "rule=BrokerUnreachable", "target=prod", *options, "--format", "json", cwd=tmp_path)
        until(lambda: ("Silenced", "first") in said(asks), 30, "its start")
        assert daemon.end() == 0
    with running(tmp_path):
        watchdog("silence", "expire", json.loads(added.stdout)["silence"]["id"], cwd=tmp_path)
        until(lambda: ("Silenced", "resolved") in said(asks), 30, "its end, after a restart")
        watchdog("silence", "add", 'rule=~".+"', "--for", "3s", cwd=tmp_path)
        until(lambda: said(asks).count(("Silenced", "resolved")) == 2, 30, "the end of one that ran out, which would hide itself")

    assert said(asks) == [("BrokerUnreachable", "first"), *[("Silenced", "first"), ("Silenced", "resolved")] * 2]
    assert said(ops) == [("BrokerUnreachable", "first")]
    assert said(staging) == [("Silenced", "first"), ("Silenced", "resolved")]  # the second one alone: it may hide anything
    start, end, *_ = summaries(asks, "Silenced")
    assert start.startswith("Silenced until ")
    assert start.endswith(' by ann: rule="BrokerUnreachable", target="prod" (new redis); hides 1 incident now')
    assert end == 'No longer silenced: rule="BrokerUnreachable", target="prod" (new redis); 1 incident that it hid is open'
