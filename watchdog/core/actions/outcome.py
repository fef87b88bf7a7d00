"""What came back of an action. In: whom it was sent to, and each answer. Out: one word, and a sentence for each worker or queue.

A worker without an answer may have got the command all the same: that is unknown, neither done nor failed.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from msgspec import Struct

from watchdog.core.text.sanitize import sanitize

__all__ = ["Answer", "Outcome", "Word", "outcome_of", "unsent"]


class Word(StrEnum):
    """How an action ended. `begun` is what the audit log says until then, and for good if watchdog was killed in between."""

    REFUSED = "refused"
    DECLINED = "declined"
    BEGUN = "begun"
    DONE = "done"
    PARTLY = "partly"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Answer(Struct, frozen=True):
    """One answer. `worked`: None if there was none, and `text` says so; `nothing`: it was understood, and there was nothing to do."""

    worked: bool | None
    text: str
    nothing: bool = False


class Outcome(Struct, frozen=True):
    """The outcome of one action. `answers`: worker or queue -> its answer."""

    word: Word
    answers: Mapping[str, Answer]

    @property
    def text(self) -> str:
        """All of it on one line."""
        return sanitize("; ".join(f"{name}: {answer.text}" for name, answer in self.answers.items()))


def outcome_of(asked: Collection[str], answers: Mapping[str, Answer]) -> Outcome:
    """The outcome of what was sent to these."""
    missing = Answer(None, "no answer: whether it got this is not known")
    found = {name: answers.get(name, missing) for name in asked} | dict(answers)
    worked = [answer for answer in found.values() if answer.worked and not answer.nothing]
    silent = [answer for answer in found.values() if answer.worked is None]
    if any(answer.worked is False for answer in found.values()):
        return Outcome(Word.PARTLY if worked else Word.FAILED, found)
    if silent:
        return Outcome(Word.PARTLY if worked else Word.UNKNOWN, found)
    return Outcome(Word.DONE if worked else Word.FAILED, found)


def unsent(where: str, why: str) -> Outcome:
    """The outcome if something was in the way. `why` says whether anything was sent."""
    return Outcome(Word.FAILED, {where: Answer(worked=False, text=why)})
