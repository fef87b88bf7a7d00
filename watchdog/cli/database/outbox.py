"""`watchdog outbox`: waiting messages and dead letters, and commands to retry or drop them; with or without a running daemon.

`_chosen` selects the messages; the store does the rest. A running daemon notices within a beat.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watchdog.cli.commands import Commands
from watchdog.cli.completion import complete_messages, complete_receivers
from watchdog.cli.database.opening import options_or_before
from watchdog.cli.options import config_option, database_option, format_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.config.load import Loaded
    from watchdog.store import OutboxMessage, OutboxShown, Store

__all__ = ["outbox"]


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog="""\b
Examples:
  watchdog outbox
  watchdog outbox --receiver ops --format json
  watchdog outbox show 01KAQ2
  watchdog outbox retry --receiver ops
  watchdog outbox drop 01KAQ2
""",
)
@click.option("--receiver", metavar="NAME", shell_complete=complete_receivers, help="Only messages for this receiver.")
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def outbox(ctx: click.Context, *, receiver: str | None, style: str, config: Path | None, database: str | None) -> None:
    """List messages that wait to be sent, and those given up."""
    if ctx.invoked_subcommand is not None:
        if receiver is not None:
            raise click.UsageError(
                f"--receiver belongs after the command: watchdog outbox {ctx.invoked_subcommand} --receiver {receiver}", ctx
            )
        return
    from watchdog.cli.database.outbox_page import only, outbox_document, outbox_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415

    loaded = _loaded(config, database)
    shown = only(_read(loaded, "watchdog outbox"), receiver)
    path = str(loaded.database)
    if style == "json":
        show_json(outbox_document(shown, path))
    else:
        show(outbox_page(shown, path, time.time()))


@outbox.command(
    epilog="""\b
Examples:
  watchdog outbox show 01KAQ2
  watchdog outbox show 01KAQ2 --format json
"""
)
@click.argument("named", metavar="ID", shell_complete=complete_messages)
@format_option("text", "json")
@config_option
@database_option
@click.pass_context
def show(ctx: click.Context, *, named: str, style: str, config: Path | None, database: str | None) -> None:
    """Show one message: its content and its delivery.

    ID is an id, or the beginning of one, as `watchdog outbox` lists them.
    """
    from watchdog.cli.database.outbox_page import message_document, message_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show as show_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show_json  # noqa: PLC0415

    loaded = _loaded(*options_or_before(ctx, config, database))
    [message] = _named(_read(loaded, f"watchdog outbox show {named}"), [named])
    if style == "json":
        show_json(message_document(message, str(loaded.database)))
    else:
        show_page(message_page(message, str(loaded.database), time.time()))


def _which(command: Any) -> Any:
    """`[ID]... | --receiver NAME | --all`."""
    command = click.option("--all", "everything", is_flag=True, help="All listed messages.")(command)
    command = click.option("--receiver", metavar="NAME", shell_complete=complete_receivers, help="All messages for this receiver.")(command)
    return click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=complete_messages)(command)


@outbox.command(
    epilog="""\b
Examples:
  watchdog outbox retry 01KAQ2
  watchdog outbox retry --receiver ops
  watchdog outbox retry --all
"""
)
@_which
@config_option
@database_option
@click.pass_context
def retry(
    ctx: click.Context, *, ids: tuple[str, ...], receiver: str | None, everything: bool, config: Path | None, database: str | None
) -> None:
    """Retry now: waiting messages, and those given up.

    Open incidents are sent in their current state, after the next cycle; for an ended one, the end is sent if the receiver was notified
    of its beginning. A receiver that was switched off is switched on again.
    """
    from watchdog.cli.database.outbox_page import retried_page  # noqa: PLC0415
    from watchdog.cli.output.screen import show as show_page  # noqa: PLC0415
    from watchdog.store import StoreError  # noqa: PLC0415

    loaded = _loaded(*options_or_before(ctx, config, database))
    try:
        with _to_write(loaded, _typed("retry", ids, receiver, everything=everything)) as store:
            shown = store.outbox_shown()
            chosen = _chosen(shown, ids, receiver, everything=everything)
            off = [one.receiver for one in shown.off if everything or one.receiver == receiver]
            _all_configured(loaded, [*(message.receiver for message in chosen), *off])
            retried = store.retry([message.id for message in chosen], time.time())
            switched_on = {one.receiver for one in shown.off} & {*off, *(one.receiver for one in retried)}
            for name in off:
                store.switch_on(name)
    except StoreError as error:
        raise Refused(str(error)) from None
    show_page(retried_page(retried, sorted(switched_on), len(chosen) - len(retried)))


@outbox.command(
    epilog="""\b
