"""docs/reference/commands.md: every command with its arguments and options, as `--help` knows them."""

from collections.abc import Iterator
from inspect import cleandoc
from itertools import chain

import click

from tests.docs.reference.markdown import GENERATED_BY, code, escaped, table
from watchdog.cli import main

__all__ = ["commands_page", "every_command"]

HEAD = f"""# Commands

Every command of `watchdog`, with its options. {GENERATED_BY} Each also has `--help`.

Unless a command says otherwise, it exits with 0 if it did what it says, 2 if the command line or the configuration is wrong,
and 130 after Ctrl-C.
"""


def commands_page() -> str:
    """The page."""
    return "\n".join([HEAD, *chain.from_iterable(_section(context) for context in every_command())])


def every_command() -> Iterator[click.Context]:
    """Each command in its context, in the order of `--help`; hidden ones are left out."""
    yield from _below(click.Context(main, info_name="watchdog"))


def _below(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _below(click.Context(command, info_name=name, parent=context))


def _section(context: click.Context) -> Iterator[str]:
    depth = 2 if context.parent is None or context.parent.parent is None else 3
    yield from (f"{'#' * depth} {context.command_path}", "", "```text", _usage(context), "```", "")
    yield from _text(context.command.help or "")
    options = [
        one for one in context.command.get_params(context) if isinstance(one, click.Option) and "--help" not in one.opts and not one.hidden
    ]
    if options:
        yield from chain(table(("option", "default", "what it does"), (_option(one, context) for one in options)), ("",))
    yield from _text(context.command.epilog or "")


def _usage(context: click.Context) -> str:
    return f"{context.command_path} {' '.join(context.command.collect_usage_pieces(context))}"


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = "/".join([", ".join(option.opts), *option.secondary_opts])
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    return code(f"{names}{value}"), code(_default(option)), escaped(option.help or "")


def _default(option: click.Option) -> str:
    """The default, if it is a value that somebody could write."""
    shown = option.to_info_dict()["default"]
    return str(shown) if isinstance(shown, str | int | float) and not isinstance(shown, bool) else ""


def _text(text: str) -> Iterator[str]:
    r"""Paragraphs; what follows a `\b` is shown as it stands."""
    for paragraph in cleandoc(text).split("\n\n"):
        if not paragraph.strip():
            continue
        lines = paragraph.splitlines()
        if lines[0].strip() != "\b":
            yield from (escaped(paragraph), "")
            continue
        title = lines[1] if lines[1].endswith(":") else ""
        yield from ([title, ""] if title else [])
        yield from (
            "```sh" if title == "Examples:" else "```text",
            *(line.removeprefix("  ") for line in lines[2 if title else 1 :]),
            "```",
            "",
        )
