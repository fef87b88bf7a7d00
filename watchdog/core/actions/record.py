"""One line of the audit log: who wanted what, when, on which target, and how it ended."""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.actions.outcome import Word
from watchdog.core.actions.request import Request
from watchdog.core.model.identity import action_id

__all__ = ["ActionRecord", "new_record"]


class ActionRecord(Struct, frozen=True):
    """One action. Times are epoch seconds; `ended_at` is None while it runs, and for good if watchdog was killed then.

    `author` is the user of the operating system that ran the command, or `NAME (page)`, who signed in to the page; `host` the machine that
    sent it. `workers`: whom it was sent to.
    """

    id: str
    at: float
    author: str
    host: str
    action: str
    target: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    workers: tuple[str, ...] = ()
    outcome: Word = Word.BEGUN
    text: str = ""
    ended_at: float | None = None

    @property
    def arguments_text(self) -> str:
        """The arguments on one line."""
        shown = [(name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value) for name, value in self.arguments.items()]
        return " ".join(f"{name.removesuffix('_s')}={value}" for name, value in shown)


def new_record(request: Request, at: float, author: str, host: str, process: int) -> ActionRecord:
    """A record of what is asked for now. `process` tells apart what two processes begin in the same moment."""
    shown = repr(sorted(request.arguments.items()))
    return ActionRecord(
        action_id(at, request.kind, f"{process} {shown}"), at, author, host, request.kind, request.target, request.arguments
    )
