"""`watchdog ack`, `unack` and `close`: what people say of single incidents; a running daemon, if there is one, obeys at its next cycle.

In: ids, as `watchdog incidents` shows them. Out: what was written. If one of several incidents is refused, nothing is written.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from watchdog.cli.completion import complete_incidents
from watchdog.cli.database.opening import opened
from watchdog.cli.options import author_option, config_option, database_option, format_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.cli.output.page import Block

__all__ = ["ack", "close", "unack"]

FROM_INPUT = "-"
F = TypeVar("F", bound=Callable[..., Any])


def _of_incidents(command: F) -> F:
    """What the three commands have in common."""
    command = author_option(format_option("text", "json")(config_option(database_option(command))))
    return click.argument("named", metavar="ID...", nargs=-1, required=True, shell_complete=complete_incidents)(command)


@click.command(
    epilog="""\b
Examples:
  watchdog ack 01KAQ2M7C0XJ --comment "the disk is on its way"
  watchdog incidents | grep WorkerLost | watchdog ack - --comment "host is being replaced"
"""
)
@_of_incidents
@click.option("--comment", default="", metavar="TEXT", help="What you know; shown wherever the incident is.")
@click.pass_context
def ack(
    ctx: click.Context, *, named: tuple[str, ...], author: str, style: str, config: Path | None, database: str | None, comment: str
) -> None:
    """Say that you know of incidents: no more reminders.

    ID is an id, the beginning of one, or a fingerprint; - reads them from standard input, the first word of each line. Nobody is
    notified of these incidents again, until they end or get worse. Everybody who was notified of the beginning is notified of the end.
    """
    from watchdog.cli.database.acknowledge_page import acknowledged_page  # noqa: PLC0415
    from watchdog.status.documents.answered import acknowledged_document  # noqa: PLC0415

    ids = _ids(named)
    with opened(ctx, config, database, f"watchdog ack {' '.join(ids)}", write=True) as store:
        given = store.acknowledge(ids, comment.strip(), author, time.time())
    _show(style, lambda: acknowledged_page(given), lambda: acknowledged_document(given))


@click.command(
    epilog="""\b
Examples:
  watchdog unack 01KAQ2M7C0XJ
"""
)
@_of_incidents
@click.pass_context
def unack(ctx: click.Context, *, named: tuple[str, ...], author: str, style: str, config: Path | None, database: str | None) -> None:
    """Take acknowledgements back: reminders start again.

    ID is as in `watchdog ack`.
    """
    from watchdog.cli.database.acknowledge_page import taken_back_page  # noqa: PLC0415
    from watchdog.status.documents.answered import taken_back_document  # noqa: PLC0415

    ids = _ids(named)
    with opened(ctx, config, database, f"watchdog unack {' '.join(ids)}", write=True) as store:
        found = store.take_back_acknowledgements(ids, author, time.time())
    _show(style, lambda: taken_back_page(found), lambda: taken_back_document(found))


@click.command(
    epilog="""\b
Examples:
  watchdog close 01KAQ2M7C0XJ --reason "the worker was retired"
"""
)
@_of_incidents
@click.option("--reason", required=True, metavar="TEXT", help="Why; everybody who is notified of the end reads it.")
@click.pass_context
def close(
    ctx: click.Context, *, named: tuple[str, ...], author: str, style: str, config: Path | None, database: str | None, reason: str
) -> None:
    """End incidents by hand that are not in breach any more.

    ID is as in `watchdog ack`. Everybody who was notified of the beginning is notified of the end, with the reason. What is in breach
    would begin again, and is refused.
    """
    from watchdog.cli.database.acknowledge_page import closed_page  # noqa: PLC0415
    from watchdog.status.documents.answered import closed_document  # noqa: PLC0415

    because = " ".join(reason.split())
    if not because:
        raise Refused('--reason: expected a reason, as in --reason "the worker was retired", found nothing')
    ids = _ids(named)
    with opened(ctx, config, database, f"watchdog close {' '.join(ids)}", write=True) as store:
        ended, running = store.close_incidents(ids, because, author, time.time()), store.watched().now
    _show(style, lambda: closed_page(ended, running), lambda: closed_document(ended))


def _ids(named: Sequence[str]) -> list[str]:
    """The ids as typed, and those on standard input in place of `-`."""
    ids: list[str] = []
    for one in named:
        if one == FROM_INPUT:
            ids += [line.split()[0] for line in sys.stdin if line.strip()]
        else:
            ids.append(one)
    if not ids:
        raise Refused("expected ids of incidents on standard input, one on each line, found nothing; `watchdog incidents` lists them")
    return ids


def _show(style: str, page: Callable[[], "Sequence[Block]"], document: Callable[[], object]) -> None:
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415

    if style == "json":
        show_json(document())
    else:
        show(page())
