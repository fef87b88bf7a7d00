"""An action that consists of several, such as restart-consumer: cancel-consumer, then add-consumer.

In: the request, and who tells workers. Out: one answer for each worker. Every step is sent, whatever became of those before it: what stops
a worker from consuming must be followed by what lets it consume again.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Answer
from watchdog.core.actions.request import Request

__all__ = ["in_steps", "joined", "steps_of"]

Tell = Callable[[Request], Mapping[str, Answer]]


def steps_of(request: Request) -> tuple[Request, ...]:
    """The requests that it consists of; itself, if it is one."""
    return tuple(replace(request, kind=step) for step in KINDS[request.kind].steps) or (request,)


def in_steps(request: Request, tell: Tell) -> dict[str, Answer]:
    """Tell every step, in order. Raises what the first step that failed raised, after the last one was told."""
    steps, told, failed = steps_of(request), list[Mapping[str, Answer]](), list[Exception]()
    for step in steps:
        try:
            told.append(tell(step))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next step is told all the same
            failed.append(error)
    if failed:
        raise failed[0]
    return joined([step.kind for step in steps], told)


def joined(kinds: Sequence[str], told: Sequence[Mapping[str, Answer]]) -> dict[str, Answer]:
    """One answer for each worker: it worked if all steps did, and is unknown if one was not answered and none failed."""
    if len(told) == 1:
        return dict(told[0])
    found = {}
    for worker in dict.fromkeys(name for answers in told for name in answers):
        answers = [one.get(worker, Answer(None, f"no answer to {kind}")) for kind, one in zip(kinds, told, strict=True)]
        worked = [answer.worked for answer in answers]
        text = ", then ".join(answer.text for answer in answers)
        found[worker] = Answer(False if False in worked else None if None in worked else True, text)
    return found
