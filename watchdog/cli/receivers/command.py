"""`watchdog receivers`: tests whether a receiver gets what it is sent. No source is asked; only a digest needs the database."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_receivers
from watchdog.cli.options import config_option
from watchdog.cli.output.refusals import Refused, warn

if TYPE_CHECKING:
    from watchdog.core.incidents.outcome import Outcome
    from watchdog.core.report.report import Report
    from watchdog.receivers.base import Receiver

__all__ = ["receivers"]

DAY_S = 86400.0


@click.group(
    cls=Commands,
    epilog="""\b
Examples:
  watchdog receivers test ops
""",
)
def receivers() -> None:
    """Test receivers."""


@receivers.command(
    epilog="""\b
Examples:
  watchdog receivers test ops
  watchdog receivers test --all --config /etc/watchdog/watchdog.toml
  watchdog receivers test chat --digest
"""
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_receivers)
@click.option("--all", "everyone", is_flag=True, help="All configured receivers.")
@click.option("--digest", is_flag=True, help="Send a digest of the last 24 hours.")
@config_option
@click.pass_context
def test(ctx: click.Context, *, names: tuple[str, ...], everyone: bool, digest: bool, config: Path | None) -> None:
    """Send a test message to a receiver, and say what came back.

    Exits with 0 if it was delivered, with 1 if it was not. The message is marked as a test; it is sent once.
    """
    from watchdog.app.receivers import build_receivers  # noqa: PLC0415
    from watchdog.cli.configuration import load  # noqa: PLC0415

    loaded = load(config, targets_required=False)
    warn(loaded.warnings)
    chosen = _chosen(names, [receiver.name for receiver in loaded.settings.receiver], everyone=everyone)
    there = [receiver for receiver in build_receivers(loaded.settings) if receiver.name in chosen]
    report = _report(config) if digest else None
    delivered = [_tried(receiver, loaded.settings.service, report) for receiver in there]
    ctx.exit(0 if all(delivered) else 1)


def _chosen(names: Sequence[str], known: Sequence[str], *, everyone: bool) -> Sequence[str]:
    """The selected receivers. Refused if one is not configured, or none is named."""
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

    if not known:
        raise Refused("no receiver is configured; add a [[receiver]] with name, type and url")
    configured = f"configured: {', '.join(known)}"
    if everyone == bool(names):
        raise Refused(f"expected the name of a receiver, or --all; {configured}")
    for name in names:
        if name not in known:
            raise Refused(f'no receiver "{name}"{did_you_mean(name, known)}', configured)
    return known if everyone else names


def _report(config: Path | None) -> "Report":
    """What a digest would say of the last 24 hours."""
    from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415
    from watchdog.core.report.report import Span  # noqa: PLC0415
    from watchdog.status.reporting import report_of  # noqa: PLC0415
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    conf, now = load_with_rules(config), time.time()
    try:
        with Store.open(conf.loaded.database, create=False, command="watchdog receivers test --digest") as store:
            return report_of(store, conf.settings, conf.book, Span(now - DAY_S, now))
    except StoreError as error:
        raise Refused(str(error)) from None


def _tried(receiver: "Receiver", service: str, report: "Report | None") -> bool:
    """Send the test message, or a digest, and print the answer. Returns whether it was delivered."""
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.core.incidents.outcome import Delivered, Later  # noqa: PLC0415
    from watchdog.core.incidents.test_message import message_for_test  # noqa: PLC0415

    now = time.time()
    message = message_for_test(receiver.name, service, now)
    if report is not None:
        message = replace(message, notices=(), digest=report)
    try:
        with StatusLine() as status:
            status.say(f"waiting for {receiver.name}")
            outcome: Outcome = receiver.send(receiver.render(message), message.id, now)
    except Exception as error:  # noqa: BLE001 - its text may contain a secret, its type does not
        outcome = Later(f"the receiver failed ({type(error).__name__})")
    finally:
        receiver.close()
    click.echo(f"{receiver.name}: {_came_back(outcome)}")
    return isinstance(outcome, Delivered)


def _came_back(outcome: "Outcome") -> str:
    from watchdog.core.incidents.outcome import Delivered, Refused  # noqa: PLC0415

    match outcome:
        case Delivered(detail):
            return f"delivered ({detail})" if detail else "delivered"
        case Refused(reason):
            return f"refused: {reason}"
        case later:
            return f"not delivered: {later.reason} (`watchdog run` would try again{_after(later.retry_after_s)})"


def _after(asked_s: float | None) -> str:
    """When the receiver would be retried, if it says so; a pause longer than watchdog grants is reported with watchdog's limit."""
    from watchdog.core.text.durations import format_duration  # noqa: PLC0415
    from watchdog.receivers.pace import LONGEST_HOLD_S  # noqa: PLC0415

    if asked_s is None:
        return ""
    longest = format_duration(LONGEST_HOLD_S)
    return f" in {format_duration(asked_s)}" if asked_s <= LONGEST_HOLD_S else f" in {longest}, though it asks for a longer pause"
