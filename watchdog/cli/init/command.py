"""`watchdog init`: writes a first `watchdog.toml` for the Flower and the broker that it finds."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdog.cli.output.refusals import Refused, Unusable

if TYPE_CHECKING:
    from watchdog.cli.init.look import Found
    from watchdog.cli.init.places import Place
    from watchdog.cli.init.text import Setup

__all__ = ["init"]

FILE = "watchdog.toml"
TARGET = "prod"
STDOUT = Path("-")


@click.command(
    epilog="""\b
Exit codes:
  0  written, and something answers
  1  written, and nothing answers; or the file cannot be written
  2  usage is wrong, or there is nothing to watch

\b
Tries, in this order:
  Flower    --flower, $WATCHDOG_FLOWER, http://localhost:5555
  RabbitMQ  --rabbitmq, $WATCHDOG_RABBITMQ, the host in $CELERY_BROKER_URL if that is amqp://
  Redis     --redis, $WATCHDOG_REDIS, $CELERY_BROKER_URL, $REDIS_URL, redis://localhost:6379/0

\b
Examples:
  watchdog init
  watchdog init --flower http://flower:5555 --redis redis://redis:6379/0 --yes
  watchdog init --yes --output -
"""
)
@click.option("--flower", metavar="URL", help="Where Flower is.")
@click.option("--redis", metavar="URL", help="Where Redis is, the broker.")
@click.option("--rabbitmq", metavar="URL", help="Where RabbitMQ's management API is, if that is the broker.")
@click.option("--name", metavar="NAME", help=f"The cluster's name in messages; otherwise {TARGET}.")
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help=f"The file to write; otherwise ./{FILE}; - is standard output."
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("-y", "--yes", is_flag=True, help="Ask no questions, as in a pipe.")
@click.pass_context
def init(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    flower: str | None,
    redis: str | None,
    rabbitmq: str | None,
    name: str | None,
    output: Path | None,
    force: bool,
    yes: bool,
) -> None:
    """Write a first watchdog.toml.

    Looks for Flower and the broker, reports what it found, and on a terminal asks for what is missing. It writes no secrets.
    """
    from watchdog.cli.init.text import text_of  # noqa: PLC0415

    path = output or ctx.find_root().params.get("config") or Path(FILE)
    if path != STDOUT:
        _refuse_unwritable(path, force=force)
    said_on = sys.stderr if path == STDOUT else sys.stdout

    def say(line: str) -> None:
        click.echo(line, file=said_on)

    asks = not yes and sys.stdin.isatty() and said_on.isatty()
    setup = _set_up({"flower": flower, "redis": redis, "rabbitmq": rabbitmq}, name, say, asks=asks)
    text = text_of(setup)
    if path == STDOUT:
        click.echo(text, nl=False)
    else:
        _write(path, text, force=force)
    _say_what_is_next(setup, path, say)
    ctx.exit(0 if _somebody_answers(setup) else 1)


def _set_up(flags: Mapping[str, str | None], name: str | None, say: Callable[[str], None], *, asks: bool) -> "Setup":
    """What was found, and what the user answered."""
    from watchdog.cli.init.places import USUAL, first_places  # noqa: PLC0415
    from watchdog.cli.init.questions import Questions  # noqa: PLC0415
    from watchdog.cli.init.text import Setup  # noqa: PLC0415

    receiver = "slack" if os.environ.get("SLACK_WEBHOOK_URL") else "screen"
    places = first_places(flags, os.environ)
    _refuse_unusable(places, flags, name)
    questions = Questions(_ask, _ask_hidden, lambda found: say(line_of(found)))
    sources: dict[str, Found] = {}
    for kind in USUAL:
        found = _looked(places[kind]) if kind in places else None
        if found is not None:
            say(line_of(found))
        elif kind == "redis" and "rabbitmq" not in places:
            say("redis: $CELERY_BROKER_URL names another broker; it is watched through Flower")
        if asks and found is not None and not found.answers:
            found = questions.source(found, kind)
        if found is not None and not _hopeless(found):
            sources[kind] = found
    if not sources:
        raise Refused("nothing to watch: expected a Flower, a broker or both; name one with --flower URL, --redis URL or --rabbitmq URL")
    name = name or (questions.name(TARGET) if asks else TARGET)
    return Setup(name, sources, questions.receiver(receiver) if asks else receiver)


def _refuse_unusable(places: "Mapping[str, Place]", flags: Mapping[str, str | None], name: str | None) -> None:
    """Refuse invalid flags, and empty variables of watchdog, before asking the user anything."""
    from watchdog.cli.init.look import unusable, unusable_name  # noqa: PLC0415
    from watchdog.config.environment.empty import EMPTY_FLAG, EMPTY_VARIABLE, is_empty  # noqa: PLC0415

    faults = [f"--{kind}: {EMPTY_FLAG}" for kind, given in flags.items() if is_empty(given)]
    variables = [f"WATCHDOG_{kind.upper()}" for kind, given in flags.items() if given is None]
    faults += [f"${name}: {EMPTY_VARIABLE}" for name in variables if is_empty(os.environ.get(name))]
    faults += [
        f"--{kind}: {wrong}"
        for kind, given in flags.items()
        if given and not is_empty(given) and kind in places and (wrong := unusable(places[kind]))
    ]
    if flags.get("redis") and flags.get("rabbitmq"):
        faults.append("--rabbitmq: expected one broker, found --redis too; where Redis holds the results alone, set `results` in the file")
    if name is not None and (wrong := unusable_name(name)):
        faults.append(f"--name: {wrong}")
    if faults:
        raise Refused(*faults)


def _hopeless(found: "Found") -> bool:
    """Whether its URL cannot be used at all: the variable is meant for something else."""
    from watchdog.cli.init.look import unusable  # noqa: PLC0415

    return unusable(found.place) is not None


def _looked(place: "Place") -> "Found":
    from watchdog.cli.init.look import look  # noqa: PLC0415
    from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415

    with StatusLine() as status:
        status.say(f"asking {place.kind}")
        return look(place)


def line_of(found: "Found") -> str:
    """One line about what was found and where."""
    from watchdog.cli.output.page import clean  # noqa: PLC0415

    place = found.place
    origin = f" ({', '.join(filter(None, (place.origin, place.note)))})" if place.meant and place.origin != "you" else ""
    return clean(f"{place.kind}{origin}: {f'{place.shown} ' if found.answers else ''}{found.said}")


def _ask(text: str, default: str) -> str:
    answer: str = click.prompt(text, default=default, show_default=bool(default), err=True)
    return answer.strip()


def _ask_hidden(text: str) -> str:
    answer: str = click.prompt(text, default="", show_default=False, hide_input=True, err=True)
    return answer


def _refuse_unwritable(path: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written, before asking the user anything."""
    if path.is_dir():
        raise Refused(f"{path}: expected a file to write, found a directory; name one with --output FILE")
    if not path.parent.is_dir():
        raise Refused(f"{path}: there is no directory {path.parent}; make it, or name another file with --output FILE")
    if not force and os.path.lexists(path):
        raise Refused(f"{path} is there already; --force writes over it, --output FILE writes another, --output - shows it")


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write the file, or refuse with the reason."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _refuse_unwritable(path, force=False)
    except OSError as error:
        raise Unusable(
            f"{path}: cannot write it: {(error.strerror or type(error).__name__).lower()}; --output FILE writes another"
        ) from None


