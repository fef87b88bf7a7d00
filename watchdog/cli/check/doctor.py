"""`watchdog doctor`: what is wrong with the set-up of a cluster and of watchdog's view of it, and which alerts are blind for it.

It judges all rules, as `check` does, and more of its own, which nobody is notified of.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.check.command import CheckCommand
from watchdog.cli.check.doctor_app import AppAsked, app_options, examine_app
from watchdog.cli.options import config_option, format_option, targets_option
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from watchdog.config.load import Loaded
    from watchdog.core.judging.check_result import CheckResult
    from watchdog.core.model.last_look import LastLook
    from watchdog.core.model.severity import Severity
    from watchdog.polling.check import Checker

__all__ = ["doctor"]

TIMEOUT_S = 30.0
PAUSE_S = 3.0
"""Between its two looks. Workers send a heartbeat every 2 seconds, which shows their clocks; what compares two looks is known then."""


@click.command(
    cls=CheckCommand,
    epilog="""\b
Exit codes:
  0  nothing to mend
  1  something at or above --fail-on was found
  2  usage, configuration or rules are wrong
  3  could not look

\b
Examples:
  watchdog doctor
  watchdog doctor --target prod --send
  watchdog doctor --flower http://localhost:5555 --redis redis://localhost:6379/0
  watchdog doctor --format junit > doctor.xml
  watchdog doctor --app proj.celery:app --queues celery,mail
""",
)
@click.option("--flower", metavar="URL", help="The Flower to examine, instead of the configured targets.")
@click.option("--redis", metavar="URL", help="The Redis broker to examine, instead of the configured targets.")
@click.option("--rabbitmq", metavar="URL", help="RabbitMQ's management API, where that is the broker, instead of --redis.")
@app_options
@click.option("--send", is_flag=True, help="Also send a test message to every receiver.")
@click.option(
    "--fail-on",
    type=click.Choice(("info", "warning", "error", "critical")),
    default="warning",
    show_default=True,
    help="The lowest severity that counts as a failure.",
)
@targets_option
@format_option("text", "json", "junit", "github")
@config_option
@click.pass_context
def doctor(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    flower: str | None,
    redis: str | None,
    rabbitmq: str | None,
    send: bool,
    fail_on: str,
    targets: tuple[str, ...],
    style: str,
    config: Path | None,
    app: str | None,
    python: str | None,
    queues: tuple[str, ...],
    skipped: tuple[str, ...],
) -> None:
    """Say what to mend, and which alerts are blind.

    Looks twice, a few seconds apart. Each finding says why it matters and what mends it. Notifies nobody, unless --send is given.
    With --app it examines the code of a Celery app instead: its settings, tasks, routes and schedules, without a broker.
    """
    if app is not None:
        named = {"--flower": flower, "--redis": redis, "--rabbitmq": rabbitmq, "--send": send, "--target": targets}
        clashing = next((option for option, given in named.items() if given), None)
        ctx.exit(examine_app(AppAsked(app, python, queues, skipped, clashing), fail_on, style))
    for option in (name for name, given in {"--python": python, "--queues": queues, "--skip": skipped}.items() if given):
        raise Refused(f"expected {option} beside --app, found no --app: a live cluster says itself what its workers consume")
    code = _live(config, {"flower": flower, "redis": redis, "rabbitmq": rabbitmq}, targets, fail_on, style)
    ctx.exit(max(code, _sent(ctx, config) if send else 0))


def _live(config: Path | None, flags: "Mapping[str, str | None]", targets: tuple[str, ...], fail_on: str, style: str) -> int:
    """Examine a live cluster and show what is found. Returns the exit code."""
    from msgspec.structs import replace  # noqa: PLC0415

    from watchdog.app.polling import build_checker  # noqa: PLC0415
    from watchdog.cli.check.doctor_page import doctor_page  # noqa: PLC0415
    from watchdog.cli.check.shown import Shown  # noqa: PLC0415
    from watchdog.cli.configuration import chosen_targets, load_with_rules, named_config, warn_of_oddities  # noqa: PLC0415
    from watchdog.cli.output.screen import show  # noqa: PLC0415
    from watchdog.config.rulebook import with_doctor_rules  # noqa: PLC0415
    from watchdog.core.model.severity import Severity  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    conf = load_with_rules(config, flags)
    chosen = chosen_targets(conf, targets)
    warn_of_oddities(conf)
    book, own = with_doctor_rules(conf.book, TABLES)
    conf = replace(conf, book=book)
    checker = build_checker(conf, chosen, time.time, time.perf_counter, (), TIMEOUT_S)
    try:
        result = _examined(checker, Severity(fail_on))
    finally:
        checker.close()
    footer = named_config(conf.loaded)
    if style == "text":
        heard = {} if any(flags.values()) else _heard_by_daemon(conf.loaded, chosen, time.time())
        show(doctor_page(result, own, footer, heard))
    else:
        Shown(style, footer, verbose=True).show(result)
    return result.exit_code


def _examined(checker: "Checker", fail_on: "Severity") -> "CheckResult":
    """The second of two looks: the first has nothing to compare with."""
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415

    with StatusLine() as status:
        checker.check(fail_on, status.say)
        status.say(f"looking once more in {PAUSE_S:g} s")
        time.sleep(PAUSE_S)
        return checker.check(fail_on, status.say)


def _heard_by_daemon(loaded: "Loaded", names: "Collection[str]", now: float) -> dict[str, str]:
    """Target -> what `watchdog run` hears of it by events, as of its last look; or that none has looked."""
    from watchdog.config.database_path import is_absent  # noqa: PLC0415
    from watchdog.status.hearing import heard_at_last  # noqa: PLC0415

    hearing = [target for target in loaded.settings.target if target.hears and (not names or target.name in names)]
    looks: Mapping[str, LastLook] = {}
    if hearing and not is_absent(loaded.database):
        from watchdog.store import Store, StoreError  # noqa: PLC0415

        try:
            with Store.open(loaded.database, create=False, command="watchdog doctor") as store:
                looks = store.last_looks()
        except StoreError as error:
            return {target.name: f"unknown, {error}" for target in hearing}
    return {target.name: heard_at_last(looks.get(target.name), now, tasks=target.hears_tasks) for target in hearing}


def _sent(ctx: click.Context, config: Path | None) -> int:
    """The exit code of a test message to every receiver."""
    from watchdog.cli.receivers.command import test  # noqa: PLC0415

    try:
        ctx.invoke(test, names=(), everyone=True, digest=False, config=config)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return 0
