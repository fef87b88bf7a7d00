"""`watchdog mcp`: answers an assistant that helps on call, by the Model Context Protocol on standard input and output.

In: calls of tools. Out: what a person would read. Each tool is one of watchdog's own commands that change nothing, run as a process of its
own: the same words, the same masking of secrets, and one that takes too long is ended.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from watchdog.cli.options import config_option, database_option
from watchdog.cli.output.refusals import Refused

__all__ = ["mcp"]

LONGEST_S = 60.0
MOST_CHARACTERS = 100_000


@click.command(
    "mcp",
    epilog="""\b
Examples:
  pip install 'celery-watchdog[mcp]'
  watchdog mcp --config /etc/watchdog/watchdog.toml

An assistant starts this command itself; docs/mcp.md shows what to write into its configuration.
""",
)
@config_option
@database_option
def mcp(*, config: Path | None, database: str | None) -> None:
    """Let an assistant ask: status, incidents, why, query, doctor.

    Speaks the Model Context Protocol on standard input and output. It only reads; secrets are masked as everywhere.
    """
    from watchdog.cli.configuration import load  # noqa: PLC0415

    try:
        from watchdog.cli.status.assistant_tools import server  # noqa: PLC0415
    except ImportError:
        raise Refused("watchdog mcp: the package mcp is not installed; install it with: pip install 'celery-watchdog[mcp]'") from None
    load(config, {"database": database}, targets_required=False, credentials=False)  # one that is wrong is refused at once
    server(_command(config, database)).run("stdio")


def _command(config: Path | None, database: str | None) -> Callable[[Sequence[str]], str]:
    named = {"WATCHDOG_CONFIG": config and str(config.absolute()), "WATCHDOG_DATABASE": database}
    environ = {**os.environ, **{name: given for name, given in named.items() if given}, "NO_COLOR": "1", "COLUMNS": "120"}

    def run(arguments: Sequence[str]) -> str:
        """Run one command."""
        command = [sys.executable, "-m", "watchdog", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - watchdog itself; what an assistant wrote stands behind "--" or "="
                command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise ValueError(f"watchdog {arguments[0]}: expected an answer within {LONGEST_S:g} s, found none") from None
        if done.returncode and not done.stdout:
            raise ValueError(done.stderr.strip() or f"watchdog {arguments[0]}: ended with {done.returncode}")
        said = done.stdout if not done.stderr else f"{done.stdout}\n{done.stderr}"
        rest = len(said) - MOST_CHARACTERS
        return said if rest <= 0 else f"{said[:MOST_CHARACTERS]}\n({rest} more characters: ask for one target, one panel or fewer rows)"

    return run
