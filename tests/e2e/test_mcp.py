"""`watchdog mcp` as an assistant uses it: the official client starts it, lists its tools and calls them."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes.command_line import watchdog
from tests.processes.running import environment
from watchdog.demo.processes import free_port

if TYPE_CHECKING:
    from mcp.types import CallToolResult, ListToolsResult, Tool  # every process that collects tests would spend half a second on it

SECRET = "s3cr3tM4RK"


CALLS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "overview": ("status", {"panel": "overview"}),
    "secret": ("query", {"sql": "SELECT name, length FROM queues"}),
    "time": ("why", {"rule": "BrokerUnreachable", "at": "yesterday-ish"}),
    "column": ("query", {"sql": "SELECT nme FROM queues"}),
    "change": ("query", {"sql": "DELETE FROM queues"}),
    "misspelt": ("rule", {"name": "WorkerLos"}),
    "elsewhere": ("status", {"target": "staging"}),
    "option": ("why", {"rule": "--database=/dev/null"}),
    "help": ("incident", {"named": "--help"}),
    "doctor": ("doctor", {"target": "prod"}),
}
"""Every call that these tests look at. They share one server, which takes a second to start."""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> "tuple[ListToolsResult, Mapping[str, CallToolResult]]":
    """The tools, and the answers to all calls, where the configured Redis is down."""
    from mcp import Client, StdioServerParameters

    folder = tmp_path_factory.mktemp("mcp")
    (folder / "watchdog.toml").write_text(
        f'database = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "redis://:{SECRET}@127.0.0.1:{free_port()}/0"\n'
    )
    environ = dict(environment(folder, {}))
    server = StdioServerParameters(command=sys.executable, args=["-m", "watchdog", "mcp"], cwd=folder, env=environ)

    async def speak() -> "tuple[ListToolsResult, Mapping[str, CallToolResult]]":
        async with Client(server) as client:
            return await client.list_tools(), {name: await client.call_tool(tool, dict(given)) for name, (tool, given) in CALLS.items()}

    return asyncio.run(speak())


@pytest.fixture(scope="module")
def tools(spoken: "tuple[ListToolsResult, object]") -> "Sequence[Tool]":
    return spoken[0].tools


@pytest.fixture(scope="module")
def answers(spoken: "tuple[object, Mapping[str, CallToolResult]]") -> "Mapping[str, CallToolResult]":
    return spoken[1]


def text(answer: "CallToolResult") -> str:
    from mcp.types import TextContent

    (content,) = answer.content
    assert isinstance(content, TextContent)
    return content.text


def test_every_tool_says_what_it_does_and_only_reads(tools: "Sequence[Tool]") -> None:
    assert [tool.name for tool in tools if not (tool.description and tool.annotations and tool.annotations.read_only_hint)] == []


def test_the_page_names_every_tool(tools: "Sequence[Tool]") -> None:
    page = (Path(__file__).parents[2] / "docs/mcp.md").read_text()
    assert [tool.name for tool in tools if f"`{tool.name}`" not in page] == []


def test_status_is_what_a_person_sees(answers: "Mapping[str, CallToolResult]") -> None:
    assert not answers["overview"].is_error
    assert "redis down" in text(answers["overview"])


def test_the_doctor_says_what_it_finds(answers: "Mapping[str, CallToolResult]") -> None:
    assert not answers["doctor"].is_error
    assert "These alerts are blind here:" in text(answers["doctor"])


def test_a_secret_is_masked(answers: "Mapping[str, CallToolResult]") -> None:
    assert "redis://***@127.0.0.1" in text(answers["secret"])
    assert SECRET not in "".join(text(answer) for answer in answers.values())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("time", "--at"),
        ("column", 'did you mean "name"?'),
        ("change", "it must be one SELECT"),
        ("misspelt", 'did you mean "WorkerLost"?'),
        ("elsewhere", 'no target "staging"'),
        ("option", 'no rule "--database=/dev/null"'),
        ("help", "there is no such file"),
    ],
)
def test_what_is_wrong_is_an_error_with_the_sentence_of_the_command(answers: "Mapping[str, CallToolResult]", call: str, said: str) -> None:
    assert answers[call].is_error
    assert said in text(answers[call])


def test_a_wrong_configuration_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text("[[targt]]\n")
    done = watchdog("mcp", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "target"?' in done.stderr
