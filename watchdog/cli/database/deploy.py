"""`watchdog deploy`: tell watchdog of a deploy, so that what a deploy does to workers notifies nobody; with or without a running daemon.

In: a version, as the deploying pipeline names it. Out: what is quiet now, and at the end what is still open. Made for pipelines: ending a
deploy that has ended already is no error.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_deploys, complete_targets
from watchdog.cli.database.opening import configured, opened
from watchdog.cli.options import author_option, config_option, database_option, format_option, longer_than_nothing
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.config.load import Loaded

__all__ = ["deploy"]

MOST_LISTED = 20


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog="""\b
Examples:
  watchdog deploy start "$GIT_SHA" --for 10m
  watchdog deploy end "$GIT_SHA"
  watchdog deploy
""",
)
@config_option
@database_option
@click.pass_context
def deploy(ctx: click.Context, *, config: Path | None, database: str | None) -> None:
    """Be quiet about workers during a deploy. Without a command: the same as `list`."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(listed, everything=False, style="text", config=config, database=database)


@deploy.command(
    epilog="""\b
Examples:
  watchdog deploy start "$GIT_SHA"
  watchdog deploy start v512 --for 30m --target "prod-*" --target shared
"""
)
@click.argument("version")
@click.option(
    "--for",
    "lasts_s",
    metavar="DURATION",
    default="10m",
    show_default=True,
    callback=longer_than_nothing,
    help="When it ends at the latest.",
)
@click.option(
    "--target", "targets", metavar="GLOB", multiple=True, shell_complete=complete_targets, help="Only these targets (repeatable)."
)
@author_option
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def start(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    *,
    version: str,
    lasts_s: float,
    targets: tuple[str, ...],
    author: str,
    style: str,
    config: Path | None,
    database: str | None,
) -> None:
    """Begin a deploy, and show which open incidents are quiet now.

    Nobody is notified of incidents of rules with `deploy = true` (lost workers, queues without consumers and the like) until it ends:
    by `watchdog deploy end`, by a later deploy of the same targets, or by itself. What still fires then is sent.
    """
    from watchdog.cli.database.deploy_page import started_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.core.incidents.quiet.deploys import new_deploy  # noqa: PLC0415
    from watchdog.status.documents.deploys import started_document  # noqa: PLC0415

    version = _checked_version(version)
    _check_targets(configured(ctx, config, database), targets)
    now = time.time()
    new = new_deploy(version, targets, now, lasts_s, author)
    with opened(ctx, config, database, f"watchdog deploy start {version}", write=True) as store:
        replaced, incidents, watched = store.start_deploy(new), store.incidents(), store.watched()
    if style == "json":
        show_json(started_document(new, replaced, incidents, now))
    else:
        show(started_page(new, replaced, incidents, watched))


@deploy.command(
    epilog="""\b
Examples:
  watchdog deploy end "$GIT_SHA"
  watchdog deploy end
"""
)
@click.argument("version", required=False, shell_complete=complete_deploys)
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def end(ctx: click.Context, *, version: str | None, style: str, config: Path | None, database: str | None) -> None:
    """End a deploy now, and show what it hid that is still open.

    Without VERSION: the only one that goes on. What still fires is sent with the next cycle.
    """
    from watchdog.cli.database.deploy_page import ended_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.documents.deploys import deploys_document  # noqa: PLC0415

    named = None if version is None else _checked_version(version)
    now = time.time()
    with opened(ctx, config, database, f"watchdog deploy end {named or ''}".strip(), write=True) as store:
        ended, known, incidents = store.end_deploy(named, now), store.deploys(), store.incidents()
    if style == "json":
        show_json(deploys_document(ended, incidents, now))
    else:
        show(ended_page(ended, [one for one in known if named == one.version], incidents))


@deploy.command(
    "list",
    epilog="""\b
Examples:
  watchdog deploy list
  watchdog deploy list --all --format json
""",
)
@click.option("--all", "everything", is_flag=True, help=f"All that are kept (30 days), not only the last {MOST_LISTED}.")
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def listed(ctx: click.Context, *, everything: bool, style: str, config: Path | None, database: str | None) -> None:
    """List the last deploys, with what each hides now."""
    from watchdog.cli.database.deploy_page import deploys_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415
    from watchdog.status.documents.deploys import deploys_document  # noqa: PLC0415

    now = time.time()
    with opened(ctx, config, database, "watchdog deploy list") as store:
        kept, incidents = store.deploys(), store.incidents()
    shown = kept if everything else kept[-MOST_LISTED:]
    if style == "json":
        show_json(deploys_document(shown, incidents, now))
    else:
        show(deploys_page(shown, len(kept), incidents, now))


def _checked_version(text: str) -> str:
    from watchdog.core.incidents.quiet.deploys import checked_version  # noqa: PLC0415

    try:
        return checked_version(text)
    except ValueError as error:
        raise Refused(f"VERSION: {error}") from None


def _check_targets(loaded: "Loaded", globs: tuple[str, ...]) -> None:
    from watchdog.core.incidents.quiet.deploys import check_globs  # noqa: PLC0415

    try:
        check_globs(globs, [target.name for target in loaded.settings.target])
    except ValueError as error:
        raise Refused(f"--target: {error}") from None
