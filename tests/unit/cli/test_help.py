"""What `--help` lists of each group of commands."""

import click
import pytest
from click.testing import CliRunner

from watchdog.cli import COMMANDS, main

GROUPS = ((), *((name,) for name in COMMANDS if isinstance(main.get_command(click.Context(main), name), click.Group)))


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_no_sentence_in_a_list_of_commands_is_cut_at_80_columns(group: tuple[str, ...]) -> None:
    listed = CliRunner().invoke(main, [*group, "--help"], terminal_width=80).output.partition("Commands:")[2]
    assert listed
    assert [line for line in listed.splitlines() if line.endswith("...")] == []
