"""`check --wait` and `--stable`: polls until all is good and stays good, or until the time is over.

In: a function that polls, the times, a clock and a sleep. Out: the last result. Meanwhile it reports what is still wrong, and the time
left.
"""

import math
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from watchdog.cli.output.page import clean
from watchdog.core.judging.check_result import CheckResult
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import key_text

if TYPE_CHECKING:
    from watchdog.cli.output.status_line import StatusLine

__all__ = ["Patience", "WaitProgress", "look_until_good", "still_wrong"]

_LISTED = 3


class Patience:
    """How long to continue. All must be good within `wait_s`, then stay good for `stable_s`, even if that takes longer than `wait_s`."""

    def __init__(self, wait_s: float, stable_s: float, began: float) -> None:
        self._until, self._stable_s = began + wait_s, stable_s
        self._good_since: float | None = None

    def left_s(self, now: float, *, good: bool) -> float:
        """After a poll that ended at `now`: for how many more seconds to poll, if nothing changes; 0 means stop."""
        if not good:
            self._good_since = None
            return max(self._until - now, 0.0)
        self._good_since = now if self._good_since is None else self._good_since
        return max(self._good_since + self._stable_s - now, 0.0)


def look_until_good(
    look: Callable[[], CheckResult],
    patience: Patience,
    interval_s: float,
    report: Callable[[CheckResult, float], None],
    stopwatch: Callable[[], float],
    sleep: Callable[[float], None],
) -> CheckResult:
    """Returns the result that ended the wait. `report` is called with every other one, and the seconds left."""
    while True:
        began = stopwatch()
        result = look()
        now = stopwatch()
        left_s = patience.left_s(now, good=result.exit_code == 0)
        if left_s <= 0:
            return result
        report(result, left_s)
        sleep(min(max(interval_s - (now - began), 0.0), left_s))


class WaitProgress:
    """Reports a wait on standard error: on a terminal in the status line, to a pipe with one line per change."""

    def __init__(self, status: "StatusLine", *, terminal: bool) -> None:
        self._status, self._terminal = status, terminal
        self._shown: tuple[str, ...] | None = None

    def __call__(self, result: CheckResult, left_s: float) -> None:
        """Report a poll that did not end the wait."""
        wrong = list(still_wrong(result))
        left = format_duration(math.ceil(left_s))
        texts = [text for _, text in wrong]
        more = [f"and {len(texts) - _LISTED} more"] if len(texts) > _LISTED else []
        line = f"waiting, {left} left: {'; '.join(texts[:_LISTED] + more)}" if texts else f"good; to stay so for another {left}"
        if self._terminal:
            self._status.say(_cut(clean(line)))
            return
        what = tuple(what for what, _ in wrong)
        if what != self._shown:
            click.echo(clean(line), err=True)
        self._shown = what


def still_wrong(result: CheckResult) -> Iterator[tuple[str, str]]:
    """What keeps a result from being good, each as (identity, words): the words may change from poll to poll, the identity does not."""
    several = len(result.targets) > 1
    for firing in (f for f in result.firing if f in result.failing or f.blind):
        key = key_text(firing.key)
        where = ", ".join(filter(None, [firing.target if several else "", key]))
        yield f"{firing.fingerprint}", f"{firing.rule} fires" + (f" ({where})" if where else "")
    for answer in (a for a in result.expected if not a.ok):
        where = f" in {answer.target}" if several else ""
        said = "is false" if answer.ok is False else "is not answered"
        yield f"{answer.target} {answer.expect} {said}", f"{answer.expect} {said}{where} ({answer.reason})"
    reasons: dict[str, list[str]] = {}
    for unknown in result.unknown:
        reasons.setdefault(unknown.reason, []).append(f"{unknown.target} {unknown.rule}")
    for reason, rules in reasons.items():
        yield " ".join(dict.fromkeys(rules)), f"could not look: {reason}"


def _cut(line: str) -> str:
    """The line cut to the terminal's width, with room for the seconds that the status line adds."""
    width = shutil.get_terminal_size().columns - 12
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"
