"""`watchdog completion`: the script with which a shell completes commands, options, targets, rules, tables and receivers."""

import os
from pathlib import PurePath

import click

from watchdog.cli.output.refusals import Refused

__all__ = ["completion"]

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
For this shell:
  bash   source <(watchdog completion bash)
  zsh    source <(watchdog completion zsh)
  fish   watchdog completion fish | source

\b
For every new one, put that line into ~/.bashrc, ~/.zshrc (after compinit) or ~/.config/fish/config.fish; or, which is faster:
  bash   watchdog completion bash > ~/.local/share/bash-completion/completions/watchdog
  zsh    watchdog completion zsh > ~/.zfunc/_watchdog           (any folder of $fpath)
  fish   watchdog completion fish > ~/.config/fish/completions/watchdog.fish

\b
Examples:
  watchdog completion bash
"""
)
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, *, shell: str | None) -> None:
    """Print the completion script of your shell.

    It completes commands, options, targets, rules, tables and receivers. Without a name, the shell is that of $SHELL.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    name = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in SHELLS else None
    if kind is None:
        raise Refused(f"expected one of {', '.join(SHELLS)}: $SHELL names none of them; say which, as in `watchdog completion bash`")
    click.echo(kind(ctx.find_root().command, {}, "watchdog", "_WATCHDOG_COMPLETE").source())
