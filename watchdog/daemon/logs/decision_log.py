"""The log of decisions: a file of JSON lines, one for each change of what is decided about an incident and a receiver.

It is written after the commit, and never fails the work that it describes: what cannot be written (a full disk, a missing folder) is one
warning, is kept, up to a limit, and is written with the next cycle that can. A file that was moved away, as logrotate does, is opened
again. Only the last decisions are remembered, so after a restart or a reload each may appear once more.

In: a committed plan with its decisions. Out: lines in the file.
"""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from msgspec.structs import replace

from watchdog.config.masking import MASKING
from watchdog.core.incidents.explain.document import decision_document
from watchdog.core.incidents.explain.explained import Explained
from watchdog.core.incidents.plan import Plan

__all__ = ["DecisionLog"]

log = structlog.get_logger()

MOST_KEPT = 4 * 1024**2
"""Bytes that are kept while the file cannot be written. What comes after them is lost."""

Decided = Mapping[tuple[str, str], Explained]
"""(incident id, receiver) -> the last decision."""


class DecisionLog:
    """Appends to one file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._last: dict[str, Decided] = {}
        self._file: int | None = None
        self._unwritten = b""
        self._failing = ""
        self._lost = 0

    def write(self, plan: Plan) -> None:
        """Append what has changed since the last plan of this target. Never raises."""
        with self._turn:
            before, now = self._last.get(plan.target, {}), {}
            lines = []
            for made in plan.decisions:
                key = made.incident.id, made.receiver
                now[key] = _timeless(made.explained)
                if before.get(key) != now[key]:
                    lines.append(decision_document(made, plan.at))
            self._last[plan.target] = now
            if lines:
                self._keep("".join(f"{_line(line)}\n" for line in lines).encode(), len(lines))
            if self._unwritten:
                self._append()

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._close()

    def _keep(self, lines: bytes, count: int) -> None:
        if self._unwritten and len(self._unwritten) + len(lines) > MOST_KEPT:
            self._lost += count
        else:
            self._unwritten += lines

    def _append(self) -> None:
        try:
            file = self._opened()
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(file, self._unwritten) :]
        except OSError as error:
            self._failed((error.strerror or type(error).__name__).lower())
            return
        if self._failing:
            log.info("decisions_written_again", file=str(self._path), lost=self._lost)
        self._failing, self._lost = "", 0

    def _failed(self, reason: str) -> None:
        """Warn once, until it succeeds or the reason is another."""
        if self._failing != reason:
            log.warning("decisions_not_written", file=str(self._path), reason=reason)
        self._failing = reason

    def _opened(self) -> int:
        """The file at the path; opened again if it is another one than before."""
        if self._file is not None:
            try:
                there, ours = self._path.stat(), os.fstat(self._file)
                same = (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
            except OSError:
                same = False
            if not same:
                self._close()
        if self._file is None:
            # non-blocking: a pipe that nobody reads is an error, and does not stop a cycle
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o640)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _timeless(made: Explained) -> Explained:
    """The decision with its reason as one text, without the time at which that was worked out."""
    reason = made.reason
    if reason is None:
        return made
    other = reason.cause or reason.same_as
    named = (other.id if other is not None else "") or str(
        reason.silence or reason.deploy or reason.acknowledged or (reason.window.name if reason.window else "")
    )
    return replace(made, reason=None, why=f"{made.why} {reason.word} {named}")


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(MASKING.event(None, "", document))
