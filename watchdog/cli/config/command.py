"""`watchdog config`: checks the configuration and shows the settings in effect."""

import time
from pathlib import Path

import click

from watchdog.cli.commands import Commands
from watchdog.cli.options import config_option, format_option, targets_option
from watchdog.cli.output.refusals import Refused, warn

__all__ = ["config"]


@click.group(cls=Commands)
def config() -> None:
    """Check the configuration, or show the settings in effect."""


@config.command(
    epilog="""\b
Examples:
  watchdog config check
  watchdog config check /etc/watchdog/watchdog.toml
"""
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
@click.option("--without-credentials", is_flag=True, help="Do not read ${credential:…}, which systemd hides from ExecReload.")
def check(*, file: Path | None, config: Path | None, without_credentials: bool) -> None:
    """Check the configuration and the rules it names.

    Exits with 0, or with 2 and every fault.
    """
    from watchdog.cli.configuration import load_with_rules, named_config, oddities, untold  # noqa: PLC0415
    from watchdog.core.text.wording import counted  # noqa: PLC0415

    conf = load_with_rules(file or config, credentials=not without_credentials, sends=True)
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
Exit codes:
  0  shown
  2  usage or configuration are wrong
  3  with --live: something could not be queried

\b
Examples:
  watchdog config show
  watchdog config show --live --target prod
  WATCHDOG_INTERVAL=30s watchdog config show --config /etc/watchdog/watchdog.toml
"""
)
@config_option
@click.option("--live", is_flag=True, help="Show what is read from the workers and from Redis, each value with its origin.")
@targets_option
@format_option("text", "json")
@click.pass_context
def show(ctx: click.Context, *, config: Path | None, live: bool, targets: tuple[str, ...], style: str) -> None:
    """Show the settings in effect, with defaults, secrets masked."""
    if live:
        ctx.exit(_show_live(config, targets, style))
    from watchdog.cli.configuration import load, named_config  # noqa: PLC0415
    from watchdog.cli.output.screen import show_json  # noqa: PLC0415
    from watchdog.config.show import effective, to_toml  # noqa: PLC0415

    if targets:
        raise Refused("--target: only with --live; without it the whole configuration is shown")
    loaded = load(config, targets_required=False)
    warn(loaded.warnings)
    if style == "json":
        show_json(effective(loaded.settings))
        return
    click.echo(f"# {named_config(loaded)}")
    for included in loaded.files[1:]:
        click.echo(f"# includes {included}")
    click.echo(f"# database {loaded.database}")
    click.echo(to_toml(effective(loaded.settings)), nl=False)


def _show_live(config: Path | None, targets: tuple[str, ...], style: str) -> int:
    """Poll and show. Returns the exit code."""
    from watchdog.app.polling import build_live_pollers  # noqa: PLC0415
    from watchdog.cli.config.live import live_document, live_target  # noqa: PLC0415
    from watchdog.cli.config.page import live_page  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_names, load, named_config  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415

    loaded = load(config)
    warn(loaded.warnings)
    chosen = chosen_names(loaded.settings, targets)
    found = []
    for index, poller in enumerate(build_live_pollers(loaded.settings)):
        if poller.target.name in chosen:
            found.append(live_target(loaded, index, poller, time.time()))
        poller.close()
    if style == "json":
        show_json(live_document(found))
    else:
        show(live_page(found, named_config(loaded)))
    return 0 if all(target.whole for target in found) else 3


@config.command(
    epilog="""\b
Examples:
  watchdog config hash-password
  openssl rand -base64 18 | tee password.txt | watchdog config hash-password
"""
)
def hash_password() -> None:
    """Print the hash of a password, for `users` of [http].

    Asks for it on a terminal; otherwise reads one line.
    """
    import sys  # noqa: PLC0415

    from werkzeug.security import generate_password_hash  # noqa: PLC0415

    on_terminal = sys.stdin.isatty()
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if on_terminal else sys.stdin.readline()
    password = password.rstrip("\r\n")
    if not password:
        raise Refused("expected a password, found nothing; type it, or pipe it in")
    click.echo(generate_password_hash(password))
