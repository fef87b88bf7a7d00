"""What a team promises of its tasks: which share of them starts in time, or succeeds. In: the configuration. Out: values."""

from msgspec import Struct

__all__ = ["Objective"]

MONTH_S = 30 * 86400.0


class Objective(Struct, frozen=True):
    """One promise: `share` of the tasks of a queue, or with a name like `task`, within the last `over_s` seconds.

    With `max_wait_s`: start within that time after they were sent. Without: succeed.
    """

    name: str
    share: float
    queue: str | None = None
    task: str | None = None
    max_wait_s: float | None = None
    over_s: float = MONTH_S

    @property
    def counts(self) -> str:
        """Return what is counted for it, in words: counts of another question are not continued."""
        what = f"queue {self.queue}" if self.queue is not None else f"task {self.task}"
        return f"{what}: succeeded" if self.max_wait_s is None else f"{what}: started within {self.max_wait_s:g}s"
