"""`watchdog rules record`: what a live cluster answers, look by look, for scenarios that test the whole path from answers to messages."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from watchdog.cli.options import config_option, longer_than_nothing, targets_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.polling.poller import Poller

__all__ = ["record"]

KEEP_S = 1800.0
"""So long earlier looks count for what tables ask."""


@click.command(
    epilog="""\b
Exit codes:
  0  recorded
  2  usage or configuration is wrong, or FILE cannot be written

\b
Examples:
  watchdog rules record alerts/scenarios/quiet-hour.jsonl.gz --for 1h
  watchdog rules record --flower http://localhost:5555 --redis redis://localhost --for 5m stuck.jsonl
"""
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--for", "for_s", metavar="DURATION", default="5m", show_default=True, callback=longer_than_nothing, help="How long.")
@click.option(
    "--every", "every_s", metavar="DURATION", callback=longer_than_nothing, help="Time between two looks.  [default: as configured]"
)
@click.option("--flower", metavar="URL", help="The Flower to record, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis broker to record, instead of the configured targets.")
@click.option("--rabbitmq", metavar="URL", help="RabbitMQ's management API, where that is the broker, instead of --redis.")
@targets_option
@config_option
def record(  # noqa: PLR0913 - the options
    *,
    file: Path,
    for_s: float,
    every_s: float | None,
    flower: str | None,
    redis: str | None,
    rabbitmq: str | None,
    targets: tuple[str, ...],
    config: Path | None,
) -> None:
    """Record what a target answers, for `rules test` to play.

    A scenario plays FILE with answers = "FILE". It holds names of workers, queues and tasks, and texts of exceptions; secrets of the
    configuration are masked, and arguments of tasks left out. Nothing is judged and nobody is notified; Ctrl-C ends it, and keeps what is
    there.
    """
    from watchdog.app.polling import build_recorded_poller  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_targets, load_with_rules  # noqa: PLC0415
    from watchdog.cli.rules.testing.recordings import opened_to_write  # noqa: PLC0415
    from watchdog.core.scenarios.recorded.recording import without_private  # noqa: PLC0415

    conf = load_with_rules(config, {"flower": flower, "redis": redis, "rabbitmq": rabbitmq})
    chosen = chosen_targets(conf, targets)
    if len(chosen) != 1:
        raise Refused(f"a recording is of one target: expected --target with one of {', '.join(chosen)}")
    poller = build_recorded_poller(conf.settings, chosen[0], without_private)
    try:
        with opened_to_write(file) as opened:
            looks = _recorded(poller, opened, for_s, every_s or poller.target.interval_s)
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}; name a new file, in a folder that you may write") from None
    finally:
        poller.close()
    click.echo(f'{looks} looks at {chosen[0]} in {file}; in a scenario beside it: answers = "{file.name}"')


def _recorded(poller: "Poller", file: TextIO, for_s: float, every_s: float) -> int:
    """Look until the time is over, or somebody interrupts; return how often."""
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
    from watchdog.config.masking import MASKING  # noqa: PLC0415
    from watchdog.core.model.reading import Past, read_tables  # noqa: PLC0415
    from watchdog.core.scenarios.recorded.recording import first_line, look_line  # noqa: PLC0415
    from watchdog.core.text.durations import format_duration  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    file.write(first_line(poller.target, every_s, MASKING) + "\n")
    past, looks, began = Past(), 0, time.monotonic()
    try:
        with StatusLine() as status:
            while looks == 0 or looks * every_s <= for_s:
                status.say(f"look {looks + 1}: {format_duration(looks * every_s)} of {format_duration(for_s)}")
                now = time.time()
                replies = poller.ask(past, now)
                past = past.plus(read_tables(TABLES, poller.target, past, replies, now), KEEP_S)
                file.write(look_line(now, replies, MASKING) + "\n")
                file.flush()
                looks += 1
                time.sleep(max(began + looks * every_s - time.monotonic(), 0.0) if looks * every_s <= for_s else 0.0)
    except KeyboardInterrupt:
        pass
    return looks
