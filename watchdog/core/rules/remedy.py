"""The remedy that a rule names: what is done by itself to what it found, from when on, how often at most, and what must still hold then.

Input: `remedy`, `after`, `at_most` and `when_still`, of a `[[rule]]` or an `[[override]]`. Output: a `Remedy`, or every fault by its key.
Whether it is allowed is up to `[actions] allow`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.rows import Param, Table
from watchdog.core.sql.tokens import TokenKind, scan
from watchdog.core.text.durations import format_duration, parse_duration
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["REMEDIES", "Remedy", "RemedyWritten", "remedy_faults", "remedy_of"]

REMEDIES: Mapping[str, str] = {"restart-consumer": "queues"}
"""Each remedy -> the table whose rows it is for. It is the action of the same name (`core/actions/kinds.py`)."""
NO_REMEDY = "none"
"""Written in an override, it takes a rule's remedy away."""
AT_MOST = "2 per 1h"
LONGEST_WITHIN_S = 7 * 86400.0
"""The longest time within which attempts are counted."""
_AT_MOST = re.compile(r"([1-9][0-9]{0,2}) per (.+)", re.ASCII)


class Remedy(Struct, frozen=True):
    """What is done by itself while an incident of the rule fires, once it has for `after_s`: at most `most` times within `within_s`.

    `reads`: the words of `when_still` that may be columns.
    """

    name: str
    after_s: float = 0.0
    most: int = 2
    within_s: float = 3600.0
    when_still: str | None = None
    reads: frozenset[str] = frozenset()

    @property
    def at_most(self) -> str:
        """`2 per 1h`."""
        return f"{self.most} per {format_duration(self.within_s)}"


class RemedyWritten(Struct, frozen=True):
    """The four keys as they were written; None where one was not."""

    remedy: str | None = None
    after_s: float | None = None
    at_most: str | None = None
    when_still: str | None = None

    @property
    def anything(self) -> bool:
        """Whether one of them was."""
        return self != RemedyWritten()


def remedy_of(before: Remedy | None, written: RemedyWritten) -> Remedy | None:
    """Return what comes of a rule's remedy and what is written; what is faulty counts as not written."""
    if written.remedy == NO_REMEDY:
        return None
    if written.remedy is not None and written.remedy in REMEDIES and (before is None or before.name != written.remedy):
        before = Remedy(written.remedy)
    if before is None:
        return None
    most, within_s = _most(written.at_most) or (before.most, before.within_s)
    still = before.when_still if written.when_still is None else written.when_still
    after_s = before.after_s if written.after_s is None else written.after_s
    return replace(before, after_s=after_s, most=most, within_s=within_s, when_still=still, reads=_words(still))


def remedy_faults(
    written: RemedyWritten, before: Remedy | None, table: str | None, tables: Mapping[str, Table], params: Mapping[str, Param]
) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for a rule on this table."""
    name = written.remedy if written.remedy is not None else before.name if before else None
    if written.remedy is not None and written.remedy not in (*REMEDIES, NO_REMEDY):
        yield "remedy", f'no remedy "{written.remedy}"{did_you_mean(written.remedy, REMEDIES) or "; there is " + ", ".join(REMEDIES)}'
    elif name is not None and name in REMEDIES and table != REMEDIES[name]:
        yield "remedy", f'{name} is for rules with from = "{REMEDIES[name]}": it needs to know which of them'
    settings = {"after": written.after_s, "at_most": written.at_most, "when_still": written.when_still}
    for key, value in settings.items():
        if value is not None and name in (None, NO_REMEDY):
            yield key, f'belongs to a remedy; write remedy = "{next(iter(REMEDIES))}", too'
    if written.at_most is not None and _most(written.at_most) is None:
        longest = format_duration(LONGEST_WITHIN_S)
        yield (
            "at_most",
            f'expected a number from 1 to 999 and a duration of at most {longest}, such as "{AT_MOST}", found "{written.at_most}"',
        )
    if written.when_still is not None and table is not None and table in tables:
        yield from (("when_still", fault) for fault in _condition_faults(written.when_still, table, tables, params))


def _condition_faults(text: str, table: str, tables: Mapping[str, Table], params: Mapping[str, Param]) -> Sequence[str]:
    from watchdog.core.sql.conditions import ConditionError, check_condition  # noqa: PLC0415 - loads SQLite, which most commands do not need

    try:
        check_condition(tables, table, text, params)
    except ConditionError as error:
        return error.faults
    return ()


def _most(text: str | None) -> tuple[int, float] | None:
    """Return the count and the seconds of `2 per 1h`; None if it is something else."""
    found = _AT_MOST.fullmatch(text or "")
    if found is None:
        return None
    try:
        within_s = parse_duration(found[2])
    except ValueError:
        return None
    return (int(found[1]), within_s) if 0 < within_s <= LONGEST_WITHIN_S else None


def _words(text: str | None) -> frozenset[str]:
    words = (token.text for token in scan(text or "")[0] if token.kind in (TokenKind.WORD, TokenKind.QUOTED))
    return frozenset(word.strip('"`[]').lower() for word in words)
