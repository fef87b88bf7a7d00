"""`watchdog receivers`: tests whether a receiver gets what it is sent. No source is asked; only a digest needs the database."""

import json
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
    from watchdog.core.incidents.messages import Message
    from watchdog.core.incidents.outcome import Outcome
    from watchdog.core.report.report import Report
    from watchdog.receivers.base import Receiver
    from watchdog.receivers.settings import ReceiverSettings

__all__ = ["receivers"]

DAY_S = 86400.0


@click.group(
    cls=Commands,
    epilog="""\b
Examples:
  watchdog receivers test ops
  watchdog receivers preview oncall
""",
)
def receivers() -> None:
    """Test receivers, and preview what they would be sent."""


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
    Where charts go along with messages, it has one, with figures that are made up.
    """
    from watchdog.app.receivers import build_receivers  # noqa: PLC0415
    from watchdog.cli.configuration import load  # noqa: PLC0415

    loaded = load(config, targets_required=False)
    warn(loaded.warnings)
    chosen = _chosen(names, [receiver.name for receiver in loaded.settings.receiver], everyone=everyone)
    there = [(one, its) for one, its in zip(build_receivers(loaded.settings), loaded.settings.receiver, strict=True) if one.name in chosen]
    if digest and (without := [its.name for _, its in there if not its.takes_digests]):
        raise Refused(f"expected receivers that take a digest; {', '.join(without)} would make an incident of it")
    report = _report(config) if digest else None
    delivered = [_tried(receiver, its, loaded.settings.service, report) for receiver, its in there]
    ctx.exit(0 if all(delivered) else 1)


@receivers.command(
    epilog="""\b
Examples:
  watchdog receivers preview oncall
"""
)
@click.argument("name", shell_complete=complete_receivers)
@config_option
def preview(*, name: str, config: Path | None) -> None:
    """Show what a receiver would be sent; nothing is sent.

    The incidents are an example, from the beginning of the first to the end of the last.
    Secrets that join a message as it is sent are not shown.
    """
    from watchdog.app.receivers import build_receivers  # noqa: PLC0415
    from watchdog.cli.configuration import load  # noqa: PLC0415
    from watchdog.core.incidents.test_message import messages_for_preview  # noqa: PLC0415

    loaded = load(config, targets_required=False)
    warn(loaded.warnings)
    [name] = _chosen([name], [receiver.name for receiver in loaded.settings.receiver], everyone=False)
    receiver = next(one for one in build_receivers(loaded.settings) if one.name == name)
    charted = next(its.shows_charts for its in loaded.settings.receiver if its.name == name)
    for number, (what, message) in enumerate(messages_for_preview(receiver.name, loaded.settings.service, time.time())):
        click.echo(f"{chr(10) if number else ''}# {what}")
        click.echo(_preview(receiver, receiver.render(_illustrated(message) if charted else message)))
    receiver.close()


def _illustrated(message: "Message") -> "Message":
    """The message with an example of a chart."""
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.core.incidents.test_message import example_chart  # noqa: PLC0415

    return replace(message, chart=example_chart(message))


def _preview(receiver: "Receiver", stored: bytes) -> str:
    from watchdog.receivers.pictures.frozen import thawed  # noqa: PLC0415

    body, chart = thawed(stored)
    if chart is None:
        return _body_shown(receiver, body)
    from watchdog.receivers.pictures.drawing import PIXELS  # noqa: PLC0415
    from watchdog.receivers.pictures.picture import FILE_NAME  # noqa: PLC0415
    from watchdog.receivers.pictures.words import chart_words  # noqa: PLC0415

    picture = f"{FILE_NAME} ({PIXELS[0]} x {PIXELS[1]} pixels): {chart_words(chart)}"
    return f"{_body_shown(receiver, body)}\nWith the picture {picture}"


def _body_shown(receiver: "Receiver", body: bytes) -> str:
    from watchdog.receivers.webhook.shaped import ShapedWebhook  # noqa: PLC0415

    if not isinstance(receiver, ShapedWebhook):
        return _readable(body)
    headers, text = receiver.shown(body)
    return "\n".join([*(f"{name}: {value}" for name, value in headers.items()), "", _readable(text.encode())])


def _readable(body: bytes) -> str:
    """A body as people read it: JSON with indents, else the text as it is."""
    text = body.decode("utf-8", "backslashreplace")
    if text == "{}":
        return "(nothing is sent)"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return (_of_mail(body) if b"\r\nMIME-Version: " in body else text).rstrip()


def _of_mail(body: bytes) -> str:
    """Headers and plain text of an e-mail."""
    from email import message_from_bytes, policy  # noqa: PLC0415

    mail = message_from_bytes(body, policy=policy.default)
    text = mail.get_body(("plain",))
    headers = [f"{name}: {value}" for name, value in mail.items() if not name.startswith(("MIME", "Content"))]
    return "\n".join([*headers, "", str(text.get_content()) if text else ""])


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


def _tried(receiver: "Receiver", its: "ReceiverSettings", service: str, report: "Report | None") -> bool:
    """Send the test message, or a digest, and print the answer. Returns whether it was delivered."""
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.core.incidents.outcome import Delivered  # noqa: PLC0415
    from watchdog.core.incidents.test_message import end_of_test, message_for_test  # noqa: PLC0415
    from watchdog.receivers import RECEIVERS  # noqa: PLC0415

    now = time.time()
    message = message_for_test(receiver.name, service, now)
    message = _illustrated(message) if its.shows_charts else message
    sent = message if report is None else replace(message, notices=(), digest=report, chart=None)
    try:
        outcome = _sent(receiver, sent, now)
        click.echo(f"{receiver.name}: {_came_back(outcome)}")
        if isinstance(outcome, Delivered) and RECEIVERS[its.type].holds_open:
            outcome = _sent(receiver, end_of_test(message, now), now)
            click.echo(f"{receiver.name}: its end: {_came_back(outcome)}")
    finally:
        receiver.close()
    return isinstance(outcome, Delivered)


def _sent(receiver: "Receiver", message: "Message", now: float) -> "Outcome":
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.core.incidents.outcome import Later  # noqa: PLC0415

    try:
        with StatusLine() as status:
            status.say(f"waiting for {receiver.name}")
            return receiver.send(receiver.render(message), message.id, now)
    except Exception as error:  # noqa: BLE001 - its text may contain a secret, its type does not
        return Later(f"the receiver failed ({type(error).__name__})")


def _came_back(outcome: "Outcome") -> str:
    from watchdog.core.incidents.outcome import Delivered, Refused  # noqa: PLC0415

    match outcome:
        case Delivered(detail, problem):
            return f"delivered{f' ({detail})' if detail else ''}{f', but {problem}' if problem else ''}"
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
