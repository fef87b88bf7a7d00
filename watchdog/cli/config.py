"""`watchdog config`: is the configuration right, and what does it come to."""

from pathlib import Path

import click

from watchdog.cli.commands import Commands
from watchdog.cli.options import config_option
from watchdog.cli.refusals import warn

__all__ = ["config"]


@click.group(cls=Commands)
def config() -> None:
    """Check the configuration, or show what it comes to."""


@config.command(
    epilog="""\b
Examples:
  watchdog config check
  watchdog config check /etc/watchdog/watchdog.toml
"""
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
@click.option("--without-credentials", is_flag=True, help="Leave ${credential:…} unread, as systemd's ExecReload has to.")
def check(*, file: Path | None, config: Path | None, without_credentials: bool) -> None:
    """Check the configuration and the rules it names.

    Exits with 0, or with 2 and every fault.
    """
    from watchdog.cli.check_page import counted  # noqa: PLC0415
    from watchdog.cli.configuration import load_with_rules, named_config, oddities, untold  # noqa: PLC0415

    conf = load_with_rules(file or config, credentials=not without_credentials)
    warn((*oddities(conf), *untold(conf)))
    settings = conf.settings
    parts = (
        counted(len(settings.target), "target"),
        counted(len(settings.receiver), "receiver"),
        counted(len(conf.book.rules), "rule"),
        counted(len(settings.override), "override"),
    )
    click.echo(f"{named_config(conf.loaded)} is fine: {', '.join(parts)}")


@config.command(
    epilog="""\b
Examples:
  watchdog config show
  WATCHDOG_INTERVAL=30s watchdog config show --config /etc/watchdog/watchdog.toml
"""
)
@config_option
def show(*, config: Path | None) -> None:
    """Show the settings in effect, defaults included, secrets masked."""
    from watchdog.cli.configuration import load, named_config  # noqa: PLC0415
    from watchdog.config_show import effective, to_toml  # noqa: PLC0415

    loaded = load(config, targets_required=False)
    warn(loaded.warnings)
    click.echo(f"# {named_config(loaded)}")
    for included in loaded.files[1:]:
        click.echo(f"# includes {included}")
    click.echo(f"# database {loaded.database}")
    click.echo(to_toml(effective(loaded.settings)), nl=False)
