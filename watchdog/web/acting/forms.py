"""The forms of actions: which there are for what is shown, their fields, and the request that somebody typed.

In: what the configuration allows, a subject, a form that was sent. Out: forms; a `Request`, or every fault of what was typed.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import Struct
from werkzeug.datastructures import MultiDict

from watchdog.core.actions.checks import checked_rate, name_faults
from watchdog.core.actions.kinds import KINDS, ActionKind
from watchdog.core.actions.request import Request
from watchdog.core.text.durations import parse_duration
from watchdog.status.panel import Subject

__all__ = ["OF_TABLE", "SUBJECTS", "Field", "FormShown", "TypedError", "forms_of", "request_of", "subject_of", "subjects_of"]

MOST_PROCESSES = 1000
LONGEST_TYPED = 10_000
SIGNALS = ("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1")


class Field(Struct, frozen=True):
    """One field of a form. `kind`: text, number, check, or choice (of `choices`); `hint`: what to type, or what nothing means."""

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    hint: str = ""
    choices: tuple[str, ...] = ()


class FormShown(Struct, frozen=True):
    """One action that can be begun. `fixed`: the field that the subject of the page fills; empty if it is about none."""

    kind: ActionKind
    fields: tuple[Field, ...]
    fixed: str = ""


class TypedError(Exception):
    """What was typed is no request; `faults` says why."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


_QUEUE = Field("queue", "Queue", required=True)
_TASK = Field("task", "Task", required=True, hint="its name")
_ALL = Field("workers", "Workers", hint="names, or globs such as celery@gpu-*; none: all")
_SOME = Field("workers", "Workers", required=True, hint="names, or globs such as celery@gpu-*")
_PROCESSES = Field("number", "Processes", "number", required=True)

_FIELDS: Mapping[str, tuple[Field, ...]] = {
    "revoke": (
        Field("task_id", "Id of the task", required=True),
        Field("terminate", "Terminate it where it runs", "check"),
        Field("signal", "Signal", "choice", hint="only if terminated", choices=SIGNALS),
    ),
    "restart-pool": (_SOME,),
    "shutdown": (_SOME,),
    "add-consumer": (_QUEUE, _ALL),
    "cancel-consumer": (_QUEUE, _ALL),
    "restart-consumer": (_QUEUE, _SOME),
    "grow": (_PROCESSES, _ALL),
    "shrink": (_PROCESSES, _ALL),
    "autoscale": (Field("lowest", "At least", "number", required=True), Field("highest", "At most", "number", required=True), _ALL),
    "rate-limit": (_TASK, Field("rate", "Rate", required=True, hint="such as 10/m; 0: no limit"), _ALL),
    "time-limit": (
        _TASK,
        Field("soft_s", "Soft limit", hint="such as 5m; none: no limit"),
        Field("hard_s", "Hard limit", hint="likewise"),
        _ALL,
    ),
    "purge": (_QUEUE,),
    "move": (_QUEUE, Field("other", "To the queue", required=True), Field("only", "Only the task", hint="its name; none: all messages")),
    "retry": (
        Field("ids", "Ids of failed runs", hint="or a task and how far back"),
        Field("failed", "All failed runs of the task", hint="its name"),
        Field("since_s", "In the last", hint="such as 1h"),
        Field("queue", "To the queue", hint="none: where they were sent before"),
    ),
}
"""Every action -> its fields."""

SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "worker": dict.fromkeys(
        ("restart-pool", "grow", "shrink", "autoscale", "add-consumer", "cancel-consumer", "restart-consumer", "shutdown"), "workers"
    ),
    "queue": dict.fromkeys(("add-consumer", "cancel-consumer", "restart-consumer", "move", "purge"), "queue"),
    "run": {"revoke": "task_id"},
    "task": {"retry": "failed", "rate-limit": "task", "time-limit": "task"},
    "": dict.fromkeys(KINDS, ""),
}
"""Kind of what is shown (`""`: a target) -> the actions on it, each with the field that its name fills. See `status.panel.Subject`."""


OF_TABLE: Mapping[str, tuple[str, str]] = {
    "workers": ("worker", "name"),
    "queues": ("queue", "name"),
    "running": ("run", "id"),
    "tasks": ("task", "name"),
    "errors": ("task", "task"),
}
"""Table -> what its rows are about, and the column of its name: for incidents of rules on it."""


