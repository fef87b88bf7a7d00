"""`make scenes`: all scenes, or those named, four at a time; a table, and exit code 1 where anything was false, missed or late.

`--markdown` prints the table as docs/reliability.md shows it. A scene that does not end in its time, or trips, counts as failed.
"""

import argparse
import contextlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.scenes.apart import Stage
from tests.scenes.judge import Verdict
from tests.scenes.plays import SCENES
from tests.scenes.scene import NO_FLOWER, ON_RABBITMQ, Scene, Variant, lacking
from tests.servers.flower_versions import OLDER, flower_python
from tests.servers.green_pools import green_python
from tests.servers.postgresql import needs_postgresql, postgresql_installed, real_postgresql

AT_ONCE = 4
EVIDENCE = ("false", "missed", "late", "extra")
FLOWERS = {version.rpartition(".")[0]: version for version in OLDER}
POSTGRESQL = "postgresql"


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 all right, 1 something false, missed or late, 2 no such scene, or no PostgreSQL, 130 interrupted."""
    asked = _parser().parse_args(argv)
    if fault := _fault(asked):
        print(fault, file=sys.stderr)  # noqa: T201
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logs = asked.logs or Path(tempfile.mkdtemp(prefix="watchdog-scenes-"))
    scenes = list(_playable(asked))
    _prepare(asked, scenes)
    try:
        with _variants(asked) as variant:
            verdicts = Stage(logs, variant, asked.at_once).play(scenes)
    except KeyboardInterrupt:
        return 130
    print(_table(verdicts, markdown=asked.markdown))  # noqa: T201
    for name, verdict in sorted(verdicts.items()):
        for kind in EVIDENCE:
            for line in getattr(verdict, kind):
                print(f"{name}: {kind}: {line}", file=sys.stderr)  # noqa: T201
    print(f"logs: {logs}", file=sys.stderr)  # noqa: T201
    return 0 if all(verdict.passed for verdict in verdicts.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make scenes")
    parser.add_argument("names", nargs="*", help="scenes; without: all")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--logs", type=Path, default=None, help="where logs go; without: a new temporary folder")
    parser.add_argument("--at-once", type=_at_least(1), default=AT_ONCE, help="how many play at a time (%(default)s)")
    parser.add_argument("--minutes", type=_at_least(5), help="how long healthy_hour lasts (60)")
    parser.add_argument(
        "--flower", choices=(NO_FLOWER, *FLOWERS), default="", help=f"an older one, or {NO_FLOWER}: watchdog hears events instead"
    )
    parser.add_argument(
        "--broker", choices=(ON_RABBITMQ,), default="", help="where scenes on Redis are played, if they do nothing to Redis itself"
    )
    parser.add_argument("--store", choices=(POSTGRESQL,), default="", help="where the daemon keeps what it otherwise keeps in a file")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a number of {least} or more, found {text}")
        return int(text)

    return number


def _fault(asked: argparse.Namespace) -> str:
    if unknown := [name for name in asked.names if name not in SCENES]:
        return f"no such scene: {', '.join(unknown)}; there are: {', '.join(SCENES)}"
    return needs_postgresql if asked.store and not postgresql_installed() else ""


def _playable(asked: argparse.Namespace) -> Iterator[Scene]:
    """The scenes asked for, less those that lack something here, which are named."""
    for scene in (SCENES[name] for name in asked.names or SCENES):
        if lacks := lacking(scene, asked.broker):
            print(f"{scene.name}: not played: {lacks} is not installed", file=sys.stderr)  # noqa: T201
        else:
            yield replace(scene, minutes=asked.minutes) if asked.minutes and scene.minutes else scene


def _prepare(asked: argparse.Namespace, scenes: Sequence[Scene]) -> None:
    """Make the virtual environments that are needed, before several scenes wait for them."""
    if asked.flower in FLOWERS:
        flower_python(FLOWERS[asked.flower])
    if any(scene.green_pools for scene in scenes):
        green_python()


@contextlib.contextmanager
def _variants(asked: argparse.Namespace) -> Iterator[Callable[[], Variant]]:
    """What is different in this run; on PostgreSQL, with an empty database each time it is asked for."""
    usual = Variant(flower=FLOWERS.get(asked.flower, asked.flower), broker=asked.broker)
    if not asked.store:
        yield lambda: usual
        return
    with real_postgresql() as server:
        yield lambda: replace(usual, store=server.new_database())


def _table(verdicts: dict[str, Verdict], *, markdown: bool) -> str:
    rows: list[tuple[str, ...]] = [("scene", "sent", "needed", *EVIDENCE)]
    for name, one in sorted(verdicts.items()):
        rows.append((name, str(one.told), str(one.needed), *(str(len(getattr(one, kind))) for kind in EVIDENCE)))
    if markdown:
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], "| --- |" + " ---: |" * (len(rows[0]) - 1), *lines[1:]])
    return "\n".join(f"{row[0]:18}" + "".join(f"{cell:>8}" for cell in row[1:]) for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