def _somebody_answers(setup: "Setup") -> bool:
    """Whether any source is there, even if it refused the credentials."""
    return any(found.there for found in setup.sources.values())


def _say_what_is_next(setup: "Setup", path: Path, say: Callable[[str], None]) -> None:
    """Print the variables to set, and the next two commands."""
    from watchdog.cli.init.text import secrets_of  # noqa: PLC0415

    if path != STDOUT:
        say(f"{path} is written.")
    if not _somebody_answers(setup):
        say("Nothing answered: fix the addresses first.")
    for kind in sorted(set(setup.sources) - setup.active):
        say(f"Its {kind} line is commented out, because nothing answers there; remove the # once it does.")
    secrets = secrets_of(setup)
    missing = {name: example for name, example in secrets.items() if name not in os.environ}
    if missing:
        say("It refers to secrets that are not in it; set these here, and where watchdog runs:")
    for variable, example in missing.items():
        say(f"  export {variable}='{example}'{'  # %-escaped, as in a URL' if variable.endswith('_USERINFO') else ''}")
    if kept := [variable for variable in secrets if variable in os.environ]:
        say(f"It refers to ${', $'.join(kept)}, set here; set the same where watchdog runs.")
    for variable in ("WATCHDOG_FLOWER", "WATCHDOG_REDIS", "WATCHDOG_RABBITMQ"):
        if os.environ.get(variable):
            say(f"${variable} replaces the file's targets while it is set: unset {variable}")
    if path == STDOUT:
        return
    config = "" if path == Path(FILE) and not os.environ.get("WATCHDOG_CONFIG") else f" --config {path}"
    say("Next:")
    say(f"  watchdog check --once{config}")
    say(f"  watchdog run{config}")