def subject_of(table: str | None, key: Mapping[str, str]) -> Subject | None:
    """What an incident of a rule on this table is about, if one can act on that."""
    kind, column = OF_TABLE.get(table or "", ("", ""))
    return Subject(kind, key[column]) if column in key else None


def subjects_of(allowed: Collection[str]) -> frozenset[str]:
    """The kinds of what is shown for which there is an action among these."""
    return frozenset(subject for subject, actions in SUBJECTS.items() if any(name in allowed for name in actions))


def forms_of(subject: str, allowed: Collection[str]) -> tuple[FormShown, ...]:
    """The actions on a subject that are allowed."""
    return tuple(FormShown(KINDS[name], _fields(name, fixed), fixed) for name, fixed in SUBJECTS[subject].items() if name in allowed)


def _fields(name: str, fixed: str) -> tuple[Field, ...]:
    return tuple(one for one in _FIELDS[name] if one.name != fixed and not (fixed == "failed" and one.name == "ids"))


def request_of(kind: str, target: str, typed: "MultiDict[str, str]") -> Request:
    """The request. Raises TypedError."""
    faults: list[str] = []
    given: dict[str, Any] = {}
    for one in _FIELDS[kind]:
        text = typed.get(one.name, "").strip()
        try:
            given[one.name] = _read(one, text, given_otherwise=one.name == "workers" and bool(typed.get("worker")))
        except ValueError as error:
            faults.append(f"{one.label}: {error}")
    if "workers" in given:
        given["workers"] = (*typed.getlist("worker"), *given["workers"])
    faults += [] if faults else [*_unnamed(given), *_contradicted(kind, given)]
    if faults:
        raise TypedError(faults)
    return Request(kind=kind, target=target, **given)


def _read(one: Field, text: str, *, given_otherwise: bool) -> Any:
    if len(text) > LONGEST_TYPED:
        raise ValueError(f"expected at most {LONGEST_TYPED:,} characters")
    if one.required and not text and not given_otherwise:
        raise ValueError("expected something, found nothing")
    return _READERS[one.name](text) if one.name in _READERS else text or None


def _unnamed(given: Mapping[str, Any]) -> list[str]:
    named = {name: value for name, value in given.items() if isinstance(value, str)}
    several = {f"{what} {number}": name for what in ("workers", "ids") for number, name in enumerate(given.get(what, ()), 1)}
    return name_faults(named | several)


def _contradicted(kind: str, given: Mapping[str, Any]) -> list[str]:
    """Faults of fields that only make sense together."""
    if kind == "revoke" and given["signal"] and not given["terminate"]:
        return ["Signal: expected Terminate beside it: without it nothing gets a signal"]
    if kind == "autoscale" and given["lowest"] > given["highest"]:
        return [f"expected at least, then at most, found {given['lowest']} and {given['highest']}"]
    if kind == "time-limit" and given["soft_s"] is None and given["hard_s"] is None:
        return ["expected a soft limit, a hard limit or both; a limit that is not given is taken away"]
    if kind == "retry" and (bool(given["ids"]) == (given["failed"] is not None) or (given["failed"] is None) != (given["since_s"] is None)):
        return ["expected ids, or a task and how far back"]
    return []


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _number(lowest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST_PROCESSES)) or not lowest <= int(text) <= MOST_PROCESSES:
            raise ValueError(f"expected a number from {lowest} to {MOST_PROCESSES}")
        return int(text)

    return read


def _duration(text: str) -> float | None:
    if not text:
        return None
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ValueError("expected a duration of more than nothing")
    return seconds


def _signal(text: str) -> str | None:
    if text and text not in SIGNALS:
        raise ValueError(f"expected one of {', '.join(SIGNALS)}")
    return text or None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "workers": _several,
    "ids": _several,
    "number": _number(1),
    "lowest": _number(0),
    "highest": _number(1),
    "soft_s": _duration,
    "hard_s": _duration,
    "since_s": _duration,
    "rate": checked_rate,
    "terminate": bool,
    "signal": _signal,
}
"""Field -> how what was typed is read; all others are texts."""
