"""The commands of watchdog that pages show. In: a page. Out: command lines, as a shell would hand them over; what is wrong with one."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from tests.docs.pages import fences, inline_code
from watchdog.cli import main

__all__ = ["fault_of", "shown_commands"]

_COMMAND = re.compile(r"(?:^|.*\s-- |.*[\s\"'/(])watchdog(?P<rest> +(?!-- )[a-z-].*)")
"""The last of its line: before it stand variables, `sudo`, `kubectl exec … --`, other commands and their pipes."""
_NOT_A_COMMAND = re.compile(r"rabbitmqctl|systemctl|journalctl|apk|docker|useradd|chown")
_CONTINUED = re.compile(r"\\\n\s*")
ENDS = {"|", "||", "&&", ";", ">", ">>", "<", "2>&1", "&", "#", ")"}
"""What ends a command in a shell."""


def shown_commands(page: Path) -> Iterator[str]:
    """Every command line, `watchdog` included, up to the end of its line."""
    for fence in fences(page):
        if fence.language in ("sh", "bash", "console"):
            yield from _in(_CONTINUED.sub(" ", fence.text))
    for text in inline_code(page):
        if text.startswith("watchdog "):
            yield from _in(" ".join(text.split()))


def fault_of(line: str) -> str:
    """What is wrong with a command line; empty if it can be run as it stands, or with words in place of NAMES."""
    words = _words(line)[1:]
    context = click.Context(main, info_name="watchdog")
    command: click.Command = main
    while isinstance(command, click.Group):
        words = _without_options_of(command, words)
        if not words:
            return ""
        found = command.get_command(context, words[0])
        if found is None:
            return f'no command "{words[0]}"'
        context, command, words = click.Context(found, info_name=words[0], parent=context), found, words[1:]
    return _fault_of_arguments(command, context, words)


def _fault_of_arguments(command: click.Command, context: click.Context, words: list[str]) -> str:
    try:
        given, left, _ = command.make_parser(context).parse_args(words)
        for param in command.params:
            if isinstance(param.type, click.Choice) and isinstance(value := given.get(param.name or ""), str):
                param.type.convert(value, param, context)
    except click.UsageError as error:
        return error.format_message()
    return f"nothing takes {left}" if left else ""


def _without_options_of(group: click.Group, words: list[str]) -> list[str]:
    """What follows the options of a group itself, such as `--config FILE`."""
    parser = group.make_parser(click.Context(group))
    return parser.parse_args(words)[1]


def _in(text: str) -> Iterator[str]:
    for line in text.splitlines():
        found = _COMMAND.match(line.strip().removeprefix("$ "))
        if found and not line.startswith("#") and not _NOT_A_COMMAND.search(line):
            yield f"watchdog{found['rest']}"


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word in ENDS:
            break
        words.append(word)
    return words
