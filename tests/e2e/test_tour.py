"""docs/tour.md, as somebody goes through it: every command, in one shell, and each message in a channel with Slack's limits.

Not as on the page is what is the reader's own: what is installed (this checkout), the webhook's URL, and the ports, which `watchdog demo
--cluster` prints where the usual ones are taken. And watchdog looks every second, so that the test is soon over.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.slack_limits import beyond_slacks_limits
from tests.docs.pages import ROOT, Fence, fences
from tests.processes.running import environment
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until

PAGE = list(fences(ROOT / "docs" / "tour.md"))
INSTALL = "pip install 'celery-watchdog[demo]'\n"
CLUSTER = "watchdog demo --cluster\n"
AGAIN = "cd watchdog-tour\n. env/bin/activate\n"
WEBHOOK = "https://hooks.slack.com/services/T000/B000/XXXX"
OWN_CLUSTER = "pip install celery-watchdog\nwatchdog init\n"
_NUMBER = re.compile(r"\d[\d.]*")
_ADDRESS = re.compile(r"(\S+)://\S+:\d+\S*")


class Shell:
    """One bash, in which blocks of commands follow each other as in a terminal."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "shell.log"
        programs = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-u"], cwd=folder, env=environment(folder, programs), stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
            )
        self._blocks = 0

    def run(self, commands: str) -> str:
        """What a block prints; AssertionError if its last command fails."""
        self._blocks += 1
        before, end = len(self.text), f"block {self._blocks} ended with "
        self._write(f'{commands}\necho "{end}$?."\n')
        until(lambda: re.search(rf"{end}\d+\.", self.text), 120, f"the end of:\n{commands}\n{self.text[-2000:]}")
        printed, _, code = self.text[before:].rpartition(end)
        assert code.startswith("0."), f"{commands}\n{printed}"
        return printed

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def end(self) -> None:
        self._write("kill $(jobs -p) 2> /dev/null; wait; exit\n")
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _write(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text)
        self._process.stdin.flush()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """`watchdog demo --cluster` in a terminal of its own: the addresses that it prints."""
    path = tmp_path / "cluster.log"
    own = environment(tmp_path, {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"})
    with path.open("wb") as log, subprocess.Popen([sys.executable, "-m", *CLUSTER.split()], env=own, stdout=log, stderr=log) as process:
        try:
            until(lambda: "Next" in path.read_text(), 90, "the cluster to start")
            yield {found[1]: found[0] for found in _ADDRESS.finditer(path.read_text())}
        finally:
            process.terminate()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    opened = Shell(tmp_path)
    yield opened
    opened.end()


def commands() -> list[str]:
    return [fence.text for fence in PAGE if fence.language == "sh"]


def test_the_page_begins_on_an_empty_machine_and_ends_with_the_readers_own_cluster() -> None:
    first, second, third, *_, last = commands()
    assert (first.endswith(INSTALL), second, third, last) == (True, CLUSTER, AGAIN, OWN_CLUSTER)


def test_the_tour_leads_to_the_messages_that_it_shows(cluster: dict[str, str], shell: Shell, tmp_path: Path) -> None:
    with RecordingReceiver(Answer(body=b"ok")) as slack:
        shell.run(f"export DEMO_BROKER_URL={cluster['redis']} WATCHDOG_INTERVAL=1s")
        shell.run(f"export WATCHDOG_FLOWER={cluster['http']} WATCHDOG_REDIS={cluster['redis']}")
        told = 0
        for fence in PAGE:
            if fence.language == "sh" and fence.text not in (CLUSTER, AGAIN, OWN_CLUSTER) and not fence.text.endswith(INSTALL):
                shell.run(fence.text.replace(WEBHOOK, slack.url))
                if fence.text == "watchdog init --yes\n":
                    shell.run("unset WATCHDOG_FLOWER WATCHDOG_REDIS")  # they would stand in the file's place
            elif fence.language == "text":
                told += 1
                assert said(slack, told) == without_numbers(fence)
        assert [beyond_slacks_limits(request.body) for request in slack.requests] == [[]] * told


def said(slack: RecordingReceiver, count: int) -> str:
    """The text of the last of so many messages, without its numbers."""
    body = slack.wait_for(count, 90)[-1].body
    return _NUMBER.sub("N", json.loads(body)["text"])


def without_numbers(shown: Fence) -> str:
    return _NUMBER.sub("N", shown.text.strip())
