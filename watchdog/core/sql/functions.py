"""The functions a rule may call: SQLite's pure ones, and `regexp`, limited so that no pattern hangs the process.

None of them reads a clock, a file or random numbers: a verdict depends on the tables alone.
"""

import importlib
import math
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgspec import Struct

from watchdog.core.model.rows import Kind

__all__ = ["AGGREGATES", "DENIED", "FUNCTIONS", "SAME_AS_ARGUMENTS", "WINDOWS", "Effort", "PatternError", "compiled_pattern", "found_in"]

_NUMBERS = """abs acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor instr json_array_length length ln log
    log10 log2 mod octet_length pi pow power radians round sign sin sinh sqrt tan tanh trunc unicode"""
_TEXTS = """char concat concat_ws format hex json json_array json_object json_quote json_type lower ltrim printf quote replace rtrim
    substr substring trim typeof upper"""
_FROM_ROWS = "first_value last_value nth_value lag lead"
_RANKS = "row_number rank dense_rank percent_rank cume_dist ntile"
_SUMS = "avg count sum total"
_COLLECTED = "group_concat json_group_array json_group_object string_agg"

SAME_AS_ARGUMENTS = frozenset(["coalesce", "ifnull", "iif", "if", "max", "min", "nullif", *_FROM_ROWS.split()])
"""Functions whose value is one of their arguments."""
WINDOWS = frozenset([*_FROM_ROWS.split(), *_RANKS.split()])
AGGREGATES = frozenset([*_SUMS.split(), *_COLLECTED.split()])
"""Functions over many rows; max and min with one argument are also aggregates."""

FUNCTIONS: dict[str, Kind | None] = {
    **dict.fromkeys(_NUMBERS.split(), Kind.NUMBER),
    **dict.fromkeys(_TEXTS.split(), Kind.TEXT),
    **dict.fromkeys(("regexp", "like", "glob", "json_valid"), Kind.BOOLEAN),
    **dict.fromkeys([*_SUMS.split(), *_RANKS.split()], Kind.NUMBER),
    **dict.fromkeys(_COLLECTED.split(), Kind.TEXT),
    **dict.fromkeys([*SAME_AS_ARGUMENTS, "json_extract", "->", "->>"], None),
}
"""Every allowed function -> the kind of its value; None if it depends on the arguments."""

DENIED = {
    **dict.fromkeys(
        ("date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff", "current_date", "current_time", "current_timestamp"),
        "it reads the clock; columns that end in _s hold ages in seconds",
    ),
    **dict.fromkeys(("random", "randomblob"), "a verdict may not depend on chance"),
    **dict.fromkeys(("zeroblob", "load_extension", "match"), "it is not needed to judge a row"),
}
"""Functions that users may try -> why they are not available."""

_LONGEST_PATTERN = 1_000
_LONGEST_SUBJECT = 10_000
_MOST_WORK = 1e8  # estimated backtracking steps; about a second
_FEW = 20  # a repeat of more counts as open-ended
_parser: Any = importlib.import_module("re._parser")  # the parse tree behind re.compile, the only way to see what a pattern repeats
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


class PatternError(ValueError):
    """A pattern that does not compile, could run forever, or is applied to a text that is too long."""


def found_in(pattern: str, subject: str) -> bool:
    """Whether the pattern (Python's `re`) matches anywhere in the subject. PatternError if that could take too long."""
    compiled, effort = compiled_pattern(pattern)
    length = len(subject)
    if length > _LONGEST_SUBJECT:
        raise PatternError(f"regexp: a text of {length:,} characters; at most {_LONGEST_SUBJECT:,} are searched")
    # With n open-ended repeats that can trade characters, each start tries about length**n / n! ways.
    tries = effort.choices * length ** (effort.repeats + 1) / math.factorial(effort.repeats + 1)
    if tries > _MOST_WORK:
        raise PatternError(
            f"regexp: '{_shortened(pattern)}' over a text of {length:,} characters could take too long; simplify the pattern"
        )
    return compiled.search(subject) is not None


class Effort(Struct, frozen=True):
    """The cost of a pattern: the number of its open-ended repeats, and of alternatives in the rest of it."""

    repeats: int = 0
    choices: int = 1


@lru_cache(maxsize=512)
def compiled_pattern(pattern: str) -> tuple[re.Pattern[str], Effort]:
    """Return the compiled pattern and its cost. PatternError says what is wrong with it."""
    if len(pattern) > _LONGEST_PATTERN:
        raise PatternError(f"regexp: a pattern of {len(pattern):,} characters; at most {_LONGEST_PATTERN:,} are allowed")
    # A leading `.*` does not change whether a match exists, and would cost a factor.
    shorter = re.sub(r"^(?:\.\*\??(?![+*?]))+", "", pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            tree = _parser.parse(shorter)
            effort = _effort(tree, within_repeat=False)
            return re.compile(shorter), Effort(effort.repeats - _ends_with_anything(tree), effort.choices)
        except (re.error, RecursionError, OverflowError, Warning) as error:
            raise PatternError(f"regexp: '{_shortened(pattern)}' is no regular expression: {error}") from None
        except _NestedError:
            why = "repeats what itself repeats or varies, or refers back, which could take for ever; simplify it"
            raise PatternError(f"regexp: '{_shortened(pattern)}' {why}") from None


class _NestedError(Exception):
    pass


def _shortened(pattern: str) -> str:
    return pattern if len(pattern) <= 60 else pattern[:57] + "…"


def _effort(tree: Any, *, within_repeat: bool) -> Effort:
    """Return the cost of a parse tree. _NestedError if a repeat contains a repeat or an alternation, or for a back-reference."""
    repeats, choices = 0, 1
    for operation, argument in tree:
        one = _effort_of_one(str(operation), argument, within_repeat=within_repeat)
        repeats, choices = repeats + one.repeats, choices * one.choices
    return Effort(repeats, choices)


def _effort_of_one(name: str, argument: Any, *, within_repeat: bool) -> Effort:
    if name in ("GROUPREF", "GROUPREF_EXISTS"):
        raise _NestedError
    if name in _REPEATS:
        least, most = int(argument[0]), int(argument[1])
        if within_repeat and most != least:
            raise _NestedError
        inside = _effort(argument[2], within_repeat=within_repeat or most > 1)
        open_ended = most - least > _FEW
        return Effort(inside.repeats + open_ended, inside.choices * (1 if open_ended else most - least + 1))
    parts = [_effort(inner, within_repeat=within_repeat) for inner in _inner_trees(argument)]
    if name == "BRANCH":
        if within_repeat:
            raise _NestedError
        return Effort(max(part.repeats for part in parts), sum(part.choices for part in parts))
    return Effort(sum(part.repeats for part in parts), math.prod(part.choices for part in parts))


def _inner_trees(argument: Any) -> Iterable[Any]:
    """Return the parse trees within one operation's argument: groups, branches, look-arounds."""
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, tuple | list):
        return [tree for part in argument for tree in _inner_trees(part)]
    return []


def _ends_with_anything(tree: Any) -> bool:
    """Whether it ends in `.*`, which takes the rest and never has to backtrack."""
    if not len(tree):
        return False
    operation, argument = tree[-1]
    return str(operation) in _REPEATS and argument[0] == 0 and int(argument[1]) > _FEW and str(argument[2][0][0]) == "ANY"
