"""`watchdog doctor --app`: the options that belong to it, and its run.

In: what the command line says. Out: an exit code, after printing what was found in the app.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import click

from watchdog.cli.output.refusals import Refused

__all__ = ["AppAsked", "app_options", "examine_app"]

F = TypeVar("F", bound=Callable[..., Any])


def app_options(command: F) -> F:
    """`--app` and what can be said beside it."""
    for option in (
        click.option("--skip", "skipped", metavar="FINDING", multiple=True, help="With --app: leave out this finding (repeatable)."),
        click.option(
            "--queues", metavar="NAMES", multiple=True, help="With --app: what its workers consume, as after their -Q (repeatable)."
        ),
        click.option("--python", metavar="FILE", help="With --app: the Python that has the app's packages, instead of this one."),
        click.option("--app", metavar="APP", help="A Celery app to examine without its cluster, as for `celery -A`: module:attribute."),
    ):
        command = option(command)
    return command


class AppAsked(NamedTuple):
    """What the command line says of the app. `clashing`: an option given beside it that asks for a live cluster."""

    app: str
    python: str | None
    queues: tuple[str, ...]
    skipped: tuple[str, ...]
    clashing: str | None


def examine_app(asked: AppAsked, fail_on: str, style: str) -> int:
    """Examine the app, print what was found, and return the exit code."""
    from watchdog.app.examining import examined_app  # noqa: PLC0415
    from watchdog.cli.check.command import NotAsked  # noqa: PLC0415
    from watchdog.cli.check.doctor_page import doctor_page  # noqa: PLC0415
    from watchdog.cli.check.shown import Shown  # noqa: PLC0415
    from watchdog.cli.output.screen import show  # noqa: PLC0415
    from watchdog.config.masking import MASKING  # noqa: PLC0415
    from watchdog.config.rulebook import app_rules  # noqa: PLC0415
    from watchdog.core.model.severity import Severity  # noqa: PLC0415
    from watchdog.core.text.secrets import secrets_in  # noqa: PLC0415
    from watchdog.sources.celery_app.process import AppUnreadError  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415
    from watchdog.tables.celery_app import APP_TABLES  # noqa: PLC0415

    if asked.clashing:
        raise Refused(f"expected --app alone, found {asked.clashing} beside it: an app is examined without its cluster; run doctor twice")
    names = [rule.name for rule in app_rules(TABLES, APP_TABLES)]
    _check_names(asked.skipped, names)
    MASKING.learn(secrets_in(os.environ))
    consumed = [name for names in asked.queues for name in names.split(",") if name]
    try:
        python = asked.python or sys.executable
        result = examined_app(asked.app, python, consumed, asked.skipped, Severity(fail_on), os.environ)
    except AppUnreadError as error:
        raise NotAsked(str(error)) from None
    footer = f"{asked.app}, without its cluster"
    if style == "text":
        show(doctor_page(result, names, footer))
    else:
        Shown(style, footer, verbose=True).show(result)
    return result.exit_code


def _check_names(skipped: Sequence[str], names: Sequence[str]) -> None:
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415

    for name in skipped:
        if name not in names:
            raise Refused(
                f'--skip: no finding of an app is called "{name}"{did_you_mean(name, names) or "; there are " + ", ".join(names)}'
            )
