"""`make scenes`: all scenes, or those named, four at a time; a table, and exit code 1 where anything was false, missed or late.

`--markdown` prints the table as docs/reliability.md shows it. A scene that does not end in its time, or trips, counts as failed.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.scenes.judge import Verdict
from tests.scenes.plays import SCENES
from tests.scenes.scene import NO_FLOWER, ON_RABBITMQ, Scene, lacking, play
from tests.servers.flower_versions import OLDER, flower_python

AT_ONCE = 4
GRACE_S = 90.0  # to start and to end a cluster on a busy machine
EVIDENCE = ("false", "missed", "late", "extra")


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 all right, 1 something false, missed or late, 2 no such scene."""
    parser = argparse.ArgumentParser(prog="make scenes")
    parser.add_argument("names", nargs="*", help="scenes; without: all")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--logs", type=Path, default=None, help="where logs go; without: a new temporary folder")
    parser.add_argument("--flower", choices=(NO_FLOWER, *OLDER), help=f"an older one, or {NO_FLOWER}: watchdog hears events instead")
    parser.add_argument("--broker", choices=(ON_RABBITMQ,), help="where scenes on Redis are played, if they do nothing to Redis itself")
    parser.add_argument("--play", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if unknown := [name for name in asked.names if name not in SCENES]:
        print(f"no such scene: {', '.join(unknown)}; there are: {', '.join(SCENES)}", file=sys.stderr)  # noqa: T201
        return 2
    logs = asked.logs or Path(tempfile.mkdtemp(prefix="watchdog-scenes-"))
    if asked.play:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not Ctrl-C: a shell's background jobs are deaf to it
        print(json.dumps(asdict(play(SCENES[asked.names[0]], logs, flower=asked.flower, broker=asked.broker))))  # noqa: T201
        return 0
    scenes = [SCENES[name] for name in asked.names or SCENES]
    for scene in [scene for scene in scenes if lacking(scene, asked.broker)]:
        print(f"{scene.name}: not played: {lacking(scene, asked.broker)} is not installed", file=sys.stderr)  # noqa: T201
        scenes.remove(scene)
    scenes.sort(key=lambda scene: -scene.budget_s)  # the longest first: the last one ends sooner
    options = [word for name in ("flower", "broker") if (value := getattr(asked, name)) for word in (f"--{name}", value)]
    if asked.flower in OLDER:
        flower_python(asked.flower)  # made once, before four scenes want it at the same time
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = dict(
            zip((scene.name for scene in scenes), pool.map(lambda scene: _apart(scene, logs / scene.name, options), scenes), strict=True)
        )
    print(_table(verdicts, markdown=asked.markdown))  # noqa: T201
    for name, verdict in sorted(verdicts.items()):
        for kind in EVIDENCE:
            for line in getattr(verdict, kind):
                print(f"{name}: {kind}: {line}", file=sys.stderr)  # noqa: T201
    print(f"logs: {logs}", file=sys.stderr)  # noqa: T201
    return 0 if all(verdict.passed for verdict in verdicts.values()) else 1


def _apart(scene: Scene, logs: Path, options: Sequence[str]) -> Verdict:
    """The scene in a process of its own, and a line once it has ended."""
    verdict = _played(scene, logs, options)
    print(f"{scene.name}: {'as it should be' if verdict.passed else 'not as it should be'}", file=sys.stderr, flush=True)  # noqa: T201
    return verdict


def _played(scene: Scene, logs: Path, options: Sequence[str]) -> Verdict:
    """The verdict; a scene that trips or hangs has missed all that it was to see."""
    command = [sys.executable, "-m", "tests.scenes", "--play", scene.name, "--logs", str(logs), *options]
    logs.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, error = process.communicate(timeout=scene.budget_s + GRACE_S)
    except subprocess.TimeoutExpired:
        process.terminate()  # it ends what it started
        process.communicate()
        return Verdict(0, len(scene.needs), missed=(f"the scene did not end within {scene.budget_s + GRACE_S:.0f}s",))
    (logs / "scene.log").write_text(error)
    if process.returncode:
        return Verdict(0, len(scene.needs), missed=(f"the scene tripped: {error.strip().splitlines()[-1:]}",))
    return Verdict(**json.loads(out.splitlines()[-1]))


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
