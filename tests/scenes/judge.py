"""Compares notifications with the truth. Pure: times are seconds since the scene began.

In: the events that a receiver got, the looks that `watchdog check` took, the truth of the scene (needs, and what may be said besides).
Out: a Verdict: counts for the table, and one line of evidence for each thing that was false, missed, late or said too often.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

__all__ = ["Also", "Look", "Need", "Told", "Verdict", "judge", "last_due"]


@dataclass(frozen=True, slots=True)
class Told:
    """One event of one message. `event`: first, escalated, resolved or reminder; `key`: the key's values, joined by a comma."""

    at: float
    event: str
    rule: str
    key: str
    summary: str = ""

    def __str__(self) -> str:
        return f"{self.at:.0f}s {self.event} {self.rule}[{self.key}] {self.summary}"


@dataclass(frozen=True, slots=True)
class Need:
    """A fault to be notified: by any of `rules` (patterns), on a key like `key`, `within_s` of the step `fault`, at most `most` times.

    `mended`: the step that mends it; its end must come `end_within_s` later, and not before.
    """

    fault: str
    rules: tuple[str, ...]
    key: str = "*"
    within_s: float = 60.0
    most: int = 1
    mended: str = ""
    end_within_s: float = 90.0

    def covers(self, told: Told) -> bool:
        return _like(told, self.rules, self.key)


@dataclass(frozen=True, slots=True)
class Also:
    """What is true from the step `since` on, and yet no news: it repeats a cause that another message names. Counted as extra."""

    since: str
    rules: tuple[str, ...]
    key: str = "*"

    def covers(self, told: Told) -> bool:
        return _like(told, self.rules, self.key)


@dataclass(frozen=True, slots=True)
class Look:
    """One `watchdog check`: its exit code, and those that are right. A 0 that is not right hides something; any other is a false alarm."""

    at: float
    what: str
    code: int
    right: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.at:.0f}s check {self.what}: exit {self.code}, right: {' or '.join(map(str, self.right))}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`told`: notified events in all; `needed`: beginnings and ends that the truth calls for. The others hold evidence, one line each."""

    told: int
    needed: int
    false: Sequence[str] = field(default=())
    missed: Sequence[str] = field(default=())
    late: Sequence[str] = field(default=())
    extra: Sequence[str] = field(default=())

    @property
    def passed(self) -> bool:
        return not (self.false or self.missed or self.late)


def judge(told: Sequence[Told], needs: Sequence[Need], also: Sequence[Also], looks: Iterable[Look], steps: Mapping[str, float]) -> Verdict:
    """`steps`: when each named step was taken. A step that was never taken raises KeyError: the scene itself is wrong."""
    false: list[str] = []
    missed: list[str] = []
    late: list[str] = []
    extra: list[str] = []
    begun = [one for one in told if one.event != "resolved"]
    for one in begun:
        if not any(need.covers(one) and one.at >= steps[need.fault] for need in needs):
            true = any(more.covers(one) and one.at >= steps[more.since] for more in also)
            (extra if true else false).append(str(one))
    for need in needs:
        fault, hits = steps[need.fault], [one for one in begun if need.covers(one) and one.at >= steps[need.fault]]
        if not hits:
            missed.append(f"{need.fault}: nobody notified ({' or '.join(need.rules)})")
        elif hits[0].at - fault > need.within_s:
            late.append(f"{need.fault}: after {hits[0].at - fault:.0f}s instead of {need.within_s:.0f}s: {hits[0]}")
        extra.extend(map(str, hits[need.most :]))
        if need.mended:
            _judge_end(need, told, steps, (false, missed, late))
    for look in looks:
        if look.code not in look.right:
            (missed if look.code == 0 else false).append(str(look))
    needed = len(needs) + sum(bool(need.mended) for need in needs)
    return Verdict(len(told), needed, tuple(dict.fromkeys(false)), tuple(missed), tuple(late), tuple(dict.fromkeys(extra)))


def last_due(needs: Sequence[Need], steps: Mapping[str, float]) -> float:
    """Until when everything must be told that the truth calls for: what comes later is late."""
    begins = [steps[need.fault] + need.within_s for need in needs]
    ends = [steps[need.mended] + need.end_within_s for need in needs if need.mended]
    return max([*begins, *ends], default=0.0)


def _judge_end(need: Need, told: Sequence[Told], steps: Mapping[str, float], into: tuple[list[str], list[str], list[str]]) -> None:
    """The end must not come while the fault lasts, and must come soon after it is fixed."""
    false, missed, late = into
    fault, mended = steps[need.fault], steps[need.mended]
    ends = [one for one in told if one.event == "resolved" and need.covers(one) and one.at >= fault]
    if not any(need.covers(one) and one.event == "first" and one.at >= fault for one in told):
        return  # what never began is missed once, not twice
    false.extend(f"ended while it lasts: {one}" for one in ends if one.at < mended)
    after = [one for one in ends if one.at >= mended]
    if not ends:
        missed.append(f"{need.mended}: nobody was notified that it ended")
    elif after and after[-1].at - mended > need.end_within_s:
        late.append(f"{need.mended}: the end came after {after[-1].at - mended:.0f}s instead of {need.end_within_s:.0f}s")


def _like(told: Told, rules: tuple[str, ...], key: str) -> bool:
    return any(fnmatchcase(told.rule, rule) for rule in rules) and fnmatchcase(told.key, key)
