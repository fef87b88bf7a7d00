"""The command line: `main`, and the registry of commands.

A new command is one file here and one line in `COMMANDS`. A command's file imports nothing but click and modules of `cli`; everything else
is imported inside the command, so that `watchdog --help` and shell completion start quickly.
"""

from pathlib import Path

import click

from watchdog.cli.commands import Main
from watchdog.cli.options import CONFIG_HELP

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "init": "watchdog.cli.init.command:init",
    "check": "watchdog.cli.check.command_line:check",
    "doctor": "watchdog.cli.check.doctor:doctor",
    "run": "watchdog.cli.run.command:run",
    "worker": "watchdog.cli.run.worker:worker",
    "status": "watchdog.cli.status.command:status",
    "task": "watchdog.cli.status.task:task",
    "report": "watchdog.cli.status.report:report",
    "config": "watchdog.cli.config.command:config",
    "rules": "watchdog.cli.rules.command:rules",
    "tables": "watchdog.cli.rules.tables:tables",
    "query": "watchdog.cli.rules.query:query",
    "incidents": "watchdog.cli.database.incidents:incidents",
    "why": "watchdog.cli.database.why.command:why",
    "ack": "watchdog.cli.database.acknowledge:ack",
    "unack": "watchdog.cli.database.acknowledge:unack",
    "close": "watchdog.cli.database.acknowledge:close",
    "silence": "watchdog.cli.database.silence:silence",
    "deploy": "watchdog.cli.database.deploy:deploy",
    "routes": "watchdog.cli.receivers.routes:routes",
    "act": "watchdog.cli.database.act.command:act",
    "outbox": "watchdog.cli.database.outbox:outbox",
    "receivers": "watchdog.cli.receivers.command:receivers",
    "database": "watchdog.cli.database.rescue:database",
    "mcp": "watchdog.cli.status.assistant:mcp",
    "demo": "watchdog.cli.demo:demo",
    "completion": "watchdog.cli.completion:completion",
}
"""Name -> location, in the order of `--help`."""


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted and not ctx.resilient_parsing:
        from watchdog import __version__  # noqa: PLC0415

        click.echo(f"celery-watchdog {__version__}")
        ctx.exit()


@click.group(
    cls=Main,
    registry=COMMANDS,
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  watchdog init
  watchdog check --once --flower http://localhost:5555 --redis redis://localhost:6379/0
  watchdog run --config /etc/watchdog/watchdog.toml
  watchdog demo
  source <(watchdog completion bash)
""",
)
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help=CONFIG_HELP)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version and exit.")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Notifies people when something is wrong with their Celery cluster: once, soon, and truthfully."""
    if ctx.invoked_subcommand is None:
        from watchdog.cli.status.without_command import overview_or_help  # noqa: PLC0415

        overview_or_help(ctx, config)
