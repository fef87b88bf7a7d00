"""Plays each scene in a process of its own, some at a time. This module is that process, too: `python -m tests.scenes.apart`.

In: scenes, a folder for their logs, what is different in this run. Out: the verdict of each, and a line as it ends. A scene that trips
or hangs has missed all that it was to see. An interruption ends what is played, with what it started, and begins no more.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from tests.scenes.judge import Verdict
from tests.scenes.plays import SCENES
from tests.scenes.scene import Scene, Variant, play

__all__ = ["Stage"]

GRACE_S = 240.0  # to start and to end a cluster, and for slow steps, on a busy machine


class Stage:
    """`at_once`: how many scenes play at a time. `variant` is asked for each scene, as each needs a database of its own."""

    def __init__(self, logs: Path, variant: Callable[[], Variant], at_once: int) -> None:
        self._logs, self._variant, self._at_once = logs, variant, at_once
        self._playing: set[subprocess.Popen[str]] = set()
        self._interrupted = False

    def play(self, scenes: Sequence[Scene]) -> dict[str, Verdict]:
        """The verdicts, by name; the longest is played first, so that the last one ends sooner."""
        longest_first = sorted(scenes, key=lambda scene: -scene.longest_s)
        with ThreadPoolExecutor(self._at_once) as pool:
            try:
                return dict(zip((scene.name for scene in longest_first), pool.map(self._one, longest_first), strict=True))
            except BaseException:
                self._interrupted = True
                pool.shutdown(wait=False, cancel_futures=True)
                for process in tuple(self._playing):
                    process.terminate()
                raise

    def _one(self, scene: Scene) -> Verdict:
        verdict = self._verdict(scene)
        how = "interrupted" if self._interrupted else "as it should be" if verdict.passed else "not as it should be"
        print(f"{scene.name}: {how}", file=sys.stderr, flush=True)  # noqa: T201
        return verdict

    def _verdict(self, scene: Scene) -> Verdict:
        logs = self._logs / scene.name
        logs.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "tests.scenes.apart",
            scene.name,
            str(scene.minutes),
            str(logs),
            json.dumps(asdict(self._variant())),
        ]
        # In a session of its own, it hears of Ctrl-C once, from here, and not a second time while it ends what it started.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self._playing.add(process)
        try:
            out, error = process.communicate(timeout=scene.longest_s + GRACE_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.communicate()
            return Verdict(0, len(scene.needs), missed=(f"the scene did not end within {scene.longest_s + GRACE_S:.0f}s",))
        finally:
            self._playing.discard(process)
        (logs / "scene.log").write_text(error)
        if process.returncode:
            return Verdict(0, len(scene.needs), missed=(f"the scene tripped: {error.strip().splitlines()[-1:]}",))
        return Verdict(**json.loads(out.splitlines()[-1]))


def main(name: str, minutes: str, logs: str, variant: str) -> None:
    """Play one scene here, and print its verdict."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not Ctrl-C: a shell's background jobs are deaf to it
    verdict = play(replace(SCENES[name], minutes=int(minutes)), Path(logs), Variant(**json.loads(variant)))
    print(json.dumps(asdict(verdict)))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