Examples:
  watchdog outbox drop 01KAQ2
  watchdog outbox drop --receiver old-chat
"""
)
@_which
@config_option
@database_option
@click.pass_context
def drop(
    ctx: click.Context, *, ids: tuple[str, ...], receiver: str | None, everything: bool, config: Path | None, database: str | None
) -> None:
    """Give messages up for good: they are not sent.

    Those that were given up already are no longer listed. The receiver is not notified of these incidents again. A message that may have
    arrived counts as delivered: then the end is still sent.
    """
    from watchdog.core.text.wording import counted  # noqa: PLC0415
    from watchdog.store import StoreError  # noqa: PLC0415

    loaded = _loaded(*options_or_before(ctx, config, database))
    try:
        with _to_write(loaded, _typed("drop", ids, receiver, everything=everything)) as store:
            chosen = _chosen(store.outbox_shown(), ids, receiver, everything=everything)
            dropped = store.drop([message.id for message in chosen], time.time())
    except StoreError as error:
        raise Refused(str(error)) from None
    left = f"; {len(chosen) - len(dropped)} being sent just now, left alone" if len(dropped) < len(chosen) else ""
    click.echo(f"dropped {counted(len(dropped), 'message')}{left}")


def _loaded(config: Path | None, database: str | None) -> "Loaded":
    """The configuration; neither its secrets nor its targets are needed."""
    from watchdog.cli.configuration import load  # noqa: PLC0415

    return load(config, {"database": database}, targets_required=False, credentials=False)


def _read(loaded: "Loaded", command: str) -> "OutboxShown":
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    try:
        with Store.open(loaded.database, create=False, command=command) as store:
            return store.outbox_shown()
    except StoreError as error:
        raise Refused(str(error)) from None


def _to_write(loaded: "Loaded", command: str) -> "Store":
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    try:
        return Store.open(loaded.database, create=False, write=True, command=command)
    except StoreError as error:
        raise Refused(str(error)) from None


def _typed(verb: str, ids: Sequence[str], receiver: str | None, *, everything: bool) -> str:
    """The command as typed, for the hint in an error."""
    return " ".join(["watchdog outbox", verb, *ids, *(["--receiver", receiver] if receiver else []), *(["--all"] if everything else [])])


def _chosen(shown: "OutboxShown", ids: Sequence[str], receiver: str | None, *, everything: bool) -> Sequence["OutboxMessage"]:
    """The selected messages. Refused if the selection is ambiguous or empty."""
    if (bool(ids), receiver is not None, everything).count(True) != 1:
        raise Refused("expected the ids of messages, or --receiver NAME, or --all; `watchdog outbox` lists what there is")
    if ids:
        return _named(shown, ids)
    fitting = [message for message in shown.messages if everything or message.receiver == receiver]
    if not fitting and not any(everything or one.receiver == receiver for one in shown.off):
        from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

        known = sorted({message.receiver for message in shown.messages})
        if receiver is None:
            raise Refused("nothing waits, and nothing was given up")
        raise Refused(f'nothing waits for "{receiver}", and nothing was given up{did_you_mean(receiver, known)}')
    return fitting


def _named(shown: "OutboxShown", ids: Sequence[str]) -> Sequence["OutboxMessage"]:
    """The messages with these ids or prefixes of ids."""
    found: dict[str, OutboxMessage] = {}
    for named in ids:
        fitting = [message for message in shown.messages if named and message.id.startswith(named.strip().upper())]
        if not fitting:
            raise Refused(f'no message "{named}" waits or was given up; expected an id or its beginning, as `watchdog outbox` lists them')
        if len(fitting) > 1:
            raise Refused(f'several messages begin with "{named}": {", ".join(message.id for message in fitting[:5])}; give more of the id')
        found[fitting[0].id] = fitting[0]
    return list(found.values())


def _all_configured(loaded: "Loaded", receivers: Sequence[str]) -> None:
    """Refuse if one of these receivers is not configured, so that nothing can be sent to it."""
    known = [receiver.name for receiver in loaded.settings.receiver]
    for name in dict.fromkeys(receivers):
        if name not in known:
            raise Refused(
                f'receiver "{name}" is not configured, so that nothing can be sent to it; configure it again, let another claim it with '
                f'`was = "{name}"`, or `watchdog outbox drop --receiver {name}`'
            )
