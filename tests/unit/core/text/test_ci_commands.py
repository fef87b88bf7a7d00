"""A harmless command in a name is shown by a CI system, and never carried out: read back as the runners read it."""

import io
import json
import re
import tomllib
from xml.etree.ElementTree import fromstring

import pytest

from watchdog.config.masking import masked_stream
from watchdog.core.text.ci_commands import without_commands, without_commands_xml


def carried_out(text: str) -> list[str]:
    """The lines that GitHub's runner, Azure Pipelines or TeamCity would take for a command."""
    lines = re.split(r"\r\n|\r|\n", text)
    return [line for line in lines if re.match(r"::.*?::", line.strip()) or re.search(r"##[A-Za-z]*\[", line)]


COMMANDS = [
    "::notice::x", "::notice title=a::x", "  ::notice::x", "\u00a0::notice::x", "a\n::notice::x", "a\r::notice::x", "a\r\n\t::notice::x",
    "##[group]x", "see ##[group]x", "##[notice title=a]x", "##vso[task.logissue]x", "##teamcity[message text='x']", "###[group]x",
    "::stop-commands::t", "##[##[group]x",
]  # fmt: skip


@pytest.mark.parametrize("text", COMMANDS)
def test_no_line_is_a_command_any_more(text: str) -> None:
    assert carried_out(text)  # or this test would show nothing
    assert carried_out(without_commands(text)) == []


@pytest.mark.parametrize("text", ["a::b::c", "std::map", "::1", "# heading", "## heading [x]", "a ## b", "C#[0]", "a: ::notice"])
def test_what_is_no_command_stays_as_it_is(text: str) -> None:
    assert without_commands(text) == text


def test_a_text_in_the_middle_of_a_line_begins_none() -> None:
    assert without_commands("::notice::x", begins_line=False) == "::notice::x"


@pytest.mark.parametrize("text", COMMANDS)
def test_json_and_toml_mean_the_same_as_before(text: str) -> None:
    document = json.dumps({"name": text}, ensure_ascii=False)
    assert json.loads(without_commands(document)) == {"name": text}
    assert tomllib.loads(f"name = {without_commands(json.dumps(text))}") == {"name": text}


@pytest.mark.parametrize("text", ["::notice::x", "a\n::notice::x", "##[group]x"])
def test_xml_means_the_same_as_before(text: str) -> None:
    document = without_commands_xml(f"<a>\n{text}</a>")
    assert (carried_out(document), fromstring(document).text) == ([], f"\n{text}")


def printed(*texts: str) -> str:
    raw = io.BytesIO()
    opened = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    stream = masked_stream(opened)
    for text in texts:
        stream.write(text)
    return raw.getvalue().decode()


@pytest.mark.parametrize("texts", [("waiting: ", "::notice::x\n"), ("a::b::c\n",), ("  x", "::notice::x")])
def test_a_stream_knows_where_a_line_began(texts: tuple[str, ...]) -> None:
    assert printed(*texts) == "".join(texts)


@pytest.mark.parametrize("texts", [("::notice::x\n",), ("a\n", "::notice::x\n"), ("a\n  ", "::notice::x\n"), ("a ##[group]x\n",)])
def test_a_stream_prints_no_command(texts: tuple[str, ...]) -> None:
    assert carried_out(printed(*texts)) == []
