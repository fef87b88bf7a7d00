"""`watchdog task ID`: one task with its traceback, from Flower and the result backend."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.options import config_option, targets_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.config.load import Loaded
    from watchdog.tables.running.one_task import OneTask

__all__ = ["task"]

LONGEST_ID = 500
NOT_FOUND, SEVERAL, COULD_NOT_LOOK = 1, 2, 3


@click.command(
    epilog="""\b
Exit codes:
  0  found
  1  nobody knows it
  2  usage or configuration is wrong, or several ids begin so
  3  not found, but something could not be asked

\b
Examples:
  watchdog task 5bbc3642-ff83-442c-9dc9-ed150e4335aa
  watchdog task 5bbc3642
  watchdog task 5bbc3642 --target prod --json
"""
)
@click.argument("task_id", metavar="ID")
@targets_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
@click.option("--flower", metavar="URL", help="The Flower to ask, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis with its result, instead of the configured targets.")
@config_option
@click.pass_context
def task(
    ctx: click.Context,
    *,
    task_id: str,
    targets: tuple[str, ...],
    as_json: bool,
    flower: str | None,
    redis: str | None,
    config: Path | None,
) -> None:
    """Show one task: state, worker, times, exception and traceback.

    Asks Flower and the result backend of each target now. The beginning of an ID is enough if Flower lists only one such task. Arguments
    and what it returned are hidden, unless `show_arguments` says otherwise.
    """
    from watchdog.cli.configuration import load, named_config  # noqa: PLC0415
    from watchdog.cli.output.screen import show, show_json  # noqa: PLC0415

    if not task_id.strip() or len(task_id) > LONGEST_ID:
        raise Refused(f"expected the id of a task, or its beginning, of at most {LONGEST_ID} characters")
    loaded = load(config, {"flower": flower, "redis": redis})
    found = _looked(loaded, targets, task_id)
    if as_json:
        from watchdog.status.documents.task import task_document  # noqa: PLC0415

        show_json(task_document(task_id, found, time.time()))
    else:
        from watchdog.cli.status.task_page import task_page  # noqa: PLC0415

        show(task_page(task_id, found, named_config(loaded), time.time()))
    ctx.exit(_exit_code(found))


def _looked(loaded: "Loaded", targets: tuple[str, ...], task_id: str) -> "list[OneTask]":
    from watchdog.app.polling import build_task_pollers  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_names  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.core.model.reading import Past  # noqa: PLC0415
    from watchdog.tables.running.one_task import one_task, table_of_task  # noqa: PLC0415

    pollers = build_task_pollers(loaded.settings, chosen_names(loaded.settings, targets), table_of_task(task_id))
    found = []
    with StatusLine() as status:
        for poller in pollers:
            try:
                found.append(one_task(poller.target, poller.ask(Past(), time.time(), status.say), task_id))
            finally:
                poller.close()
    return found


def _exit_code(found: "list[OneTask]") -> int:
    if any(task.found for task in found):
        return 0
    if any(task.matches for task in found):
        return SEVERAL
    return NOT_FOUND if all(task.everywhere for task in found) else COULD_NOT_LOOK
