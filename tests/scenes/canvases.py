"""A client that uses every primitive of Celery's canvas, on every queue of a healthy cluster, each with a result backend of its own.

In: the file for its counts, and queues with the URLs of their backends, as JSON. Out: that file, again and again: for each queue, how often
each primitive gave the right result, and how often one did not (`WRONG`). It is a process of its own: `python -m tests.scenes.canvases`.
"""

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from celery import Celery, chain, chord, group
from celery.canvas import Signature, chunks, xmap, xstarmap

from tests.scenes.tasks import make_scene_app

__all__ = ["PRIMITIVES", "WRONG", "primitives_of"]

WRONG = "wrong"
PAUSE_S = 1.0
PATIENCE_S = 120.0  # on a machine that is busy with other scenes, behind a solo pool that is busy


class Canvas:
    """The primitives as one app sends them to one queue."""

    def __init__(self, app: Celery, queue: str) -> None:
        self.app, self.queue = app, queue

    def add(self, *numbers: int) -> Signature:
        return self.app.signature("scene.add", numbers, queue=self.queue)

    def total(self) -> Signature:
        return self.app.signature("scene.total", queue=self.queue)


PRIMITIVES: Mapping[str, tuple[Callable[[Canvas], Any], object]] = {
    "group": (lambda on: group([on.add(n, n) for n in range(3)], app=on.app), [0, 2, 4]),
    "chain": (lambda on: chain(on.add(1, 1), on.add(2), on.add(3), app=on.app), 7),
    "chord": (lambda on: chord([on.add(n, n) for n in range(5)], on.total(), app=on.app), 20),
    "map": (lambda on: xmap(on.total(), [[1, 2], [3, 4]], app=on.app), [3, 7]),
    "starmap": (lambda on: xstarmap(on.add(), [(1, 2), (3, 4)], app=on.app), [3, 7]),
    "chunks": (lambda on: chunks(on.add(), [(n, n) for n in range(4)], 2, app=on.app), [[0, 2], [4, 6]]),
}
NO_CHORDS = "rpc"  # its results are messages to whoever sent the task, and a chord waits for all of them elsewhere


def primitives_of(backend: str) -> Sequence[str]:
    """The names of those that work with this result backend."""
    return [name for name in PRIMITIVES if name != "chord" or not backend.startswith(NO_CHORDS)]


def _send_for_ever(queue: str, backend: str, counts: Counter[str]) -> None:
    canvas = Canvas(make_scene_app({**os.environ, "DEMO_RESULTS_URL": backend}), queue)
    pause = threading.Event()
    while True:
        for name in primitives_of(backend):
            made, right = PRIMITIVES[name]
            counts[name if _result(made(canvas), queue) == right else WRONG] += 1
            pause.wait(PAUSE_S)


def _result(work: Any, queue: str) -> object:
    """What it gave; or the error, which is never right."""
    try:
        return work.apply_async(queue=queue).get(timeout=PATIENCE_S, disable_sync_subtasks=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is counted, and the next one is sent
        print(f"{queue}: {error!r} of {work}", file=sys.stderr, flush=True)  # noqa: T201
        return error


def main(counted: str, backends: str) -> None:
    """Send until the process is ended."""
    counts: dict[str, Counter[str]] = {}
    for queue, backend in json.loads(backends).items():
        counts[queue] = Counter()
        threading.Thread(target=_send_for_ever, args=(queue, backend, counts[queue]), daemon=True).start()
    pause = threading.Event()
    while not pause.wait(1.0):
        new = Path(f"{counted}.new")
        new.write_text(json.dumps({queue: dict(of_queue) for queue, of_queue in counts.items()}))  # copies: the threads go on
        new.replace(counted)  # so that it is whole whenever it is read


if __name__ == "__main__":
    main(*sys.argv[1:])
