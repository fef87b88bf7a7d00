"""A recording: what the sources of one target answered, look by look, as lines of JSON.

The first line says of which target, and how far the looks are apart; each further one is a look. It is text, so that a healthy hour can be
made a bad one by hand.

In: looks, or a text. Out: lines, or the recording; a fault with its line for anything else. No file is touched here.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.decoding import ready
from watchdog.core.model.replies import Replies
from watchdog.core.model.target import Target
from watchdog.core.scenarios.recorded.answers import Masked, answered, plain

__all__ = ["LookRecorded", "Recording", "RecordingError", "first_line", "look_line", "read_recording", "without_private"]

VERSION = 1
MOST_LOOKS = 20_000


class RecordingError(ValueError):
    """A text is no recording: `line`, and what was expected there."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line, self.what = line, what


class LookRecorded(Struct, frozen=True):
    """One look: when, by the clock of the time (epoch seconds), and all answers."""

    at: float
    replies: Replies


class Recording(Struct, frozen=True):
    """The looks at one target, in order; `every_s` apart."""

    target: Target
    every_s: float
    looks: tuple[LookRecorded, ...]


def without_private(target: Target) -> Target:
    """Return a target as it is recorded: without its address for people, ears, schedules and objectives."""
    nobodys = replace(target, link=None, show_arguments=False, trial=False, schedules=(), objectives=(), schedulers=())
    return replace(nobodys, sources=target.sources - {"events"}, hears_tasks=False, hears_beside_flower=False)


def first_line(target: Target, every_s: float, mask: Masked) -> str:
    """Return the line that begins a recording."""
    told = msgspec.to_builtins(without_private(target), order="deterministic")
    return mask(json.dumps({"recording": VERSION, "every_s": every_s, "target": told}, ensure_ascii=False))


def look_line(at: float, replies: Replies, mask: Masked) -> str:
    """Return the line of one look."""
    answers = [plain(query, answer, mask) for query, answer in replies.answers.items()]
    reused = [nth for nth, query in enumerate(replies.answers) if query in replies.reused]
    return json.dumps({"at": at, "latency_ms": dict(replies.latency_ms), "reused": reused, "answers": answers}, ensure_ascii=False)


def read_recording(text: str) -> Recording:
    """Return the recording of a text; `RecordingError` if it is none. Empty lines do not count."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise RecordingError(1, "empty; `watchdog rules record` writes one")
    number, line = lines[0]
    begin = _object(number, line)
    if begin.get("recording") != VERSION:
        raise RecordingError(number, f'expected {{"recording": {VERSION}, …}}, as `watchdog rules record` writes it')
    try:
        target = msgspec.convert(begin.get("target"), ready(Target))
        every_s = msgspec.convert(begin.get("every_s"), ready(float), strict=False)
    except msgspec.ValidationError as error:
        raise RecordingError(number, f"{error}; record it again") from None
    looks = tuple(_look(number, _object(number, line)) for number, line in lines[1:])
    if not looks or every_s <= 0 or len(looks) > MOST_LOOKS:
        found = f"{len(looks)}, {every_s:g} s apart"
        raise RecordingError(number, f"expected 1 to {MOST_LOOKS:,} looks, more than 0 s apart; found {found}")
    for (before, _), (after, (number, _)) in pairwise(zip(looks, lines[1:], strict=True)):
        if after.at <= before.at:
            raise RecordingError(number, "at: not after the look before it")
    return Recording(target, every_s, looks)


def _object(number: int, line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply, or a number is too long"
        raise RecordingError(number, f"not JSON: {what}; a recording that was cut ends before this line") from None
    if not isinstance(found, dict):
        raise RecordingError(number, "expected an object")
    return found


def _look(number: int, found: Mapping[str, Any]) -> LookRecorded:
    try:
        at = msgspec.convert(found.get("at"), ready(float), strict=False)
        latency_ms = msgspec.convert(found.get("latency_ms", {}), ready(dict[str, float]), strict=False)
        answers = dict(answered(entry) for entry in msgspec.convert(found.get("answers"), ready(list[Any])))
        reused = set(msgspec.convert(found.get("reused", []), ready(list[int])))
    except (msgspec.ValidationError, ValueError) as error:
        raise RecordingError(number, f"{error}; mend this line, or record it again") from None
    return LookRecorded(at, Replies(answers, latency_ms, reused=frozenset(query for nth, query in enumerate(answers) if nth in reused)))
